"""Colour as classes: cross-entropy against softly encoded chroma, rare colours weighted up."""

from functools import partial

from torch import Tensor

from nirtrans.kernels import class_weights, soft_cross_entropy
from nirtrans.losses.masked import masked_mean, valid_cells


def rebalanced_cross_entropy(
    logits: Tensor,
    ab: Tensor,
    *,
    prior: Tensor,
    mix: float = 0.5,
    neighbors: int = 5,
    sigma: float = 5.0,
    skip_gray: float | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Return the mean cross-entropy over pixels, each weighted by the rarity of its colour.

    No target over bins is made (`nirtrans.kernels.soft_cross_entropy`).

    Args:
        logits: [N, 313, h, w], any float type.
        ab: Chroma of the truth in CIE units, [N, 2, h, w].
        prior: Frequency of each bin, [313], sum 1.
        mix: Share of the uniform distribution in the weights; see `nirtrans.kernels.class_weights`.
        neighbors: Bins that share the target of a pixel.
        sigma: Width of the Gaussian that shares them out, CIE units.
        skip_gray: Pictures with |a| and |b| within this at all pixels do not count; None: all do.
        valid: [N, 1, H, W], bool; a cell counts if all pixels that it stands for are valid.

    Returns:
        A scalar, float32.

    Source: Zhang, Isola, Efros 2016, equations 2 to 4.
    """
    weight = class_weights(prior, mix=mix).float()
    loss = partial(soft_cross_entropy, class_weight=weight, neighbors=neighbors, sigma=sigma, ignore_gray=skip_gray)
    if valid is None:
        return loss(logits.float(), ab)
    each = loss(logits.float(), ab, reduction="none")
    return masked_mean(each[:, None], valid_cells(valid, (each.shape[1], each.shape[2])))
