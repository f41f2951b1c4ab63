"""Cross-entropy between logits over ab bins and softly encoded colours, fused with the encoding.

No target tensor is made. Unless the reduction is `none`, the gradient is made in the same sweep over the logits as the
loss, so that they are read once; the backward pass then only scales it.
"""

from typing import Any

import torch
from torch import Tensor
from torch.library import register_autograd, register_fake

from nirtrans.arguments import check_choice, check_numbers
from nirtrans.kernels import _library, reference
from nirtrans.kernels._checks import check_float, check_one_device, check_planes
from nirtrans.kernels._logits import check_logits, compute_dtype
from nirtrans.kernels._registration import empty_like_readable, refuse_second_derivative
from nirtrans.kernels.bins import check_encoding
from nirtrans.kernels.reference.cross_entropy import gray_images, loss_scale

OPERATOR = "soft_cross_entropy"
REDUCTIONS = ("mean", "sum", "none")


def soft_cross_entropy(
    logits: Tensor,
    ab: Tensor,
    *,
    bins: Tensor | None = None,
    class_weight: Tensor | None = None,
    neighbors: int = 5,
    sigma: float = 5.0,
    reduction: str = "mean",
    ignore_gray: float | None = None,
) -> Tensor:
    """Cross-entropy between logits over bins and the soft encoding of colours.

    With the bins i_k and weights w_k of `encode_ab`, and v the class weight of the nearest bin, the loss of a pixel is
    v (log sum_q exp z_q - sum_k w_k z_{i_k}). Only the logits receive a gradient.

    The mean divides by the number of counted pixels. The code published with the paper scales only the gradient by v
    and reports the unweighted loss; the gradient is the same. A well-known port divides by N alone and subtracts the
    entropy of the target. To mask pixels, multiply the result of reduction "none".

    Args:
        logits: (N, Q, H, W), contiguous or channels-last. float64 computes in float64, all other dtypes in float32.
        ab: Target colours in CIE units, (N, 2, H, W).
        bins: Any table (Q, 2) of finite floats, 1 <= Q <= 4096; None: the 313 of `ab_bins`.
        class_weight: Weight of each bin, (Q,), as from `class_weights`; None: all 1.
        neighbors: Bins in a target, 1 to Q. The paper says 5; the training code published with it runs 10.
        sigma: Width of the targets in units of ab.
        reduction: "mean", "sum" or "none".
        ignore_gray: Skip images with |a| and |b| <= this at all pixels: neither loss nor gradient nor count. The
            published threshold is 5.

    Returns:
        The loss, () or (N, H, W), float32 (float64 for float64 logits). 0 if no pixel counts.

    Raises:
        TypeError: If a tensor is not floating point.
        ValueError: If a shape or a number is out of range, or two tensors lie on different devices.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, equations 2 and 3.

    Example:
        >>> round(soft_cross_entropy(torch.zeros(1, 313, 2, 2), torch.zeros(1, 2, 2, 2)).item(), 4)  # log 313
        5.7462
    """
    table = check_encoding(OPERATOR, bins, neighbors, sigma)
    check_logits(OPERATOR, logits, table)
    _check_targets(logits, ab, class_weight)
    _check_options(reduction, ignore_gray)
    if not _library.compiled_for(logits.device):
        return reference.soft_cross_entropy(
            logits,
            ab,
            bins=table,
            class_weight=class_weight,
            neighbors=neighbors,
            sigma=sigma,
            reduction=reduction,
            ignore_gray=ignore_gray,
        )
    return _fused(logits, ab, table, class_weight, neighbors, sigma, reduction, ignore_gray)


def _fused(
    logits: Tensor,
    ab: Tensor,
    table: Tensor,
    class_weight: Tensor | None,
    neighbors: int,
    sigma: float,
    reduction: str,
    ignore_gray: float | None,
) -> Tensor:
    real = compute_dtype(logits)
    colors = ab.detach().to(real).contiguous()
    weight = None if class_weight is None else class_weight.detach().to(real).contiguous()
    skipped = gray_images(colors, ignore_gray)
    scale = loss_scale(colors, skipped, reduction)
    per_pixel = reduction == "none"
    with_gradient = logits.requires_grad and torch.is_grad_enabled() and not per_pixel
    loss, _ = torch.ops.nirtrans.soft_cross_entropy(
        logits, colors, table, weight, skipped, scale, neighbors, sigma, per_pixel, with_gradient
    )
    return loss


