"""How often each ab bin occurs in a set of pictures, and what is made of it.

Hard counts leave 52 of the 313 bins empty, which are the nearest bin of no sRGB colour; smoothing over the ab plane
gives them the mass of their neighbours.
"""

import torch
from torch import Tensor

from nirtrans.color.bins import AB313, BinSpec

SMOOTHING = 5.0
"""Width of the Gaussian over the ab plane, CIE units. Source: Zhang et al. 2016, section 2.2."""


def count_bins(ab: Tensor, *, spec: BinSpec = AB313, valid: Tensor | None = None) -> Tensor:
    """Count the pixels nearest to each bin.

    Args:
        ab: [N, 2, H, W] in CIE units.
        spec: The bins.
        valid: [N, 1, H, W], bool; other pixels do not count.

    Returns:
        Counts, [Q], float64.
    """
    index = spec.nearest(ab)
    chosen = index.flatten() if valid is None else index[valid[:, 0]]
    return torch.bincount(chosen, minlength=len(spec)).double()


def smooth_prior(counts: Tensor, *, spec: BinSpec = AB313, sigma: float = SMOOTHING) -> Tensor:
    """Turn counts into frequencies, each bin's mass spread over its surroundings by a Gaussian that keeps the sum.

    Args:
        counts: [Q], not negative, not all 0.
        spec: The bins.
        sigma: Width in CIE units; 0 does not smooth.

    Returns:
        Frequencies, [Q], float64, sum 1.

    Raises:
        ValueError: If there are no counts.
    """
    total = counts.sum()
    if not total > 0:
        raise ValueError("expected at least one count, got none; give pictures with valid pixels")
    shares = counts.double() / total
    if sigma == 0:
        return shares
    distance = torch.cdist(spec.centres.double(), spec.centres.double())
    kernel = torch.exp(-0.5 * (distance / sigma) ** 2)
    return (kernel / kernel.sum(0, keepdim=True)) @ shares
