"""Cross-entropy with soft targets in plain torch."""

import torch
from torch import Tensor

from nirtrans.kernels.reference.bins import encode_ab


def soft_cross_entropy(
    logits: Tensor,
    ab: Tensor,
    *,
    bins: Tensor,
    class_weight: Tensor | None = None,
    neighbors: int = 5,
    sigma: float = 5.0,
    reduction: str = "mean",
    ignore_gray: float | None = None,
) -> Tensor:
    """Compare logits with softly encoded colours; see `nirtrans.kernels.soft_cross_entropy`.

    Args:
        logits: (N, Q, H, W).
        ab: Target colours in CIE units, (N, 2, H, W).
        bins: (Q, 2).
        class_weight: (Q,), or None for equal weights.
        neighbors: Number of bins in a target.
        sigma: Width of the targets in units of ab.
        reduction: mean, sum or none.
        ignore_gray: Skip images without any |a| or |b| above this.

    Returns:
        The loss, () or (N, H, W), float32 or float64.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, equation 2.
    """
    real = torch.float64 if logits.dtype == torch.float64 else torch.float32
    colors = ab.detach().to(real)
    index, weight = encode_ab(colors, bins=bins, neighbors=neighbors, sigma=sigma)
    skipped = gray_images(colors, ignore_gray)
    scores = logits.to(real) if skipped is None else torch.where(skipped[:, None, None, None], 0.0, logits.to(real))
    chosen = scores.log_softmax(dim=1).gather(1, index)
    # A class of no weight counts for nothing, even at -inf.
    loss = -torch.where(weight == 0, 0.0, weight * chosen).sum(dim=1)
    if class_weight is not None:
        loss = loss * class_weight.detach().to(real)[index[:, 0]]
    if skipped is not None:
        loss = torch.where(skipped[:, None, None], 0.0, loss)
    if reduction == "none":
        return loss
    return loss.sum() * loss_scale(colors, skipped, reduction)


def gray_images(colors: Tensor, threshold: float | None) -> Tensor | None:
    """Tell which images have |a| and |b| <= threshold everywhere, (N,) bool; None without a threshold."""
    if threshold is None:
        return None
    return (colors.abs() <= threshold).flatten(1).all(dim=1)


def loss_scale(colors: Tensor, skipped: Tensor | None, reduction: str) -> Tensor:
    """Return what the sum over the pixels is multiplied by: 1, or for the mean 1 / counted pixels (0 if none)."""
    if reduction != "mean":
        return colors.new_ones(())
    images, _, height, width = colors.shape
    if skipped is None:
        return colors.new_full((), 1 / max(1, images * height * width))
    counted = (~skipped).sum() * (height * width)
    return 1 / counted.clamp(min=1).to(colors.dtype)