def _check_targets(logits: Tensor, ab: Tensor, class_weight: Tensor | None) -> None:
    check_float(ab, OPERATOR, "ab", "give a and b in CIE units, as rgb_to_lab returns them")
    check_planes(ab, OPERATOR, "ab", channels=2)
    if (ab.shape[0], *ab.shape[2:]) != (logits.shape[0], *logits.shape[2:]):
        raise ValueError(
            f"{OPERATOR}: expected ab with the batch and spatial size of logits {tuple(logits.shape)}, got "
            f"{tuple(ab.shape)}; resize one to the other"
        )
    if class_weight is not None:
        check_float(class_weight, OPERATOR, "class_weight", "give the result of class_weights")
        if class_weight.shape != logits.shape[1:2]:
            raise ValueError(
                f"{OPERATOR}: expected class_weight of shape ({logits.shape[1]},), one for each bin, got "
                f"{tuple(class_weight.shape)}; give the result of class_weights"
            )
    check_one_device(OPERATOR, logits=logits, ab=ab, class_weight=class_weight)


def _check_options(reduction: str, ignore_gray: float | None) -> None:
    check_choice(OPERATOR, "reduction", reduction, REDUCTIONS)
    check_numbers(OPERATOR, ignore_gray=0 if ignore_gray is None else ignore_gray)
    if ignore_gray is not None and not ignore_gray >= 0:
        raise ValueError(f"{OPERATOR}: expected ignore_gray >= 0, got {ignore_gray}; the published value is 5")


def _fake_loss(logits: Tensor, *options: Any) -> tuple[Tensor, Tensor]:
    per_pixel, with_gradient = options[-2:]
    shape = (logits.shape[0], *logits.shape[2:]) if per_pixel else ()
    loss = logits.new_empty(shape, dtype=compute_dtype(logits))
    return loss, empty_like_readable(logits) if with_gradient else logits.new_empty(0)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    logits, ab, bins, class_weight, skipped, scale, ctx.neighbors, ctx.sigma, _, with_gradient = inputs
    ctx.save_for_backward(logits, ab, bins, class_weight, skipped, scale)
    ctx.gradient = output[1] if with_gradient else None
    ctx.mark_non_differentiable(output[1])
    # Without this the unused gradient of the gradient would be allocated.
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, grad_loss: Tensor | None, _: Tensor | None) -> tuple[Tensor | None, ...]:
    if grad_loss is None:
        return (None,) * 10
    logits, ab, bins, class_weight, skipped, scale = ctx.saved_tensors
    # The first backward pass takes the stored gradient along; another one has to make it again.
    gradient, ctx.gradient = ctx.gradient, None
    if gradient is None or torch.is_grad_enabled():
        gradient = torch.ops.nirtrans.soft_cross_entropy_backward(
            grad_loss, logits, ab, bins, class_weight, skipped, scale, ctx.neighbors, ctx.sigma
        )
    else:
        gradient = _scaled(gradient, grad_loss * scale if logits.dtype == torch.float16 else grad_loss)
    return gradient, *[None] * 9


def _scaled(gradient: Tensor, factor: Tensor) -> Tensor:
    # A graph that is being traced, where tensors are of a subclass, must not change what it has returned.
    if type(gradient) is not Tensor:
        return (gradient * factor).to(gradient.dtype)
    torch.ops.nirtrans.scale_gradient_(gradient, factor)
    return gradient


if _library.REASON is None:
    register_fake("nirtrans::soft_cross_entropy", _fake_loss)
    register_fake("nirtrans::soft_cross_entropy_backward", lambda grad, logits, *options: empty_like_readable(logits))
    register_fake("nirtrans::scale_gradient_", lambda gradient, factor: None)
    register_autograd("nirtrans::soft_cross_entropy", _backward, setup_context=_save)
    refuse_second_derivative("soft_cross_entropy")
