"""The brightness of colours."""

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as the gray sources of training are made


def luma(rgb: Tensor) -> Tensor:
    """Return 0.299 R + 0.587 G + 0.114 B of [N, 3, H, W], [N, 1, H, W] in the same range, [0, 1] or [-1, 1].

    Example:
        >>> round(luma(torch.ones(1, 3, 1, 1)).item(), 6)
        1.0
    """
    return torch.einsum("nchw,c->nhw", rgb, torch.tensor(LUMA, dtype=rgb.dtype, device=rgb.device))[:, None]
