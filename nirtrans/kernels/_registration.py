"""Tell torch what it needs to know about a compiled operator: its fake kernel and its derivative."""

from typing import Any

import torch
from torch import Tensor
from torch.library import register_autograd, register_fake

from nirtrans.kernels.reference import is_interleaved


def register_conversion(name: str) -> None:
    """Register `nirtrans::name(image, *options)`, whose derivative is `nirtrans::name_backward(grad, image, *options)`.

    The derivative refuses to be differentiated.
    """
    backward_name = f"{name}_backward"
    backward_op = getattr(torch.ops.nirtrans, backward_name)

    def save_inputs(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        image, *ctx.options = inputs
        ctx.save_for_backward(image)

    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (image,) = ctx.saved_tensors
        return (backward_op(grad, image, *ctx.options), *[None] * len(ctx.options))

    register_fake(f"nirtrans::{name}", empty_like_readable)
    register_fake(f"nirtrans::{backward_name}", lambda grad, image, *options: empty_like_readable(image))
    register_autograd(f"nirtrans::{name}", backward, setup_context=save_inputs)
    refuse_second_derivative(name)


def refuse_second_derivative(name: str) -> None:
    """Let `nirtrans::name_backward` raise when it is differentiated: without that torch warns and returns zeros."""

    def refuse(ctx: Any, grad: Tensor) -> None:
        raise RuntimeError(
            f"{name}: the compiled kernel has no second derivative; use nirtrans.kernels.reference.{name} instead"
        )

    register_autograd(f"nirtrans::{name}_backward", refuse)


def empty_like_readable(image: Tensor, *options: object) -> Tensor:
    """Allocate as the kernels do: in the layout of the image if they read it in place, else contiguous."""
    readable = image.is_contiguous() or is_interleaved(image)
    return torch.empty_like(image if readable else image.contiguous())
