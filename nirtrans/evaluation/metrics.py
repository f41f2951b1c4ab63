"""Metrics of a prediction against its ground truth, one picture at a time, in float64.

Pictures are gamma-encoded sRGB in [0, 1], torch [3, H, W] or NumPy [H, W, 3], and are scored as they are: nothing is
clipped, rounded or rescaled unless a name says so. `valid` is [H, W], False where a pixel must leave every sum; window
metrics drop each window that touches such a pixel. A variant of a metric has a name of its own.

A metric without a single pixel to stand on is NaN.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Picture = Tensor | np.ndarray
Mask = Tensor | np.ndarray | None
LUMA = (0.299, 0.587, 0.114)
DARKEST = 1 / 255  # shorter RGB vectors have no direction worth measuring


def _planes(picture: Picture) -> Tensor:
    """Bring a picture to float64 [C, H, W]."""
    if isinstance(picture, np.ndarray):
        picture = torch.from_numpy(np.ascontiguousarray(picture)).movedim(-1, 0)
    if picture.dim() == 4 and len(picture) == 1:
        picture = picture[0]
    if picture.dim() != 3 or not picture.is_floating_point():
        got = f"{picture.dtype} {tuple(picture.shape)}"
        raise ValueError(f"expected one float picture, torch [3, H, W] or NumPy [H, W, 3], got {got}")
    return picture.detach().to("cpu", torch.float64)


def _pair(prediction: Picture, truth: Picture) -> tuple[Tensor, Tensor]:
    a, b = _planes(prediction), _planes(truth)
    if a.shape != b.shape:
        raise ValueError(f"prediction {tuple(a.shape)} and truth {tuple(b.shape)} differ in shape")
    return a, b


def _mask(valid: Mask, like: Tensor) -> Tensor:
    """Return the mask as bool [H, W], all True if there is none."""
    if valid is None:
        return torch.ones(like.shape[-2:], dtype=torch.bool)
    return torch.as_tensor(valid).to("cpu", torch.bool).reshape(like.shape[-2:])


def _mean(values: Tensor, valid: Tensor) -> float:
    """Average [C, H, W] over channels and valid pixels; NaN if there are none."""
    return values[..., valid].mean().item()


def _luma(picture: Tensor) -> Tensor:
    weights = torch.tensor(LUMA, dtype=picture.dtype)
    return torch.einsum("c,chw->hw", weights, picture)[None]


def _decibel(error: float) -> float:
    return math.inf if error == 0 else -10 * math.log10(error)


def mse(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean squared error over pixels and channels."""
    a, b = _pair(prediction, truth)
    return _mean((a - b) ** 2, _mask(valid, a))


