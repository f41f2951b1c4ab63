"""What is known of the colours of a picture as a whole: how often each ab bin occurs, and how saturated it is."""

import torch
from torch import Tensor

from nirtrans.color.bins import AB313


def ab_histogram(ab: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the share of each of the 313 bins: [N, 2, H, W] in CIE units -> [N, 313], sum 1.

    Args:
        ab: Chroma; pixels that are not valid may hold anything.
        valid: [N, 1, H, W], bool; None means everywhere. A picture without any valid pixel has 0 in all bins.
    """
    known = torch.ones_like(ab[:, :1], dtype=torch.bool) if valid is None else valid
    index = AB313.nearest(ab.where(known, 0.0)).flatten(1)  # [N, H * W]
    weight = known.flatten(1).float()
    counts = weight.new_zeros(len(ab), len(AB313)).scatter_add_(1, index, weight)
    return counts / weight.sum(1, keepdim=True).clamp(min=1)


def mean_saturation(rgb: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean S of HSV: sRGB [N, 3, H, W] in [0, 1] -> [N, 1] in [0, 1].

    Example:
        >>> mean_saturation(torch.tensor([1.0, 0.5, 0.5]).view(1, 3, 1, 1)).item()
        0.5
    """
    known = torch.ones_like(rgb[:, :1], dtype=torch.bool) if valid is None else valid
    rgb = rgb.where(known, 0.0).float()
    high = rgb.amax(1, keepdim=True)
    saturation = (high - rgb.amin(1, keepdim=True)) / high.clamp(min=torch.finfo(rgb.dtype).tiny)
    return saturation.sum((2, 3)) / known.sum((2, 3)).clamp(min=1)
