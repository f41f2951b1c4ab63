"""The levels of MS-SSIM: halved images, and the gradient that comes back from them."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import _ssim_ops, ms_ssim
from nirtrans.kernels.reference import ssim as twin
from nirtrans.kernels.reference.ssim import Window
from tests.kernels.conftest import compiled_only
from tests.kernels.ssim_pairs import noisy_pair

SMALL: dict[str, Any] = {"window_size": 3, "weights": (0.3, 0.3, 0.4)}
WINDOW = Window(3, contrast=True)
SIZES = [(8, 10), (9, 10), (8, 11), (9, 11), (3, 3), (7, 70)]


def gradients(function: Any, *images: Tensor) -> tuple[Tensor, ...]:
    leaves = [image.detach().clone(memory_format=torch.preserve_format).requires_grad_() for image in images]
    return torch.autograd.grad(function(*leaves), leaves)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_halves_are_those_of_average_pooling(
    height: int, width: int, dtype: torch.dtype, memory_format: torch.memory_format
) -> None:
    x, y = (image.to(memory_format=memory_format) for image in noisy_pair(2, 3, height, width, dtype=dtype))
    _, *halves = _ssim_ops.level(x, y, None, WINDOW)
    for half, image in zip(halves, (x, y), strict=True):
        assert torch.equal(half, twin.halved(image))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_halved_gradient_is_that_of_average_pooling(height: int, width: int) -> None:
    coarse = torch.rand(1, 2, (height + 1) // 2, (width + 1) // 2)
    (expected,) = gradients(lambda x: (twin.halved(x) * coarse).sum(), torch.rand(1, 2, height, width))
    assert torch.equal(twin.halved_gradient(coarse, height, width), expected)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_gradcheck(height: int, width: int) -> None:
    x, y = (image.requires_grad_() for image in noisy_pair(2, 2, height, width, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda a, b: _ssim_ops.level(a, b, None, WINDOW), (x, y), fast_mode=True)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-5), (torch.bfloat16, 1e-2), (torch.float16, 2e-3)])
def test_gradient_agrees_with_float64(dtype: torch.dtype, tolerance: float, memory_format: torch.memory_format) -> None:
    x, y = (image.to(memory_format=memory_format) for image in noisy_pair(2, 3, 23, 30, dtype=dtype))
    exact = gradients(lambda a, b: ms_ssim(a, b, **SMALL), x.double(), y.double())
    for ours, expected in zip(gradients(lambda a, b: ms_ssim(a, b, **SMALL), x, y), exact, strict=True):
        assert ours.dtype == dtype
        assert (ours.double() - expected).abs().max() <= tolerance * expected.abs().max()


def test_a_graph_can_be_gone_through_again() -> None:
    x, y = (image.requires_grad_() for image in noisy_pair(1, 2, 13, 14))
    value = ms_ssim(x, y, **SMALL)
    first = torch.autograd.grad(value, (x, y), retain_graph=True)
    kept = [grad.clone() for grad in first]
    second = torch.autograd.grad(2 * value, (x, y))
    for grad, before, again in zip(first, kept, second, strict=True):
        assert torch.equal(grad, before)
        torch.testing.assert_close(again, 2 * before)


def test_a_traced_graph_gives_the_same_gradient() -> None:
    x, y = noisy_pair(1, 2, 13, 14)
    traced = torch.compile(lambda a, b: ms_ssim(a, b, **SMALL), backend="aot_eager", fullgraph=True)
    for ours, expected in zip(
        gradients(traced, x, y), gradients(lambda a, b: ms_ssim(a, b, **SMALL), x, y), strict=True
    ):
        torch.testing.assert_close(ours, expected)


def test_an_image_without_gradient_stays_so_on_every_level() -> None:
    x, y = noisy_pair(1, 1, 8, 8)
    _, half_x, half_y = _ssim_ops.level(x.requires_grad_(), y, None, WINDOW)
    assert half_x.requires_grad
    assert not half_y.requires_grad


@compiled_only
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opcheck(dtype: torch.dtype) -> None:
    x, y = (image.requires_grad_() for image in noisy_pair(2, 2, 7, 8, dtype=dtype))
    options = (5, 1.5, 1e-4, 9e-4, 0, True, 1.0, 0.0, True, True, True)
    # Tracing is tested above: the backward pass writes over the gradients that the operator returns, only when eager.
    kept = ("test_schema", "test_autograd_registration", "test_faketensor")
    opcheck(torch.ops.nirtrans.ssim_planes.default, (x, y, None, *options), test_utils=kept)
    factors, coarse = torch.rand(2, 2, dtype=dtype), torch.rand(2, 2, 4, 4, dtype=dtype)
    opcheck(torch.ops.nirtrans.add_halved_gradient_.default, (x.detach().clone(), factors, coarse))


@compiled_only
def test_misuse_of_the_operator_is_refused() -> None:
    gradient, factors, coarse = torch.rand(1, 2, 7, 8), torch.rand(1, 2), torch.rand(1, 2, 4, 4)
    add = torch.ops.nirtrans.add_halved_gradient_
    for wrong in ((gradient, factors, coarse[..., :3]), (gradient, factors[0], coarse), (gradient[0], factors, coarse)):
        with pytest.raises(RuntimeError, match="add_halved_gradient_: expected"):
            add(*wrong)
