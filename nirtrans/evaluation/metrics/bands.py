"""Metrics of bands in physical units, such as reflectance: any number of bands, [C, H, W], not limited to [0, 1]."""

import torch
from torch import Tensor

from nirtrans.evaluation.metrics.planes import Mask, Picture, mask, mean, pair

DARKEST = 1e-4  # shorter spectra, in reflectance, have no direction worth measuring


def sam(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean spectral angle in degrees; pixels whose spectrum is not longer than 1e-4 are left out.

    2 atan2(|u - v|, |u + v|) of the unit spectra u and v stays exact near 0 for any number of bands, where arccos does
    not.

    Source: Kruse et al. 1993; the formula: Kahan, How Futile are Mindless Assessments of Roundoff in
    Floating-Point Computation?, 2006.
    """
    a, b = pair(prediction, truth)
    length_a, length_b = _length(a), _length(b)
    u, v = a / length_a, b / length_b
    angles = torch.rad2deg(2 * torch.atan2(_length(u - v), _length(u + v)))
    return mean(angles, mask(valid, a) & ~((length_a <= DARKEST) | (length_b <= DARKEST)))


def sam_rad(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return `sam` in radians."""
    return sam(prediction, truth, valid) * torch.pi / 180


def ergas(prediction: Picture, truth: Picture, valid: Mask = None, *, ratio: float = 1.0) -> float:
    """Return 100 r sqrt(mean over bands of (RMSE / mean of the truth)^2), in percent of the signal.

    Args:
        prediction: [C, H, W].
        truth: As prediction.
        valid: [H, W].
        ratio: r, fine by coarse pixel size where a picture was sharpened; 1 on one grid.

    Source: Wald, Quality of High Resolution Synthesised Images: Is There a Simple Criterion?, 2000.
    """
    errors = _errors(prediction, truth, valid)
    _, b = pair(prediction, truth)
    signal = b[:, mask(valid, b)].mean(dim=1)
    return 100 * ratio * ((errors**2).mean(dim=1) / signal**2).mean().sqrt().item()


def rmse_refl(prediction: Picture, truth: Picture, valid: Mask = None, *, band: int | None = None) -> float:
    """Return the root mean squared error of one band, from 0, or its mean over bands, in the unit of the bands."""
    return _chosen((_errors(prediction, truth, valid) ** 2).mean(dim=1).sqrt(), band)


def mae_refl(prediction: Picture, truth: Picture, valid: Mask = None, *, band: int | None = None) -> float:
    """Return the mean absolute error of one band, from 0, or its mean over bands, in the unit of the bands."""
    return _chosen(_errors(prediction, truth, valid).abs().mean(dim=1), band)


def bias_refl(prediction: Picture, truth: Picture, valid: Mask = None, *, band: int | None = None) -> float:
    """Return the mean of prediction - truth of one band, from 0, or over bands; positive where predicted too bright."""
    return _chosen(_errors(prediction, truth, valid).mean(dim=1), band)


def _errors(prediction: Picture, truth: Picture, valid: Mask) -> Tensor:
    """Return prediction - truth at valid pixels, [C, n]."""
    a, b = pair(prediction, truth)
    return (a - b)[:, mask(valid, a)]


def _chosen(values: Tensor, band: int | None) -> float:
    return (values.mean() if band is None else values[band]).item()


def _length(spectra: Tensor) -> Tensor:
    return (spectra * spectra).sum(dim=0).sqrt()
