"""Structural similarity, at one scale and at five.

A window counts if it lies inside the picture and all its pixels are valid.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from nirtrans.evaluation.metrics.planes import Mask, Picture, luma, mask, mean, pair
from nirtrans.kernels.reference.ssim import halved, halved_mask
from nirtrans.kernels.ssim import MS_SSIM_WEIGHTS

WINDOW = 11
UNIFORM = torch.full((7,), 1 / 7, dtype=torch.float64)
SAMPLE = 49 / 48
"""Makes the covariance of a 7 x 7 window that of a sample."""
MS_SSIM_PX = (WINDOW - 1) * 2 ** (len(MS_SSIM_WEIGHTS) - 1) + 1
"""Smallest side whose coarsest scale holds a window: 161 px."""


def ssim(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the structural similarity: Gaussian 11 x 11, sigma 1.5, valid region, biased covariance, per channel.

    Source: Wang et al. 2004, equation 13.
    """
    a, b = pair(prediction, truth)
    return _ssim(a, b, mask(valid, a), _gaussian())


def ssim_u8(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return `ssim` after rounding both to 0..255, as written to 8-bit files."""
    a, b = pair(prediction, truth)
    return ssim((a * 255).round() / 255, (b * 255).round() / 255, valid)


def ssim_y(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return `ssim` of the luma."""
    a, b = pair(prediction, truth)
    return _ssim(luma(a), luma(b), mask(valid, a), _gaussian())


def ssim_u7(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the SSIM of a uniform 7 x 7 window with sample covariance, the default of scikit-image."""
    a, b = pair(prediction, truth)
    return _ssim(a, b, mask(valid, a), UNIFORM, bessel=SAMPLE)


def ssim_vcip(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return `ssim_u7` with the range of the *prediction* as data range, as the VCIP 2020 challenge was scored.

    For comparison with its papers only: the number depends on the contrast of what is judged.
    """
    a, b = pair(prediction, truth)
    held = mask(valid, a)
    if not held.any():
        return math.nan
    span = (a[:, held].max() - a[:, held].min()).item()
    return _ssim(a, b, held, UNIFORM, bessel=SAMPLE, span=span)


def ms_ssim(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the SSIM over five scales, per channel; NaN for sides below 161 px.

    A coarse pixel is valid if all its fine pixels are; where that leaves a scale without a window the result is NaN.
    Negative means count as 0.

    Source: Wang, Simoncelli, Bovik, Multiscale Structural Similarity for Image Quality Assessment, 2003.
    """
    a, b = pair(prediction, truth)
    if min(a.shape[-2:]) < MS_SSIM_PX:
        return math.nan
    held = mask(valid, a)
    a, b = a.where(held, 0.0), b.where(held, 0.0)
    factors = []
    for level in range(len(MS_SSIM_WEIGHTS)):
        if level:
            a, b, held = halved(a[None])[0], halved(b[None])[0], halved_mask(held[None, None])[0, 0]
        similarity, contrast = _maps(a, b, _gaussian())
        chosen = similarity if level == len(MS_SSIM_WEIGHTS) - 1 else contrast
        factors.append(chosen[:, _whole(held, WINDOW)].mean(dim=1))
    powers = torch.tensor(MS_SSIM_WEIGHTS, dtype=torch.float64)[:, None]
    return (torch.stack(factors).clamp(min=0) ** powers).prod(dim=0).mean().item()


def _ssim(a: Tensor, b: Tensor, valid: Tensor, taps: Tensor, bessel: float = 1.0, span: float = 1.0) -> float:
    """Average SSIM over channels and over windows that hold valid pixels only."""
    if min(a.shape[-2:]) < len(taps):
        return math.nan
    whole = _whole(valid, len(taps))
    if not valid.all():  # keep NaN under the mask out of the windows
        a, b = a.where(valid, 0.0), b.where(valid, 0.0)
    return mean(_maps(a, b, taps, bessel, span)[0], whole)


def _maps(a: Tensor, b: Tensor, taps: Tensor, bessel: float = 1.0, span: float = 1.0) -> tuple[Tensor, Tensor]:
    """Return similarity and its factor of contrast and structure for each window; K1 0.01, K2 0.03.

    Args:
        a: [C, H, W].
        b: [C, H, W].
        taps: Weights of the separable window, summing to 1.
        bessel: Factor that makes the covariance that of a sample.
        span: Data range.
    """
    mean_a, mean_b = _filter(a, taps), _filter(b, taps)
    var_a = bessel * (_filter(a * a, taps) - mean_a**2)
    var_b = bessel * (_filter(b * b, taps) - mean_b**2)
    covariance = bessel * (_filter(a * b, taps) - mean_a * mean_b)
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    contrast = (2 * covariance + c2) / (var_a + var_b + c2)
    return (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1) * contrast, contrast


def _gaussian() -> Tensor:
    """Return the 11-tap Gaussian of sigma 1.5. Source: Wang et al. 2004, section III.B."""
    offset = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    taps = torch.exp(-(offset**2) / (2 * 1.5**2))
    return taps / taps.sum()


def _filter(planes: Tensor, taps: Tensor) -> Tensor:
    """Filter [C, H, W] with separable taps over the valid region."""
    return _along(_along(planes, taps, dim=1), taps, dim=2)


def _along(planes: Tensor, taps: Tensor, *, dim: int) -> Tensor:
    """Filter one dimension by adding shifted copies, in float64 twenty times as fast as a convolution."""
    length = planes.shape[dim] - len(taps) + 1
    total = planes.narrow(dim, 0, length) * taps[0]
    for place, tap in enumerate(taps.tolist()[1:], start=1):
        total.add_(planes.narrow(dim, place, length), alpha=tap)
    return total


def _whole(valid: Tensor, size: int) -> Tensor:
    """Return which windows [H - size + 1, W - size + 1] hold valid pixels only."""
    return functional.max_pool2d((~valid)[None].double(), size, stride=1)[0] == 0
