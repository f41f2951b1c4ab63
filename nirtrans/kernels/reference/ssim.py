"""SSIM, MS-SSIM and L1 + SSIM in plain torch.

A point of the map is named by the pixel at its centre. With a mask every window counts its valid pixels only
(normalised convolution), and a point counts if its centre is valid.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Window(NamedTuple):
    """What defines a map."""

    size: int = 11
    sigma: float = 1.5
    padding: str = "valid"
    c1: float = 1e-4
    """(0.01 R)^2"""
    c2: float = 9e-4
    """(0.03 R)^2"""
    contrast: bool = False
    """Leave out the luminance factor."""


def gaussian(size: int, sigma: float) -> list[float]:
    """Return the taps of the window in one direction, with sum 1."""
    taps = [math.exp(-((k - size // 2) ** 2) / (2 * sigma**2)) for k in range(size)]
    return [tap / sum(taps) for tap in taps]


def ssim_map(x: Tensor, y: Tensor, mask: Tensor | None, window: Window) -> Tensor:
    """Compute the map of SSIM, or of its contrast-structure factor.

    Args:
        x: Images, (N, C, H, W).
        y: As x.
        mask: True where valid, bool (N, 1, H, W), or None.
        window: Size, padding and constants.

    Returns:
        (N, C, Ho, Wo), float32 or float64; 0 where a point does not count.

    Source: Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, 2004.
    """
    real = torch.float64 if x.dtype == torch.float64 else torch.float32
    x, y = x.to(real), y.to(real)
    if mask is not None:
        x, y = torch.where(mask, x, 0.0), torch.where(mask, y, 0.0)
    share = 1.0 if mask is None else _valid_share(mask.to(real), window)
    mu_x, mu_y, product, square = (_filter(image, window) / share for image in (x, y, x * y, x * x + y * y))
    means, cross = mu_x * mu_x + mu_y * mu_y, mu_x * mu_y
    variance = (square - means).clamp(min=0)
    covariance = torch.minimum(torch.maximum(2 * (product - cross), -variance), variance)
    result = (covariance + window.c2) / (variance + window.c2)
    if not window.contrast:
        result = result * (2 * cross + window.c1) / (means + window.c1)
    result = result.clamp(-1, 1)
    return result if mask is None else torch.where(counted(mask, window), result, 0.0)


def counted(mask: Tensor, window: Window) -> Tensor:
    """Return which points of the map count: those whose centre is valid."""
    margin = window.size // 2 if window.padding == "valid" else 0
    return mask[..., margin : mask.shape[-2] - margin, margin : mask.shape[-1] - margin]


def plane_sums(x: Tensor, y: Tensor, mask: Tensor | None, window: Window, *, weight: float, l1_weight: float) -> Tensor:
    """Return weight * sum of the map + l1_weight * sum of |x - y| over valid pixels, per plane, (N, C) float64."""
    total = weight * ssim_map(x, y, mask, window).double().sum(dim=(2, 3))
    if l1_weight == 0:
        return total
    real = torch.float64 if x.dtype == torch.float64 else torch.float32
    difference = x.to(real) - y.to(real)
    if mask is not None:
        difference = torch.where(mask, difference, 0.0)
    return total + l1_weight * difference.abs().double().sum(dim=(2, 3))


def _valid_share(mask: Tensor, window: Window) -> Tensor:
    """The weight of the valid pixels in each window; zeros beyond the border count as valid."""
    share = _filter(mask, window)
    if window.padding == "zero":
        share = share + 1 - _filter(torch.ones_like(mask), window)
    return torch.where(counted(mask > 0, window), share, 1.0)


def _filter(image: Tensor, window: Window) -> Tensor:
    """Filter each plane with the separable window."""
    count, channels, height, width = image.shape
    planes = image.reshape(count * channels, 1, height, width)
    radius = window.size // 2
    if window.padding != "valid":
        planes = F.pad(planes, [radius] * 4, mode="reflect" if window.padding == "reflect" else "constant")
    taps = torch.tensor(gaussian(window.size, window.sigma), dtype=image.dtype, device=image.device)
    planes = F.conv2d(F.conv2d(planes, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))
    return planes.reshape(count, channels, *planes.shape[-2:])


def halved(image: Tensor) -> Tensor:
    """Average 2 x 2 pixels in float32 or better; an odd side is padded by one zero line in front, which counts."""
    real = torch.float64 if image.dtype == torch.float64 else torch.float32
    return F.avg_pool2d(image.to(real), 2, padding=(image.shape[2] % 2, image.shape[3] % 2))


def halved_gradient(coarse: Tensor, height: int, width: int) -> Tensor:
    """Return the gradient of an image of this size from that of the halved one."""
    fine = coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return fine[:, :, height % 2 :, width % 2 :] / 4


def halved_mask(mask: Tensor) -> Tensor:
    """A coarse pixel is valid if all its fine pixels are; the line that pads an odd side counts as valid."""
    padded = F.pad((~mask).float(), (mask.shape[3] % 2, 0, mask.shape[2] % 2, 0))
    return F.max_pool2d(padded, 2) == 0


def power_product(factors: Sequence[Tensor], weights: Sequence[float], normalize: str | None, eps: float) -> Tensor:
    """Return the product over levels of phi(factor) ** weight, with the gradient 0 where phi is 0."""
    result = torch.ones_like(factors[0])
    for factor, weight in zip(factors, weights, strict=True):
        result = result * _power(factor, weight, normalize, eps)
    return result


def _power(factor: Tensor, weight: float, normalize: str | None, eps: float) -> Tensor:
    if normalize is None:
        return factor**weight
    base = (factor + 1) / 2 if normalize == "simple" else factor.clamp(min=eps)
    dead = base <= 0  # false for NaN, which stays
    return torch.where(dead, 0.0, torch.where(dead, 1.0, base) ** weight)
