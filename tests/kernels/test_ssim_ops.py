"""The two operators under SSIM: registration, gradients, accuracy, and independence of threads and layouts."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import _ssim_ops
from nirtrans.kernels.reference import ssim as twin
from nirtrans.kernels.reference.ssim import Window
from tests.kernels.conftest import compiled_only

PADDINGS = ("valid", "reflect", "zero")


def pair(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(shape, generator=generator, dtype=torch.float64)
    y = (x + 0.1 * torch.randn(shape, generator=generator, dtype=torch.float64)).clamp(0, 1)
    return x.to(dtype), y.to(dtype)


def some_mask(count: int, height: int, width: int) -> Tensor:
    return torch.rand(count, 1, height, width, generator=torch.Generator().manual_seed(7)) > 0.3


def gradients(x: Tensor, y: Tensor, mask: Tensor | None, window: Window, **weights: float) -> tuple[Tensor, ...]:
    """Sums and gradients, with an upstream that differs from plane to plane."""
    x, y = x.clone().requires_grad_(), y.clone().requires_grad_()
    sums = _ssim_ops.plane_sums(x, y, mask, window, **weights)
    upstream = torch.arange(1.0, 1 + sums.numel(), dtype=torch.float64).reshape(sums.shape)
    return (sums.detach(), *torch.autograd.grad((sums * upstream).sum(), (x, y)))


@pytest.fixture
def restored_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@compiled_only
@pytest.mark.parametrize("padding", range(3))
@pytest.mark.parametrize("masked", [False, True])
def test_opcheck(padding: int, masked: bool) -> None:
    x, y = pair(2, 2, 7, 8)
    mask = some_mask(2, 7, 8) if masked else None
    options = (5, 1.5, 1e-4, 9e-4, padding, False)
    x, y = x.requires_grad_(), y.requires_grad_()
    opcheck(torch.ops.nirtrans.ssim_planes.default, (x, y, mask, *options, 0.5, 0.25, True, True, False))
    opcheck(torch.ops.nirtrans.ssim_map.default, (x, y, mask, *options))
    grad = torch.ones_like(_ssim_ops.ssim_map(x, y, mask, Window(5, padding=PADDINGS[padding]))).detach()
    opcheck(torch.ops.nirtrans.ssim_map_backward.default, (grad, x.detach(), y.detach(), mask, *options, True, False))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("contrast", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_gradcheck(padding: str, contrast: bool, masked: bool) -> None:
    x, y = pair(1, 2, 7, 9, dtype=torch.float64)
    x, y = x.requires_grad_(), y.requires_grad_()
    mask = some_mask(1, 7, 9) if masked else None
    window = Window(5, padding=padding, contrast=contrast)
    assert torch.autograd.gradcheck(
        lambda a, b: _ssim_ops.plane_sums(a, b, mask, window, weight=0.7, l1_weight=0.3), (x, y), fast_mode=True
    )
    assert torch.autograd.gradcheck(lambda a, b: _ssim_ops.ssim_map(a, b, mask, window), (x, y), fast_mode=True)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("size", [3, 11, 33])
@pytest.mark.parametrize("masked", [False, True])
def test_agrees_with_the_reference(padding: str, size: int, masked: bool) -> None:
    x, y = pair(2, 3, 37, 41, dtype=torch.float64)
    mask = some_mask(2, 37, 41) if masked else None
    window = Window(size, sigma=0.3 * size / 2, padding=padding)
    weights = {"weight": 0.5, "l1_weight": 0.25}
    a, b = x.clone().requires_grad_(), y.clone().requires_grad_()
    expected = twin.plane_sums(a, b, mask, window, **weights)
    upstream = torch.arange(1.0, 7.0, dtype=torch.float64).reshape(2, 3)
    exact = (expected.detach(), *torch.autograd.grad((expected * upstream).sum(), (a, b)))
    for result, reference in zip(gradients(x, y, mask, window, **weights), exact, strict=True):
        torch.testing.assert_close(result, reference, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(
        _ssim_ops.ssim_map(x, y, mask, window), twin.ssim_map(x, y, mask, window), rtol=1e-10, atol=1e-10
    )


def test_tiles_meet_without_a_seam() -> None:
    # Wider and higher than one tile of the CPU kernel, by less than a window.
    x, y = pair(1, 1, 261, 1030, dtype=torch.float64)
    for padding in PADDINGS:
        window = Window(padding=padding)
        a = x.clone().requires_grad_()
        exact = torch.autograd.grad(twin.ssim_map(a, y, None, window).sum(), a)[0]
        sums, grad_x, _ = gradients(x, y, None, window)
        torch.testing.assert_close(grad_x, exact, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(sums.sum(), twin.ssim_map(x, y, None, window).sum(), rtol=1e-12, atol=0)


def test_meets_the_accuracy_gates() -> None:
    x, y = pair(8, 3, 256, 256)
    window = Window()
    a = x.double().requires_grad_()
    exact = twin.plane_sums(a, y.double(), None, window, weight=1.0, l1_weight=0.0)
    expected = torch.autograd.grad(exact.sum(), a)[0]
    a = x.clone().requires_grad_()
    sums = _ssim_ops.plane_sums(a, y, None, window)
    grad = torch.autograd.grad(sums.sum(), a)[0]
    assert (sums.sum() - exact.sum()).abs() / (8 * 3 * 246 * 246) <= 1e-6
    assert (grad - expected).abs().max() <= 4e-6 * expected.abs().max()


@compiled_only
@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("masked", [False, True])
def test_threads_change_no_bit(masked: bool) -> None:
    x, y = pair(2, 2, 300, 40)
    mask = some_mask(2, 300, 40) if masked else None
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        results.append(gradients(x, y, mask, Window(), weight=0.5, l1_weight=0.25))
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_computes_in_float32(dtype: torch.dtype) -> None:
    x, y = pair(1, 2, 20, 21, dtype=dtype)
    sums, grad_x, grad_y = gradients(x, y, None, Window())
    exact = gradients(x.double(), y.double(), None, Window())
    assert grad_x.dtype == grad_y.dtype == dtype
    torch.testing.assert_close(sums, exact[0], rtol=1e-5, atol=0)
    step = torch.finfo(dtype).eps
    for grad, expected in ((grad_x, exact[1]), (grad_y, exact[2])):
        # Rounded when stored, and once more when scaled.
        torch.testing.assert_close(grad.double(), expected, rtol=1.1 * step, atol=1e-3 * step)


def test_layouts_agree() -> None:
    x, y = pair(2, 3, 18, 19)
    expected = gradients(x, y, None, Window())
    wide = torch.cat([x, x], dim=3)[..., :19]
    for a in (x.contiguous(memory_format=torch.channels_last), wide):
        for b in (y, y.contiguous(memory_format=torch.channels_last)):
            for result, wanted in zip(gradients(a, b, None, Window()), expected, strict=True):
                torch.testing.assert_close(result, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("upstream", [1.0, 0.0, -2.5])
def test_second_backward_through_a_retained_graph(upstream: float) -> None:
    x, y = pair(1, 2, 13, 14)
    x.requires_grad_()
    total = upstream * _ssim_ops.plane_sums(x, y, None, Window()).sum()
    total.backward(retain_graph=True)
    once = x.grad.clone()
    total.backward()
    torch.testing.assert_close(x.grad, 2 * once)


def test_one_input_without_gradient() -> None:
    x, y = pair(1, 1, 13, 14)
    both = gradients(x, y, None, Window())
    for wanted, (a, b) in ((both[1], (x.clone().requires_grad_(), y)), (both[2], (x, y.clone().requires_grad_()))):
        sums = _ssim_ops.plane_sums(a, b, None, Window())
        assert torch.equal(sums, both[0])
        assert torch.equal(torch.autograd.grad(sums.sum(), a if a.requires_grad else b)[0], wanted)


@compiled_only
@pytest.mark.parametrize("part", ["sums", "map"])
def test_second_derivative_names_the_reference(part: str) -> None:
    x, y = pair(1, 1, 13, 14)
    x.requires_grad_()
    operator = _ssim_ops.plane_sums if part == "sums" else _ssim_ops.ssim_map
    grad = torch.autograd.grad(operator(x, y, None, Window()).sum(), x, create_graph=True)[0]
    with pytest.raises(RuntimeError, match="reference"):
        grad.square().sum().backward()


def test_nan_stays_in_its_windows_and_out_under_a_mask() -> None:
    x, y = pair(1, 1, 20, 24)
    clean = _ssim_ops.ssim_map(x, y, None, Window(5, padding="zero"))
    spoiled = x.clone()
    spoiled[0, 0, 10, 12] = torch.nan
    result = _ssim_ops.ssim_map(spoiled, y, None, Window(5, padding="zero"))
    touched = torch.zeros_like(result, dtype=torch.bool)
    touched[..., 8:13, 10:15] = True
    assert result[touched].isnan().all()
    torch.testing.assert_close(result[~touched], clean[~touched])
    mask = torch.ones(1, 1, 20, 24, dtype=torch.bool)
    mask[0, 0, 10, 12] = False
    masked = gradients(spoiled, y, mask, Window(5))
    assert all(torch.equal(a, b) for a, b in zip(masked, gradients(x, y, mask, Window(5)), strict=True))
    assert masked[1][0, 0, 10, 12] == masked[2][0, 0, 10, 12] == 0


def test_equal_images_are_exactly_similar() -> None:
    x = pair(1, 2, 30, 31)[0]
    sums, grad_x, grad_y = gradients(x, x, None, Window())
    assert torch.allclose(sums / (20 * 21), torch.ones_like(sums), rtol=0, atol=1e-7)
    assert grad_x.abs().max() < 1e-4
    assert grad_y.abs().max() < 1e-4


@compiled_only
@pytest.mark.slow
def test_more_than_2_to_the_31_elements() -> None:
    # Untouched zeros take no memory; only the last plane is written to.
    count = 2**31 // (64 * 64) + 1
    x, y = (torch.zeros(count, 1, 64, 64, dtype=torch.float16) for _ in range(2))
    x[-1:], y[-1:] = pair(1, 1, 64, 64, dtype=torch.float16)
    sums = _ssim_ops.plane_sums(x, y, None, Window(3))
    assert (sums[:-1] == 62 * 62).all()
    assert torch.equal(sums[-1:], _ssim_ops.plane_sums(x[-1:], y[-1:], None, Window(3)))
