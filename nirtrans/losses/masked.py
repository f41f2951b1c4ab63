"""Losses and pictures without the pixels that hold no data."""

import torch.nn.functional as F
from torch import Tensor


def masked_l1(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean absolute difference over valid pixels, averaged over the pictures.

    Each picture counts alike, however many of its pixels are valid: the mean over a batch then does not depend on how
    the batch is divided among processes. A picture without any valid pixel counts 0.

    Args:
        image: [N, C, H, W].
        target: [N, C, H, W].
        valid: [N, 1, H, W], bool; None means everywhere.

    Example:
        >>> import torch
        >>> masked_l1(torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)).item()
        1.0
    """
    difference = (image - target).abs().float()
    return masked_mean(difference.mean(1, keepdim=True), valid)


def masked_mean(values: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean of [N, 1, H, W] over valid pixels, averaged over the pictures; see `masked_l1`."""
    if valid is None:
        return values.mean()
    weight = valid.float()
    pixels = weight.sum((1, 2, 3)).clamp(min=1)  # [N]
    return ((values * weight).sum((1, 2, 3)) / pixels).mean()


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
