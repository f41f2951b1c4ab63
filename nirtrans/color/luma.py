"""The brightness of colours."""

from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as the gray sources of training are made


def luma(rgb: Tensor) -> Tensor:
    """Return 0.299 R + 0.587 G + 0.114 B of [N, 3, H, W], [N, 1, H, W] in the same range, [0, 1] or [-1, 1].

    Example:
        >>> import torch
        >>> round(luma(torch.ones(1, 3, 1, 1)).item(), 6)
        1.0
    """
    red, green, blue = rgb.split(1, dim=1)  # not a matrix product, which autocast would round to 8 bits
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
