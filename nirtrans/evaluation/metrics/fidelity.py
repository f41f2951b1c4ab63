"""How far values are off: errors, PSNR, and cosines of whole vectors."""

import math

import torch

from nirtrans.evaluation.metrics.planes import Mask, Picture, luma, mask, mean, pair


def mse(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean squared error over pixels and channels."""
    a, b = pair(prediction, truth)
    return mean((a - b) ** 2, mask(valid, a))


def mae(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean absolute error over pixels and channels."""
    a, b = pair(prediction, truth)
    return mean((a - b).abs(), mask(valid, a))


def psnr(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the peak signal-to-noise ratio in dB for a peak of 1; infinite for equal pictures.

    Example:
        >>> round(psnr(torch.full((3, 8, 8), 0.6), torch.full((3, 8, 8), 0.5)), 6)
        20.0
    """
    return _decibel(mse(prediction, truth, valid))


def psnr_u8(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the PSNR after rounding both to 0..255, as written to 8-bit files."""
    a, b = pair(prediction, truth)
    return _decibel(mse((a * 255).round() / 255, (b * 255).round() / 255, valid))


def psnr_y(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the PSNR of the luma 0.299 R + 0.587 G + 0.114 B."""
    a, b = pair(prediction, truth)
    return _decibel(mse(luma(a), luma(b), valid))


def cos_rows(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the cosine between rows of the pictures, averaged over rows, then over red, green and blue.

    A row is the vector of one channel's valid values. Rows of zeros have no direction and are left out.
    """
    a, b = pair(prediction, truth)
    held = mask(valid, a)
    a, b = a.where(held, 0.0), b.where(held, 0.0)
    lengths = torch.linalg.vector_norm(a, dim=-1) * torch.linalg.vector_norm(b, dim=-1)  # [C, H]
    cosines = (a * b).sum(dim=-1) / lengths
    directed = (lengths != 0).double()
    return (cosines.where(lengths != 0, 0.0).sum(dim=1) / directed.sum(dim=1)).mean().item()


def _decibel(error: float) -> float:
    return math.inf if error == 0 else -10 * math.log10(error)
