"""The operators under SSIM: sums per plane with the gradient from the same sweep, levels of MS-SSIM, and the map."""

from typing import Any

import torch
from torch import Tensor
from torch.library import register_autograd, register_fake

from nirtrans.arguments import PADDINGS
from nirtrans.kernels import _library
from nirtrans.kernels.reference import ssim as reference
from nirtrans.kernels.reference.ssim import Window


def plane_sums(
    x: Tensor, y: Tensor, mask: Tensor | None, window: Window, *, weight: float = 1.0, l1_weight: float = 0.0
) -> Tensor:
    """Return weight * sum of s (or cs) + l1_weight * sum of |x - y| per plane, (N, C) float64, differentiable.

    Args:
        x: Images (N, C, H, W), checked.
        y: As x, in the same dtype.
        mask: Contiguous bool (N, 1, H, W) or None.
        window: Size, padding and constants.
        weight: Of SSIM, part of the gradient that the sweep makes.
        l1_weight: Of the absolute difference.
    """
    if not _library.compiled_for(x.device):
        return reference.plane_sums(x, y, mask, window, weight=weight, l1_weight=l1_weight)
    needs = (_needs_gradient(x), _needs_gradient(y))
    return torch.ops.nirtrans.ssim_planes(x, y, mask, *_numbers(window), weight, l1_weight, *needs, False)[0]


def level(x: Tensor, y: Tensor, mask: Tensor | None, window: Window) -> tuple[Tensor, Tensor, Tensor]:
    """Return `plane_sums`, and x and y at half their size in float32 or float64, all differentiable.

    The backward pass goes over a level once: it scales the gradient of the sums and adds that of the coarser level.
    """
    if not _library.compiled_for(x.device):
        sums = reference.plane_sums(x, y, mask, window, weight=1.0, l1_weight=0.0)
        return sums, reference.halved(x), reference.halved(y)
    needs = (_needs_gradient(x), _needs_gradient(y))
    made = torch.ops.nirtrans.ssim_planes(x, y, mask, *_numbers(window), 1.0, 0.0, *needs, True)
    halves = (half if needed else half.detach() for half, needed in zip(made[3:], needs, strict=True))
    return made[0], *halves


def ssim_map(x: Tensor, y: Tensor, mask: Tensor | None, window: Window) -> Tensor:
    """Return the map, (N, C, Ho, Wo) float32 or float64, differentiable by computing it again."""
    if not _library.compiled_for(x.device):
        return reference.ssim_map(x, y, mask, window)
    return torch.ops.nirtrans.ssim_map(x, y, mask, *_numbers(window))


def map_size(height: int, width: int, window: Window) -> tuple[int, int]:
    """Return height and width of the map."""
    margin = window.size - 1 if window.padding == "valid" else 0
    return height - margin, width - margin


def _needs_gradient(image: Tensor) -> bool:
    return image.requires_grad and torch.is_grad_enabled()


def _numbers(window: Window) -> tuple[Any, ...]:
    return window.size, window.sigma, window.c1, window.c2, PADDINGS.index(window.padding), window.contrast


def _gradient_like(image: Tensor, needed: bool) -> Tensor:
    readable = image.is_contiguous() or _library_reads(image)
    return torch.empty_like(image if readable else image.contiguous()) if needed else image.new_empty(0)


def _library_reads(image: Tensor) -> bool:
    return image.is_contiguous(memory_format=torch.channels_last)


