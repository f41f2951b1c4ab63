"""ssim, l1_ssim_loss and their modules: known values, reference, gradients, awkward inputs, errors."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from skimage.metrics import structural_similarity
from torch import Tensor

from nirtrans.kernels import MSSSIMLoss, SSIMLoss, l1_ssim_loss, ms_ssim, ssim
from nirtrans.kernels.reference import ssim as twin
from nirtrans.kernels.reference.ssim import Window
from tests.kernels.conftest import compiled_only
from tests.kernels.ssim_pairs import chequerboard, holes, noisy_pair

PADDINGS = ("valid", "reflect", "zero")


def flat(value: float, dtype: torch.dtype) -> Tensor:
    return torch.full((1, 1, 16, 16), float(value), dtype=dtype)


def exact(x: Tensor, y: Tensor, mask: Tensor | None = None, **options: Any) -> Tensor:
    """The map of the twin in float64."""
    return twin.ssim_map(x.double(), y.double(), mask, Window(**options))


# 1 Known values


@pytest.mark.parametrize(
    ("a", "b", "expected"), [(0.5, 0.5, 1), (0, 0, 1), (0, 1, 9.9990e-5), (0.2, 0.7, 0.52839087), (1, 1, 1)]
)
@pytest.mark.parametrize("padding", ["valid", "reflect"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 5e-9), (torch.float32, 6e-5)])
def test_flat_images(a: float, b: float, expected: float, padding: str, dtype: torch.dtype, tolerance: float) -> None:
    # (2ab + C1) / (a^2 + b^2 + C1). In float32 the variance is what rounding leaves of a^2 + b^2, 3e-8 beside C2.
    value = ssim(flat(a, dtype), flat(b, dtype), padding=padding)
    assert value.item() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_chequerboard_against_its_inverse(dtype: torch.dtype) -> None:
    board = chequerboard(32, dtype)
    assert ssim(board, 1 - board).item() == pytest.approx(-0.99640647, abs=1e-6)


def test_an_image_equals_itself_without_gradient() -> None:
    x = torch.rand(2, 3, 17, 19, requires_grad=True)
    value = ssim(x, x.detach())
    value.backward()
    assert value.item() == 1
    assert x.grad.abs().max() <= 1e-6


def test_agrees_with_skimage() -> None:
    x, y = noisy_pair(1, 1, 40, 37, dtype=torch.float64)
    expected = structural_similarity(
        x[0, 0].numpy(), y[0, 0].numpy(), gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1
    )
    assert ssim(x, y).item() == pytest.approx(expected, abs=1e-9)


def test_zero_padding_is_convolution_with_zeros() -> None:
    """The definition of fused-ssim's "same": every statistic by a zero-padded, not renormalised convolution."""
    x, y = noisy_pair(2, 2, 21, 18, dtype=torch.float64)
    taps = torch.tensor(twin.gaussian(11, 1.5), dtype=torch.float64)
    kernel = torch.outer(taps, taps).expand(2, 1, 11, 11)
    mu_x, mu_y, xx, yy, xy = (F.conv2d(t, kernel, padding=5, groups=2) for t in (x, y, x * x, y * y, x * y))
    structure = (2 * (xy - mu_x * mu_y) + 9e-4) / (xx - mu_x**2 + yy - mu_y**2 + 9e-4)
    expected = structure * (2 * mu_x * mu_y + 1e-4) / (mu_x**2 + mu_y**2 + 1e-4)
    torch.testing.assert_close(ssim(x, y, padding="zero", reduction="none"), expected, atol=1e-10, rtol=0)


# 2 Reference


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("size", [3, 7, 11, 33])
@pytest.mark.parametrize("masked", [False, True])
def test_reductions_agree_with_the_reference(padding: str, size: int, masked: bool) -> None:
    x, y = noisy_pair(2, 3, 35, 38)
    mask = holes(2, 35, 38) if masked else None
    options: dict[str, Any] = {"padding": padding, "window_size": size, "mask": mask}
    expected = exact(x, y, mask, size=size, padding=padding)
    count = 3 * twin.counted(mask, Window(size, padding=padding)).sum() if masked else expected.numel()
    # Single points where a few pixels are left are less exact than the mean: their variance is small beside means.
    torch.testing.assert_close(ssim(x, y, reduction="none", **options).double(), expected, atol=6e-5, rtol=0)
    assert ssim(x, y, **options).item() == pytest.approx((expected.sum() / count).item(), abs=1e-6)
    assert ssim(x, y, reduction="sum", **options).item() == pytest.approx(expected.sum().item(), rel=2e-6)


