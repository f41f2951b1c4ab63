"""The annealed mean of a distribution over ab bins, fused and differentiable."""

from typing import Any

import torch
from torch import Tensor
from torch.library import register_autograd, register_fake

from nirtrans.arguments import check_temperature
from nirtrans.kernels import _library, reference
from nirtrans.kernels._logits import check_logits, compute_dtype
from nirtrans.kernels._registration import empty_like_readable, refuse_second_derivative
from nirtrans.kernels.bins import check_bins

Gradients = tuple[Tensor | None, None, None]


def annealed_mean(logits: Tensor, *, temperature: float = 0.38, bins: Tensor | None = None) -> Tensor:
    """Decode logits over bins to colours: the mean of the bins under softmax(logits / temperature).

    T = 1 is the plain mean, whose colours are dull; T towards 0 the most likely bin, which flickers between
    neighbours. Annealing by T is the same as raising probabilities to the power 1/T and normalising them again. The
    largest logit is subtracted first, so that no size of logits overflows.

    Args:
        logits: (N, Q, H, W), contiguous or channels-last. float64 computes in float64, all other dtypes in float32.
        temperature: T, 1e-15 to 1e15; the published value is 0.38.
        bins: Any table (Q, 2) of finite floats, 1 <= Q <= 4096; None: the 313 of `ab_bins`. It receives no gradient.

    Returns:
        a and b in CIE units, (N, 2, H, W), contiguous, float32 (float64 for float64 input).

    Raises:
        TypeError: If logits or bins are not floating-point tensors.
        ValueError: If a shape or the temperature is out of range.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, equation 5.

    Example:
        >>> logits = torch.zeros(1, 313, 1, 1)
        >>> logits[0, 312] = 100  # bin (100, 0)
        >>> annealed_mean(logits).flatten().tolist()
        [100.0, 0.0]
    """
    table = check_bins("annealed_mean", bins)
    check_logits("annealed_mean", logits, table)
    check_temperature("annealed_mean", temperature)
    if _library.compiled_for(logits.device):
        return torch.ops.nirtrans.annealed_mean(logits, table, temperature)
    return reference.annealed_mean(logits, bins=table, temperature=temperature)


def _fake_mean(logits: Tensor, bins: Tensor, temperature: float) -> Tensor:
    shape = (logits.shape[0], 2, *logits.shape[2:])
    return logits.new_empty(shape, dtype=compute_dtype(logits))


def _save_inputs(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    logits, bins, ctx.temperature = inputs
    ctx.save_for_backward(logits, bins)


def _backward(ctx: Any, grad_ab: Tensor) -> Gradients:
    logits, bins = ctx.saved_tensors
    return torch.ops.nirtrans.annealed_mean_backward(grad_ab, logits, bins, ctx.temperature), None, None


if _library.REASON is None:
    register_fake("nirtrans::annealed_mean", _fake_mean)
    register_fake("nirtrans::annealed_mean_backward", lambda grad, logits, *options: empty_like_readable(logits))
    register_autograd("nirtrans::annealed_mean", _backward, setup_context=_save_inputs)
    refuse_second_derivative("annealed_mean")