def _fake_planes(x: Tensor, y: Tensor, mask: Tensor | None, *options: Any) -> tuple[Tensor, ...]:
    *_, need_x, need_y, halve = options
    planes = x.new_empty(x.shape[:2], dtype=torch.float64)
    coarse = (*x.shape[:2], *((side + 1) // 2 for side in x.shape[2:])) if halve else (0,)
    halves = [x.new_empty(coarse, dtype=_real(x)) for _ in range(2)]
    return planes, _gradient_like(x, need_x), _gradient_like(x, need_y), *halves


def _real(image: Tensor) -> torch.dtype:
    return torch.float64 if image.dtype == torch.float64 else torch.float32


def _save_gradients(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, y, mask, *ctx.options = inputs
    ctx.made = output[1:3]
    ctx.save_for_backward(x, y, mask)
    halve = ctx.options[-1]
    ctx.mark_non_differentiable(*output[1:3] if halve else output[1:])


def _scale_gradients(ctx: Any, upstream: Tensor, *others: Tensor) -> tuple[Tensor | None, ...]:
    x, y, mask = ctx.saved_tensors
    # The first backward pass takes the gradients along and scales them in place; another one has to make them again.
    made, ctx.made = ctx.made, None
    if made is None:
        with torch.no_grad():
            made = torch.ops.nirtrans.ssim_planes(x, y, mask, *ctx.options[:-1], False)[1:3]
    *_, need_x, need_y, halve = ctx.options
    coarse = others[-2:] if halve else (None, None)
    grads = [
        _scaled(grad, upstream, half) if needed else None
        for grad, half, needed in zip(made, coarse, (need_x, need_y), strict=True)
    ]
    if torch.is_grad_enabled():  # as with create_graph=True
        grads = [None if grad is None else _DifferentiableOnce.apply(grad, x, y) for grad in grads]
    return (*grads, *[None] * 12)


class _DifferentiableOnce(torch.autograd.Function):
    """Tie a gradient to the images on which it depends, so that differentiating it raises instead of giving zeros."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return grad.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None]:
        return _refuse(ctx, *grads)


def _scaled(grad: Tensor, upstream: Tensor, coarse: Tensor | None) -> Tensor:
    """Multiply each plane by its factor, in float32 or better, and add the gradient of the coarser level.

    Without one the gradient of a plain mean needs nothing more.

    Looking at the factor is free on the CPU and would wait for any other device. A graph that is being traced, where
    tensors are of a subclass, must not change what it has returned.
    """
    factors = upstream.to(_real(grad)).contiguous()
    factor = factors[:, :, None, None]
    if type(grad) is not Tensor:
        scaled = grad * factor
        return (scaled if coarse is None else scaled + reference.halved_gradient(coarse, *grad.shape[2:])).to(
            grad.dtype
        )
    if coarse is not None:
        torch.ops.nirtrans.add_halved_gradient_(grad, factors, coarse.contiguous())
        return grad
    if upstream.device.type == "cpu" and bool((upstream == 1).all()):
        return grad
    return grad.mul_(factor)


def _fake_map(x: Tensor, y: Tensor, mask: Tensor | None, *options: Any) -> Tensor:
    size, _, _, _, padding, _ = options
    height, width = map_size(x.shape[2], x.shape[3], Window(size, padding=PADDINGS[padding]))
    return x.new_empty((x.shape[0], x.shape[1], height, width), dtype=_real(x))


def _fake_map_backward(grad: Tensor, x: Tensor, y: Tensor, mask: Tensor | None, *options: Any) -> tuple[Tensor, Tensor]:
    *_, need_x, need_y = options
    return _gradient_like(x, need_x), _gradient_like(x, need_y)


def _save_images(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, y, mask, *ctx.options = inputs
    ctx.save_for_backward(x, y, mask)


def _map_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, y, mask = ctx.saved_tensors
    needs = ctx.needs_input_grad[:2]
    grads = torch.ops.nirtrans.ssim_map_backward(grad, x, y, mask, *ctx.options, *needs)
    return (*[made if needed else None for made, needed in zip(grads, needs, strict=True)], *[None] * 7)


def _refuse(ctx: Any, *grads: Tensor) -> Any:
    raise RuntimeError(
        "ssim: the compiled kernel has no second derivative; use nirtrans.kernels.reference.ssim instead"
    )


if _library.REASON is None:
    register_fake("nirtrans::ssim_planes", _fake_planes)
    register_autograd("nirtrans::ssim_planes", _scale_gradients, setup_context=_save_gradients)
    register_fake("nirtrans::add_halved_gradient_", lambda gradient, factors, coarse: None)
    register_fake("nirtrans::ssim_map", _fake_map)
    register_autograd("nirtrans::ssim_map", _map_backward, setup_context=_save_images)
    register_fake("nirtrans::ssim_map_backward", _fake_map_backward)
    register_autograd("nirtrans::ssim_map_backward", _refuse)