def test_data_range_and_sigma_reach_the_kernel() -> None:
    x, y = noisy_pair(1, 1, 20, 20)
    expected = exact(255 * x, 255 * y, sigma=0.8, c1=2.55**2, c2=7.65**2).mean().item()
    assert ssim(255 * x, 255 * y, data_range=255, sigma=0.8).item() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_low_contrast_in_half_precision(dtype: torch.dtype) -> None:
    """Statistics in half precision leave [-1, 1] or lose a percent; rounding 0.5 in float32 costs 3e-5 at C2 = 9e-4."""
    x = 0.5 + 0.002 * torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    x, y = x.to(dtype), (x + 5e-4).to(dtype)
    value = ssim(x, y)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(exact(x, y).mean().item(), abs=5e-5)


def test_two_dtypes_meet_in_the_wider() -> None:
    x, y = noisy_pair(1, 1, 16, 16)
    assert ssim(x.half(), y).item() == pytest.approx(exact(x.half(), y).mean().item(), abs=1e-6)
    assert ssim(x, y.double()).dtype == torch.float64


# 3 Gradients


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_gradients_agree_with_the_reference(padding: str, masked: bool, reduction: str) -> None:
    mask = holes(2, 15, 14) if masked else None

    def gradients(dtype: torch.dtype) -> tuple[Tensor, ...]:
        x, y = (image.to(dtype).requires_grad_() for image in noisy_pair(2, 2, 15, 14))
        value = ssim(x, y, padding=padding, reduction=reduction, mask=mask)
        return torch.autograd.grad(value.square().sum(), (x, y))

    for ours, expected in zip(gradients(torch.float32), gradients(torch.float64), strict=True):
        assert (ours - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("function", [ssim, l1_ssim_loss])
@pytest.mark.parametrize("masked", [False, True])
def test_gradcheck(function: Any, masked: bool) -> None:
    x, y = (image.requires_grad_() for image in noisy_pair(1, 2, 6, 7, dtype=torch.float64))
    mask = holes(1, 6, 7) if masked else None
    assert torch.autograd.gradcheck(lambda a, b: function(a, b, window_size=5, mask=mask), (x, y), fast_mode=True)


def test_small_gradients_survive_in_float16() -> None:
    """1 / n of this mean is 1.6e-5; as a factor of a float16 gradient in storage it would lose most bits."""
    x, y = noisy_pair(1, 1, 256, 256, dtype=torch.float16)
    x.requires_grad_()
    (ssim(x, y) * 65536).backward()
    wide = x.detach().double().requires_grad_()
    (exact(wide, y).mean() * 65536).backward()
    assert (x.grad - wide.grad).abs().max() <= 1e-3 * wide.grad.abs().max()


def test_backward_twice_through_a_retained_graph() -> None:
    x, y = noisy_pair(1, 1, 16, 16)
    x.requires_grad_()
    loss = 3 * ssim(x, y)
    (first,) = torch.autograd.grad(loss, x, retain_graph=True)
    kept = first.clone()
    (second,) = torch.autograd.grad(loss, x)
    assert torch.equal(kept, second)


@compiled_only
def test_second_derivative_names_the_reference() -> None:
    x, y = noisy_pair(1, 1, 16, 16)
    (gradient,) = torch.autograd.grad(ssim(x.requires_grad_(), y, reduction="none").sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="reference"):
        gradient.sum().backward()


@pytest.mark.slow
@pytest.mark.parametrize("masked", [False, True])
def test_compiles_without_a_graph_break(masked: bool) -> None:
    x, y = noisy_pair(1, 1, 20, 20)
    mask = holes(1, 20, 20) if masked else None
    compiled = torch.compile(l1_ssim_loss, fullgraph=True, backend="aot_eager")
    assert compiled(x, y, mask=mask).item() == pytest.approx(l1_ssim_loss(x, y, mask=mask).item(), abs=1e-6)


# 4 Awkward inputs


def test_smallest_image_has_one_point() -> None:
    x, y = noisy_pair(1, 1, 11, 11)
    assert ssim(x, y, reduction="none").shape == (1, 1, 1, 1)
    assert ssim(x, y).item() == pytest.approx(exact(x, y).item(), abs=1e-6)


@pytest.mark.parametrize("shape", [(0, 3, 16, 16), (2, 0, 16, 16)])
def test_empty_batch(shape: tuple[int, ...]) -> None:
    x = torch.empty(shape, requires_grad=True)
    assert ssim(x, x).item() == 1
    assert ssim(x, x, reduction="sum").item() == 0
    assert ssim(x, x, reduction="none").shape == (*shape[:2], 6, 6)
    assert l1_ssim_loss(x, x).item() == 0
    ssim(x, x).backward()
    assert x.grad.shape == shape


def test_nan_under_the_mask_is_harmless() -> None:
    x, y = noisy_pair(2, 3, 20, 20)
    mask = holes(2, 20, 20)
    spoilt = x.masked_fill(~mask, torch.nan).requires_grad_()
    value = l1_ssim_loss(spoilt, y, mask=mask)
    value.backward()
    assert value.item() == l1_ssim_loss(x, y, mask=mask).item()
    assert torch.equal(spoilt.grad.masked_select(~mask), torch.zeros(3 * int((~mask).sum())))
    assert spoilt.grad.isfinite().all()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_in_its_windows(bad: float) -> None:
    x, y = noisy_pair(1, 1, 30, 30)
    x[0, 0, 2, 3] = bad
    points = ssim(x, y, reduction="none")[0, 0]
    assert points[:3, :4].isnan().all()
    assert points[3:].isfinite().all()
    assert ssim(x, y).isnan()


def test_all_masked() -> None:
    x, y = (image.requires_grad_() for image in noisy_pair(1, 2, 16, 16))
    mask = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    assert ssim(x, y, mask=mask).item() == 1
    assert l1_ssim_loss(x, y, mask=mask).item() == 0
    ssim(x, y, mask=mask).backward()
    assert x.grad.abs().max() == 0


@pytest.mark.parametrize("form", [(16, 17), (1, 1, 16, 17), (1, 16, 17), (2, 1, 1, 17)])
def test_masks_broadcast(form: tuple[int, ...]) -> None:
    x, y = noisy_pair(2, 3, 16, 17)
    mask = torch.rand(form, generator=torch.Generator().manual_seed(0)) > 0.3
    assert ssim(x, y, mask=mask).item() == ssim(x, y, mask=mask.expand(2, 1, 16, 17)).item()


# 5 l1_ssim_loss and modules


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weight", [0, 0.3, 0.84, 1])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_l1_ssim_is_the_sum_of_its_parts(masked: bool, weight: float, dtype: torch.dtype) -> None:
    x, y = noisy_pair(2, 3, 16, 18, dtype=dtype)
    mask = holes(2, 16, 18) if masked else None
    difference = (x - y).double().abs() if dtype != torch.float16 else (x.double() - y.double()).abs()
    pixels = difference.masked_select(mask.expand_as(x)) if masked else difference
    counted = twin.counted(mask, Window()).sum() * 3 if masked else 2 * 3 * 6 * 8
    similar = exact(x, y, mask).sum()
    mean = weight * (1 - similar / counted) + (1 - weight) * pixels.mean()
    total = weight * (counted - similar) + (1 - weight) * pixels.sum()
    assert l1_ssim_loss(x, y, weight=weight, mask=mask).item() == pytest.approx(mean.item(), abs=2e-6)
    summed = l1_ssim_loss(x, y, weight=weight, mask=mask, reduction="sum")
    assert summed.item() == pytest.approx(total.item(), rel=2e-6, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_gradient_of_l1_ssim(dtype: torch.dtype) -> None:
    x, y = noisy_pair(1, 2, 16, 18, dtype=dtype)
    grads = []
    for kind in (dtype, torch.float64):
        image = x.to(kind, copy=True).requires_grad_()
        l1_ssim_loss(image, y.to(kind)).backward()
        grads.append(image.grad.double())
    assert (grads[0] - grads[1]).abs().max() <= (2e-3 if dtype == torch.float16 else 1e-5) * grads[1].abs().max()


@pytest.mark.parametrize("masked", [False, True])
def test_modules_are_one_minus_the_value(masked: bool) -> None:
    x, y = noisy_pair(2, 2, 24, 26)
    mask = holes(2, 24, 26) if masked else None
    counted = 2 * twin.counted(mask, Window()).sum().item() if masked else 2 * 2 * 14 * 16
    assert SSIMLoss()(x, y, mask).item() == pytest.approx(1 - ssim(x, y, mask=mask).item(), abs=1e-7)
    total = counted - ssim(x, y, mask=mask, reduction="sum").item()
    assert SSIMLoss(reduction="sum")(x, y, mask).item() == pytest.approx(total, rel=1e-6)
    points = SSIMLoss(reduction="none", padding="zero")(x, y)
    assert torch.equal(points, 1 - ssim(x, y, padding="zero", reduction="none"))
    several = {"weights": (0.5, 0.5), "window_size": 7, "normalize": "simple"}
    assert MSSSIMLoss(**several)(x, y, mask).item() == pytest.approx(
        1 - ms_ssim(x, y, mask=mask, **several).item(), abs=1e-7
    )
