"""Losses and pictures without the pixels that hold no data."""

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST = 1e-4
"""Below this root mean square the loss becomes quadratic; a hundredth of a step of 8 bits in [-1, 1]."""


def masked_l1(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean absolute difference over valid pixels, averaged over the pictures.

    Each picture counts alike, however many of its pixels are valid: the mean over a batch then does not depend on how
    the batch is divided among processes. A picture without any valid pixel counts 0. What stands in other pixels, NaN
    included, changes neither the value nor a gradient.

    Args:
        image: [N, C, H, W].
        target: [N, C, H, W].
        valid: [N, 1, H, W], bool; None means everywhere.

    Returns:
        A scalar, float64 for float64 pictures, else float32.

    Example:
        >>> masked_l1(torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)).item()
        1.0
    """
    image, target = comparable(image, target, valid)
    return masked_mean((image - target).abs().mean(1, keepdim=True), valid)


def masked_mse(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean squared difference over valid pixels, averaged over the pictures; see `masked_l1`."""
    image, target = comparable(image, target, valid)
    return masked_mean((image - target).square().mean(1, keepdim=True), valid)


def masked_rmse(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the root of the mean squared difference of each picture, averaged over the pictures; see `masked_l1`.

    The slope of the root, infinite at 0, is bounded; equal pictures cost 0.
    """
    image, target = comparable(image, target, valid)
    squares = _means((image - target).square().mean(1, keepdim=True), valid)
    return ((squares + LEAST**2).sqrt() - LEAST).mean()


def masked_mean(values: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean of [N, 1, H, W] over valid pixels, averaged over the pictures; see `masked_l1`.

    The values are finite everywhere: what is computed from NaN has a NaN gradient, which no later mask can remove, so
    pictures are blanked before (`comparable`).
    """
    return _means(values, valid).mean()


def comparable(image: Tensor, target: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return both pictures blank where they hold no data, in float32, or in float64 if one of them is."""
    wide = torch.float64 if torch.float64 in (image.dtype, target.dtype) else torch.float32
    return blank(image, valid).to(wide), blank(target, valid).to(wide)


def blank(image: Tensor, valid: Tensor | None) -> Tensor:
    """Set pixels without data, NaN or not, to 0: mid-grey in [-1, 1], so that real and generated look alike there."""
    return image if valid is None else image.where(valid, 0.0)


def valid_cells(valid: Tensor, size: tuple[int, int]) -> Tensor:
    """Shrink a mask to the size of a feature map: a cell is valid if all the pixels that it stands for are.

    Args:
        valid: [N, 1, H, W], bool.
        size: Height and width of the feature map.

    Returns:
        [N, 1, *size], bool.
    """
    return F.adaptive_max_pool2d((~valid).float(), size) == 0


def _means(values: Tensor, valid: Tensor | None) -> Tensor:
    """Return the mean of each picture over valid pixels, [N, 1, H, W] -> [N]; 0 where there are none."""
    if valid is None:
        return values.mean((1, 2, 3))
    weight = valid.to(values.dtype)
    return (values * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)
