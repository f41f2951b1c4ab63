"""The two operators under SSIM: sums per plane with the gradient from the same sweep, and the map."""

from typing import Any

import torch
from torch import Tensor

from nirtrans.kernels import _library
from nirtrans.kernels.reference import ssim as reference
from nirtrans.kernels.reference.ssim import Window

PADDINGS = ("valid", "reflect", "zero")


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
    need_x, need_y = (image.requires_grad and torch.is_grad_enabled() for image in (x, y))
    return torch.ops.nirtrans.ssim_planes(x, y, mask, *_numbers(window), weight, l1_weight, need_x, need_y)[0]


def ssim_map(x: Tensor, y: Tensor, mask: Tensor | None, window: Window) -> Tensor:
    """Return the map, (N, C, Ho, Wo) float32 or float64, differentiable by computing it again."""
    if not _library.compiled_for(x.device):
        return reference.ssim_map(x, y, mask, window)
    return torch.ops.nirtrans.ssim_map(x, y, mask, *_numbers(window))


def map_size(height: int, width: int, window: Window) -> tuple[int, int]:
    """Return height and width of the map."""
    margin = window.size - 1 if window.padding == "valid" else 0
    return height - margin, width - margin


def _numbers(window: Window) -> tuple[Any, ...]:
    return window.size, window.sigma, window.c1, window.c2, PADDINGS.index(window.padding), window.contrast


def _gradient_like(image: Tensor, needed: bool) -> Tensor:
    readable = image.is_contiguous() or _library_reads(image)
    return torch.empty_like(image if readable else image.contiguous()) if needed else image.new_empty(0)


def _library_reads(image: Tensor) -> bool:
    return image.is_contiguous(memory_format=torch.channels_last)


def _fake_planes(x: Tensor, y: Tensor, mask: Tensor | None, *options: Any) -> tuple[Tensor, Tensor, Tensor]:
    *_, need_x, need_y = options
    planes = x.new_empty(x.shape[:2], dtype=torch.float64)
    return planes, _gradient_like(x, need_x), _gradient_like(x, need_y)


def _save_gradients(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, y, mask, *ctx.options = inputs
    ctx.made = output[1:]
    ctx.save_for_backward(x, y, mask)
    ctx.mark_non_differentiable(*output[1:])


def _scale_gradients(ctx: Any, upstream: Tensor, *unused: Tensor) -> tuple[Tensor | None, ...]:
    x, y, mask = ctx.saved_tensors
    # The first backward pass takes the gradients along and scales them in place; another one has to make them again.
    made, ctx.made = ctx.made, None
    if made is None:
        with torch.no_grad():
            made = torch.ops.nirtrans.ssim_planes(x, y, mask, *ctx.options)[1:]
    needs = ctx.options[-2:]
    grads = [_scaled(grad, upstream) if needed else None for grad, needed in zip(made, needs, strict=True)]
    if torch.is_grad_enabled():  # as with create_graph=True
        grads = [None if grad is None else _DifferentiableOnce.apply(grad, x, y) for grad in grads]
    return (*grads, *[None] * 11)


class _DifferentiableOnce(torch.autograd.Function):
    """Tie a gradient to the images on which it depends, so that differentiating it raises instead of giving zeros."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return grad.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None]:
        return _refuse(ctx, *grads)


def _scaled(grad: Tensor, upstream: Tensor) -> Tensor:
    """Multiply each plane by its factor, in float32 or better; the gradient of a plain mean needs nothing more.

    Looking at the factor is free on the CPU and would wait for any other device. A graph that is being traced, where
    tensors are of a subclass, must not change what it has returned.
    """
    factor = (upstream if grad.dtype == torch.float64 else upstream.float())[:, :, None, None]
    if type(grad) is not Tensor:
        return (grad * factor).to(grad.dtype)
    if upstream.device.type == "cpu" and bool((upstream == 1).all()):
        return grad
    return grad.mul_(factor)


def _fake_map(x: Tensor, y: Tensor, mask: Tensor | None, *options: Any) -> Tensor:
    size, _, _, _, padding, _ = options
    real = torch.float64 if x.dtype == torch.float64 else torch.float32
    height, width = map_size(x.shape[2], x.shape[3], Window(size, padding=PADDINGS[padding]))
    return x.new_empty((x.shape[0], x.shape[1], height, width), dtype=real)


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
    torch.library.register_fake("nirtrans::ssim_planes", _fake_planes)
    torch.library.register_autograd("nirtrans::ssim_planes", _scale_gradients, setup_context=_save_gradients)
    torch.library.register_fake("nirtrans::ssim_map", _fake_map)
    torch.library.register_autograd("nirtrans::ssim_map", _map_backward, setup_context=_save_images)
    torch.library.register_fake("nirtrans::ssim_map_backward", _fake_map_backward)
    torch.library.register_autograd("nirtrans::ssim_map_backward", _refuse)
