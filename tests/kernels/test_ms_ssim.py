"""ms_ssim: pytorch-msssim's values, reference, normalisations, masks, gradients."""

from typing import Any

import pytest
import pytorch_msssim
import torch
from torch import Tensor

from nirtrans.kernels import ms_ssim, ssim
from nirtrans.kernels.reference import ssim as twin
from nirtrans.kernels.reference.ssim import Window
from nirtrans.kernels.ssim import MS_SSIM_WEIGHTS
from tests.kernels.ssim_pairs import holes, noisy_pair

SMALL: dict[str, Any] = {"window_size": 5, "weights": (0.3, 0.3, 0.4)}


def exact(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Per plane, three levels with a window of 5, by the twin in float64, [N, C]."""
    x, y, means = x.double(), y.double(), []
    for level in range(3):
        window = Window(5, contrast=level < 2)
        points = twin.ssim_map(x, y, mask, window)
        counted = torch.ones_like(points) if mask is None else twin.counted(mask, window).expand_as(points).double()
        counts = counted.sum(dim=(2, 3))
        means.append(torch.where(counts > 0, points.sum(dim=(2, 3)) / counts.clamp(min=1), 1.0))
        x, y = twin.halved(x), twin.halved(y)
        mask = None if mask is None else twin.halved_mask(mask)
    return twin.power_product(means, SMALL["weights"], "relu", 0.0)


def exact_window(channels: int) -> Tensor:
    """For pytorch-msssim, whose own window is rounded to float32."""
    return torch.tensor(twin.gaussian(11, 1.5), dtype=torch.float64).repeat(channels, 1, 1, 1)


# 1 Known values


@pytest.mark.parametrize(("height", "width"), [(161, 161), (162, 177), (163, 192), (176, 176)])
def test_agrees_with_pytorch_msssim(height: int, width: int) -> None:
    x, y = noisy_pair(1, 2, height, width, dtype=torch.float64)
    expected = pytorch_msssim.ms_ssim(x, y, data_range=1.0, win=exact_window(2)).item()
    assert ms_ssim(x, y).item() == pytest.approx(expected, abs=1e-12)
    # The coarsest level of 161 px has one window, whose error nothing averages.
    assert ms_ssim(x.float(), y.float()).item() == pytest.approx(expected, abs=1e-5)


def test_gradient_agrees_with_pytorch_msssim() -> None:
    x, y = noisy_pair(1, 1, 163, 176, dtype=torch.float64)
    x.requires_grad_()
    (ours,) = torch.autograd.grad(ms_ssim(x, y), x)
    (theirs,) = torch.autograd.grad(pytorch_msssim.ms_ssim(x, y, data_range=1.0, win=exact_window(1)), x)
    assert (ours - theirs).abs().max() <= 1e-10 * theirs.abs().max()


def test_an_image_equals_itself() -> None:
    x = torch.rand(2, 3, 41, 44)
    assert ms_ssim(x, x, **SMALL).item() == pytest.approx(1, abs=1e-7)


def test_one_level_is_ssim() -> None:
    x, y = noisy_pair(1, 3, 20, 20)
    assert ms_ssim(x, y, weights=(1.0,)).item() == pytest.approx(ssim(x, y).item(), abs=1e-6)


# 2 Reference


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
def test_reductions_agree_with_the_reference(masked: bool, dtype: torch.dtype, tolerance: float) -> None:
    x, y = noisy_pair(2, 2, 37, 42, dtype=dtype)
    mask = holes(2, 37, 42) | (torch.arange(42) < 21) if masked else None
    expected = exact(x, y, mask)
    planes = ms_ssim(x, y, mask=mask, reduction="none", **SMALL)
    assert planes.shape == (2, 2)
    assert planes.dtype == dtype
    torch.testing.assert_close(planes.double(), expected, atol=tolerance, rtol=0)
    assert ms_ssim(x, y, mask=mask, **SMALL).item() == pytest.approx(expected.mean().item(), abs=tolerance)
    total = ms_ssim(x, y, mask=mask, reduction="sum", **SMALL)
    assert total.item() == pytest.approx(expected.sum().item(), abs=4 * tolerance)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_halved_in_float32(dtype: torch.dtype) -> None:
    x, y = noisy_pair(1, 2, 40, 41, dtype=dtype)
    value = ms_ssim(x, y, **SMALL)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(exact(x, y).mean().item(), abs=2e-6)


# 3 Gradients


@pytest.mark.parametrize("normalize", ["relu", "simple", None])
@pytest.mark.parametrize("masked", [False, True])
def test_gradcheck(normalize: str | None, masked: bool) -> None:
    x, y = (image.requires_grad_() for image in noisy_pair(1, 2, 10, 11, dtype=torch.float64))
    mask = torch.ones(1, 1, 10, 11, dtype=torch.bool)
    mask[..., 7:, :4] = False
    options: dict[str, Any] = {"window_size": 5, "weights": (0.4, 0.6), "normalize": normalize}
    options["mask"] = mask if masked else None
    assert torch.autograd.gradcheck(lambda a, b: ms_ssim(a, b, **options), (x, y), fast_mode=True)


def test_gradient_agrees_with_float64() -> None:
    def gradients(dtype: torch.dtype) -> tuple[Tensor, ...]:
        x, y = (image.requires_grad_() for image in noisy_pair(2, 3, 37, 42, dtype=torch.float32))
        return torch.autograd.grad(ms_ssim(x.to(dtype), y.to(dtype), **SMALL), (x, y))

    for ours, expected in zip(gradients(torch.float32), gradients(torch.float64), strict=True):
        assert (ours - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize(("normalize", "alive"), [("relu", False), ("simple", True)])
def test_an_image_against_its_inverse(normalize: str, alive: bool) -> None:
    """pytorch-msssim's gradient is NaN here: the derivative of a power below 1 at 0."""
    x = torch.rand(1, 1, 20, 21, requires_grad=True)
    value = ms_ssim(x, 1 - x.detach(), normalize=normalize, **SMALL)
    value.backward()
    assert value.isfinite()
    assert x.grad.isfinite().all()
    assert bool(x.grad.abs().max() > 0) is alive


def test_eps_bounds_the_factors() -> None:
    x = torch.rand(1, 1, 20, 21)
    assert ms_ssim(x, 1 - x, eps=0.01, **SMALL).item() == pytest.approx(0.01, rel=0.5)


def test_untouched_negative_factor_is_nan() -> None:
    x = torch.rand(1, 1, 20, 21)
    assert ms_ssim(x, 1 - x, normalize=None, **SMALL).isnan()


# 4 Awkward inputs


@pytest.mark.parametrize("normalize", ["relu", "simple"])
def test_nan_is_not_hidden(normalize: str) -> None:
    x, y = noisy_pair(2, 1, 20, 20)
    x[0, 0, 10, 10] = torch.nan
    planes = ms_ssim(x, y, reduction="none", normalize=normalize, **SMALL)
    assert planes[0].isnan()
    assert planes[1].isfinite()


def test_nan_under_the_mask_is_harmless() -> None:
    x, y = noisy_pair(1, 2, 41, 40)
    mask = torch.ones(1, 1, 41, 40, dtype=torch.bool)
    mask[..., :10, 5:25] = False
    spoilt = x.masked_fill(~mask, torch.nan).requires_grad_()
    value = ms_ssim(spoilt, y, mask=mask, **SMALL)
    value.backward()
    assert value.item() == ms_ssim(x, y, mask=mask, **SMALL).item()
    assert spoilt.grad.isfinite().all()
    assert spoilt.grad.masked_select(~mask).abs().max() == 0


def test_all_true_mask_equals_none() -> None:
    x, y = noisy_pair(1, 2, 41, 40)
    mask = torch.ones(41, 40, dtype=torch.bool)
    assert ms_ssim(x, y, mask=mask, **SMALL).item() == pytest.approx(ms_ssim(x, y, **SMALL).item(), abs=1e-6)


def test_a_level_without_counted_points_is_one() -> None:
    """Each 2 x 2 block misses a pixel: only the first level counts."""
    x, y = noisy_pair(1, 1, 40, 40, dtype=torch.float64)
    mask = torch.ones(40, 40, dtype=torch.bool)
    mask[::2, ::2] = False
    window = Window(5, contrast=True)
    first = twin.ssim_map(x, y, mask[None, None], window).sum() / twin.counted(mask, window).sum()
    assert ms_ssim(x, y, mask=mask, **SMALL).item() == pytest.approx(first.item() ** 0.3, abs=1e-12)


def test_halved_mask_pads_as_valid() -> None:
    mask = torch.tensor([[True, True, True], [True, True, False], [True, True, True]])[None, None]
    assert twin.halved_mask(mask)[0, 0].tolist() == [[True, True], [True, False]]


def test_empty_batch() -> None:
    x = torch.empty(0, 3, 161, 161, requires_grad=True)
    value = ms_ssim(x, x)
    value.backward()
    assert value.item() == 1
    assert ms_ssim(x, x, reduction="sum").item() == 0
    assert ms_ssim(x, x, reduction="none").shape == (0, 3)


def test_usual_weights_sum_to_one() -> None:
    assert sum(MS_SSIM_WEIGHTS) == pytest.approx(1, abs=2e-4)