def mae(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean absolute error over pixels and channels."""
    a, b = _pair(prediction, truth)
    return _mean((a - b).abs(), _mask(valid, a))


def psnr(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the peak signal-to-noise ratio in dB for a peak of 1; infinite for equal pictures.

    Example:
        >>> round(psnr(torch.full((3, 8, 8), 0.6), torch.full((3, 8, 8), 0.5)), 6)
        20.0
    """
    return _decibel(mse(prediction, truth, valid))


def psnr_u8(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the PSNR after rounding both to 0..255, as written to 8-bit files."""
    a, b = _pair(prediction, truth)
    return _decibel(mse((a * 255).round() / 255, (b * 255).round() / 255, valid))


def psnr_y(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the PSNR of the luma 0.299 R + 0.587 G + 0.114 B."""
    a, b = _pair(prediction, truth)
    return _decibel(mse(_luma(a), _luma(b), valid))


def _gaussian_window() -> Tensor:
    """Return the 11-tap Gaussian of sigma 1.5. Source: Wang et al. 2004, section III.B."""
    offset = torch.arange(11, dtype=torch.float64) - 5
    taps = torch.exp(-(offset**2) / (2 * 1.5**2))
    return taps / taps.sum()


def _filter(planes: Tensor, taps: Tensor) -> Tensor:
    """Filter [C, H, W] with separable taps over the valid region."""
    batch = planes[:, None]  # [C, 1, H, W]
    rows = functional.conv2d(batch, taps.view(1, 1, -1, 1))
    return functional.conv2d(rows, taps.view(1, 1, 1, -1))[:, 0]


def _ssim(a: Tensor, b: Tensor, valid: Tensor, taps: Tensor, bessel: float = 1.0) -> float:
    """Average SSIM over channels and over windows that hold valid pixels only; K1 0.01, K2 0.03, range 1.

    Source: Wang et al. 2004, equation 13.

    Args:
        a: [C, H, W].
        b: [C, H, W].
        valid: [H, W].
        taps: Weights of the separable window, summing to 1.
        bessel: Factor that makes the covariance that of a sample.
    """
    size = len(taps)
    if min(a.shape[-2:]) < size:
        return math.nan
    whole = functional.max_pool2d((~valid)[None].to(a.dtype), size, stride=1)[0] == 0
    if not valid.all():  # keep NaN under the mask out of the windows
        a, b = a.where(valid, 0.0), b.where(valid, 0.0)
    mean_a, mean_b = _filter(a, taps), _filter(b, taps)
    var_a = bessel * (_filter(a * a, taps) - mean_a**2)
    var_b = bessel * (_filter(b * b, taps) - mean_b**2)
    covariance = bessel * (_filter(a * b, taps) - mean_a * mean_b)
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similarity = similarity / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return _mean(similarity, whole)


def ssim(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the structural similarity: Gaussian 11 x 11, sigma 1.5, valid region, biased covariance, per channel."""
    a, b = _pair(prediction, truth)
    return _ssim(a, b, _mask(valid, a), _gaussian_window())


def ssim_y(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return `ssim` of the luma."""
    a, b = _pair(prediction, truth)
    return _ssim(_luma(a), _luma(b), _mask(valid, a), _gaussian_window())


def ssim_u7(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the SSIM of a uniform 7 x 7 window with sample covariance, the default of scikit-image."""
    a, b = _pair(prediction, truth)
    return _ssim(a, b, _mask(valid, a), torch.full((7,), 1 / 7, dtype=torch.float64), bessel=49 / 48)


def _angles(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle between RGB vectors in degrees, [H, W]; atan2 stays exact near 0 where arccos does not."""
    return torch.rad2deg(torch.atan2(torch.linalg.cross(a, b, dim=0).norm(dim=0), (a * b).sum(dim=0)))


def _bright(a: Tensor, b: Tensor) -> Tensor:
    return (a.norm(dim=0) > DARKEST) & (b.norm(dim=0) > DARKEST)


def ae(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean angular error in degrees between RGB vectors; lower is better.

    Pixels whose vector is not longer than 1/255 in either picture are left out (`ae_excluded` says how many). Where
    that leaves none, equal pictures score 0 and others NaN.
    """
    a, b = _pair(prediction, truth)
    mask = _mask(valid, a)
    if mask.any() and torch.equal(a[:, mask], b[:, mask]):
        return 0.0
    return _mean(_angles(a, b), mask & _bright(a, b))


def ae_excluded(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the share of valid pixels that `ae` leaves out as too dark."""
    a, b = _pair(prediction, truth)
    return _mean((~_bright(a, b)).to(a.dtype), _mask(valid, a))


def colourfulness(picture: Picture, valid: Mask = None) -> float:
    """Return the colourfulness M3 of Hasler and Suesstrunk 2003, on values 0..255; 0 for greys."""
    planes = _planes(picture)
    red, green, blue = 255 * planes[:, _mask(valid, planes)]
    opponents = torch.stack([red - green, (red + green) / 2 - blue])
    mean = opponents.mean(dim=1, keepdim=True)
    spread = ((opponents - mean) ** 2).mean(dim=1).sqrt()
    return (spread.norm() + 0.3 * mean.norm()).item()


def delta_cf(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the absolute difference in colourfulness."""
    return abs(colourfulness(prediction, valid) - colourfulness(truth, valid))


METRICS: dict[str, Callable[[Picture, Picture, Mask], float]] = {
    "psnr": psnr,
    "psnr_u8": psnr_u8,
    "psnr_y": psnr_y,
    "ssim": ssim,
    "ssim_y": ssim_y,
    "ssim_u7": ssim_u7,
    "ae": ae,
    "ae_excluded": ae_excluded,
    "mse": mse,
    "mae": mae,
    "delta_cf": delta_cf,
}
HIGHER_IS_BETTER = {name: name.startswith(("psnr", "ssim")) for name in METRICS}


def score(prediction: Picture, truth: Picture, valid: Mask = None) -> dict[str, float]:
    """Return every metric of one pair by name."""
    return {name: metric(prediction, truth, valid) for name, metric in METRICS.items()}
