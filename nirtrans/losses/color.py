"""Colour apart from brightness, and colours apart from their places."""

import torch
from torch import Tensor

from nirtrans.kernels import rgb_to_lab
from nirtrans.losses.masked import comparable, masked_mean

DARKEST = 1 / 255  # shorter RGB vectors have no direction to speak of
SOFTNESS = 1e-3  # the angle has no gradient at 0; below this length of the cross product it becomes quadratic
BINS_PER_LAB_UNIT = 0.5
LAB_LOWEST = (0.0, -110.0, -110.0)  # sRGB reaches -86 in a and -108 in b
BINS = 111  # 0 to 220 in steps of 2 units


def angular_loss(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean angle between RGB vectors, radians, averaged over the pictures.

    It is the metric `ae` made smooth at 0: equal colours of any brightness cost about 0. Pixels where either vector is
    darker than 1/255 count 0, since dark pixels have no hue.

    Args:
        image: [N, 3, H, W], RGB in [0, 1].
        target: [N, 3, H, W], RGB in [0, 1].
        valid: [N, 1, H, W], bool; None means everywhere.

    Example:
        >>> red, green = torch.eye(3)[:2].view(2, 1, 3, 1, 1)
        >>> round(angular_loss(red, green).item(), 4)
        1.5708
    """
    image, target = comparable(image, target, valid)
    cross = torch.linalg.cross(image, target, dim=1).square().sum(1, keepdim=True)  # [N, 1, H, W]
    dot = (image * target).sum(1, keepdim=True)
    bright = (image.square().sum(1, keepdim=True) > DARKEST**2) & (target.square().sum(1, keepdim=True) > DARKEST**2)
    length = (cross + SOFTNESS**2).sqrt() - SOFTNESS
    angle = torch.atan2(length.where(bright, 0.0), dot.where(bright, 1.0))
    return masked_mean(angle, valid)


def histogram_loss(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return how far the distributions of L, a and b of two pictures are apart, averaged over them and the pictures.

    It is the Cramer distance, the integral of the squared difference of two cumulative histograms, in units of 100 Lab
    units: two flat pictures cost their difference, and a grey picture of the right brightness misses all chroma of its
    target. No pixel is compared with another, so the target may show another place: the gradient towards a random
    target is on average that towards the mixture of all of them, which does not hold for the Wasserstein distance
    (Bellemare et al. 2017). Each value is shared between the two nearest of bins 2 Lab units apart.

    Args:
        image: [N, 3, H, W], RGB in [0, 1].
        target: [N, 3, H, W], RGB in [0, 1].
        valid: [N, 1, H, W], bool; None means everywhere. A picture without any valid pixel counts 0.

    Source: Szekely, E-statistics, 2003; Bellemare et al., The Cramer Distance as a Solution to Biased Wasserstein
    Gradients, 2017.

    Example:
        >>> white, black = torch.ones(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
        >>> round(histogram_loss(white, black).item(), 3)  # L differs by 1, a and b are equal
        0.333
    """
    image, target = comparable(image, target, valid)
    difference = _cumulative(image, valid) - _cumulative(target, valid)  # [N, 3, BINS]
    return difference.square().sum(2).mean() / (100 * BINS_PER_LAB_UNIT)


def _cumulative(image: Tensor, valid: Tensor | None) -> Tensor:
    """Return the cumulative histograms of L, a and b: [N, 3, BINS], from 0 to 1."""
    lowest = torch.tensor(LAB_LOWEST, dtype=image.dtype, device=image.device).view(3, 1, 1)
    place = ((rgb_to_lab(image) - lowest) * BINS_PER_LAB_UNIT).flatten(2)  # [N, 3, H * W], in bins
    place = place.clamp(0, BINS - 1)
    lower = place.detach().floor().clamp(max=BINS - 2)
    index, upper_share = lower.long(), place - lower
    weight = torch.ones_like(place[:, :1]) if valid is None else valid.flatten(2).to(place.dtype)  # [N, 1, H * W]
    weight = weight / weight.sum(2, keepdim=True).clamp(min=1)
    empty = place.new_zeros(*place.shape[:2], BINS)
    upper = upper_share * weight
    counts = empty.scatter_add(2, index, weight - upper).scatter_add(2, index + 1, upper)
    return counts.cumsum(2)
