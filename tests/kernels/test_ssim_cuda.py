"""SSIM on a real device; under NIRTRANS_REQUIRE_CUDA=1 a missing device is a failure, not a skip."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import _ssim_ops, ms_ssim, ssim
from nirtrans.kernels.reference import ssim as twin
from nirtrans.kernels.reference.ssim import Window

pytestmark = pytest.mark.cuda
PADDINGS = ("valid", "reflect", "zero")
STEP = {torch.float64: 1e-10, torch.float32: 4e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}


def pair(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(shape, generator=generator, dtype=torch.float64)
    y = (x + 0.1 * torch.randn(shape, generator=generator, dtype=torch.float64)).clamp(0, 1)
    return x.to(dtype).cuda(), y.to(dtype).cuda()


def results(
    operator: Callable[..., Tensor], x: Tensor, y: Tensor, mask: Tensor | None, window: Window
) -> tuple[Tensor, ...]:
    x, y = x.detach().clone().requires_grad_(), y.detach().clone().requires_grad_()
    sums = operator(x, y, mask, window, weight=0.75, l1_weight=0.25)
    return (sums.detach(), *torch.autograd.grad(sums.sum(), (x, y)))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("size", [3, 11, 33])
@pytest.mark.parametrize("masked", [False, True])
def test_agrees_with_the_reference(padding: str, size: int, masked: bool) -> None:
    x, y = pair(2, 3, 150, 261, dtype=torch.float64)
    mask = torch.rand(2, 1, 150, 261, device="cuda") > 0.3 if masked else None
    window = Window(size, sigma=0.15 * size, padding=padding)
    expected = results(twin.plane_sums, x, y, mask, window)
    for result, wanted in zip(results(_ssim_ops.plane_sums, x, y, mask, window), expected, strict=True):
        torch.testing.assert_close(result, wanted, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(_ssim_ops.ssim_map(x, y, mask, window), twin.ssim_map(x, y, mask, window))


@pytest.mark.parametrize("dtype", list(STEP))
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_all_dtypes_meet_the_gates(dtype: torch.dtype, memory_format: torch.memory_format) -> None:
    x, y = (image.contiguous(memory_format=memory_format) for image in pair(2, 3, 256, 256, dtype=dtype))
    sums, *grads = results(_ssim_ops.plane_sums, x, y, None, Window())
    exact, *expected = results(twin.plane_sums, x.double(), y.double(), None, Window())
    assert ((sums - exact).abs() / 246**2).max() <= 1e-6
    for grad, wanted in zip(grads, expected, strict=True):
        assert grad.dtype == dtype
        assert grad.is_contiguous(memory_format=memory_format)
        assert (grad.double() - wanted).abs().max() <= STEP[dtype] * wanted.abs().max()


@pytest.mark.parametrize("dtype", list(STEP))
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("height", "width"), [(176, 190), (177, 189)])
def test_levels_agree_with_the_cpu(
    dtype: torch.dtype, memory_format: torch.memory_format, height: int, width: int
) -> None:
    x, y = (image.contiguous(memory_format=memory_format) for image in pair(2, 3, height, width, dtype=dtype))
    for half, image in zip(_ssim_ops.level(x, y, None, Window())[1:], (x, y), strict=True):
        torch.testing.assert_close(half, twin.halved(image))
    leaves = [image.detach().requires_grad_() for image in (x, y)]
    exact = [image.double().cpu().detach().requires_grad_() for image in (x, y)]
    expected = torch.autograd.grad(ms_ssim(*exact), exact)
    for grad, wanted in zip(torch.autograd.grad(ms_ssim(*leaves), leaves), expected, strict=True):
        assert grad.is_contiguous(memory_format=memory_format)
        assert (grad.double().cpu() - wanted).abs().max() <= max(STEP[dtype], 1e-4) * wanted.abs().max()


def test_gradient_of_the_map_agrees_with_the_cpu() -> None:
    x, y = pair(1, 2, 40, 300)
    x.requires_grad_()
    upstream = torch.randn(1, 2, 30, 290)
    result = torch.autograd.grad(_ssim_ops.ssim_map(x, y, None, Window()), x, upstream.cuda())[0]
    on_cpu = x.detach().cpu().requires_grad_()
    expected = torch.autograd.grad(_ssim_ops.ssim_map(on_cpu, y.cpu(), None, Window()), on_cpu, upstream)[0]
    torch.testing.assert_close(result.cpu(), expected, rtol=0, atol=1e-5 * expected.abs().max().item())


def test_two_runs_give_the_same_bits() -> None:
    x, y = pair(4, 3, 300, 300)
    first, second = (results(_ssim_ops.plane_sums, x, y, None, Window()) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_opcheck() -> None:
    x, y = (image.requires_grad_() for image in pair(2, 2, 7, 8))
    options = (5, 1.5, 1e-4, 9e-4, 0, False)
    opcheck(torch.ops.nirtrans.ssim_planes.default, (x, y, None, *options, 0.5, 0.25, True, True, False))
    opcheck(torch.ops.nirtrans.ssim_map.default, (x, y, None, *options))


def test_does_not_wait_for_the_device() -> None:
    x, y = pair(2, 3, 64, 64)
    x.requires_grad_()
    torch.cuda.set_sync_debug_mode("error")
    try:
        ssim(x, y).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert x.grad is not None


def test_runs_on_the_current_stream() -> None:
    x, y = pair(8, 3, 256, 256)
    expected = ssim(x, y)
    stream = torch.cuda.Stream()
    copy = torch.empty_like(x)
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        # The copy waits behind this delay: a kernel on another stream would read before it.
        torch.cuda._sleep(50_000_000)
        copy.copy_(x)
        result = ssim(copy, y)
    stream.synchronize()
    assert torch.equal(result, expected)


def test_runs_on_the_tensors_device() -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("one device only")
    x, y = pair(1, 1, 30, 30)
    assert torch.equal(ssim(x.to("cuda:1"), y.to("cuda:1")).cpu(), ssim(x, y).cpu())


def test_many_tiny_planes_exceed_the_grid() -> None:
    x, y = pair(70_000, 1, 3, 4)
    sums = _ssim_ops.plane_sums(x, y, None, Window(3))
    assert torch.equal(sums[-1:], _ssim_ops.plane_sums(x[-1:].clone(), y[-1:].clone(), None, Window(3)))


@pytest.mark.slow
def test_more_than_2_to_the_31_elements() -> None:
    count = 2**31 // (64 * 64) + 1
    x, y = (torch.zeros(count, 1, 64, 64, dtype=torch.float16, device="cuda") for _ in range(2))
    x[-1:], y[-1:] = pair(1, 1, 64, 64, dtype=torch.float16)
    sums = _ssim_ops.plane_sums(x, y, None, Window(3))
    assert torch.equal(sums[-1:], _ssim_ops.plane_sums(x[-1:], y[-1:], None, Window(3)))
