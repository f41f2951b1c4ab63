"""Brightness and two colour differences: the spaces of video, in which some networks think.

| space | Y | first difference | second difference | grey |
|---|---|---|---|---|
| RGB | [0, 1] each | | | equal channels |
| YUV | [0, 1] | U = B - Y, scaled to +-0.436 | V = R - Y, scaled to +-0.615 | 0 |
| YCbCr | [0, 1] | Cb = B - Y, scaled and moved to [0, 1] | Cr = R - Y, likewise | 0.5 |

Y is that of BT.601 over R'G'B', as the gray sources of training are made, so that a gray picture is its own Y. Values
outside the ranges are kept, so that both directions are linear and undo each other.

Source: ITU-R BT.470-6 (YUV); ITU-R BT.601-7, section 2.5, over the full range as in JFIF 1.02 (YCbCr).
"""

import torch
from torch import Tensor

from nirtrans.color.luma import LUMA, luma

U_REACH, V_REACH = 0.436, 0.615
"""Largest |U| and |V|, of blue or yellow and of red or cyan."""
NEUTRAL = 0.5
"""Cb and Cr of grey."""


def rgb_to_yuv(rgb: Tensor) -> Tensor:
    """Convert R'G'B' in [0, 1] to YUV, [N, 3, H, W].

    Example:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
        >>> [round(value, 3) for value in rgb_to_yuv(red).flatten().tolist()]
        [0.299, -0.147, 0.615]
    """
    return _differences(rgb, (U_REACH, V_REACH))


def yuv_to_rgb(yuv: Tensor) -> Tensor:
    """Convert YUV to R'G'B', [N, 3, H, W]; colours that sRGB does not have leave [0, 1]."""
    return _colours(yuv, (U_REACH, V_REACH))


def rgb_to_ycbcr(rgb: Tensor) -> Tensor:
    """Convert R'G'B' in [0, 1] to YCbCr in [0, 1], [N, 3, H, W].

    Example:
        >>> blue = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
        >>> [round(value, 3) for value in rgb_to_ycbcr(blue).flatten().tolist()]
        [0.114, 1.0, 0.419]
    """
    y, cb, cr = _differences(rgb, (0.5, 0.5)).split(1, dim=1)
    return torch.cat([y, cb + NEUTRAL, cr + NEUTRAL], dim=1)


def ycbcr_to_rgb(ycbcr: Tensor) -> Tensor:
    """Convert YCbCr to R'G'B', [N, 3, H, W]; colours that sRGB does not have leave [0, 1]."""
    y, cb, cr = ycbcr.split(1, dim=1)
    return _colours(torch.cat([y, cb - NEUTRAL, cr - NEUTRAL], dim=1), (0.5, 0.5))


def _differences(rgb: Tensor, reach: tuple[float, float]) -> Tensor:
    """Return Y, B - Y and R - Y, the differences scaled so that they reach `reach`."""
    red, _, blue = rgb.split(1, dim=1)
    y = luma(rgb)
    return torch.cat([y, (blue - y) * (reach[0] / (1 - LUMA[2])), (red - y) * (reach[1] / (1 - LUMA[0]))], dim=1)


def _colours(differences: Tensor, reach: tuple[float, float]) -> Tensor:
    """Undo `_differences`."""
    y, first, second = differences.split(1, dim=1)
    blue = y + first * ((1 - LUMA[2]) / reach[0])
    red = y + second * ((1 - LUMA[0]) / reach[1])
    green = y - (LUMA[0] * (red - y) + LUMA[2] * (blue - y)) / LUMA[1]  # Y is what the three weigh
    return torch.cat([red, green, blue], dim=1)
