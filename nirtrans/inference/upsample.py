"""Enlarge chroma to a picture whose lightness is known at full size, so that colours end where lightness does.

| way | chroma between the samples |
|---|---|
| guided | a linear function of lightness through each sample, its slope fitted to the neighbours |
| bilinear | of the four nearest samples |

The slope is that of the guided filter, fitted and averaged at the small size as He and Sun 2015 do ("Fast Guided
Filter", algorithm 2). Their offset is a mean over windows, which blurs chroma wherever lightness is even; here the line
passes through the sample, so that nothing is lost. Figures: docs/colorizing-photos.md.

Every way gives any rows of the full picture alone, so that a picture of any size needs little memory.
"""

from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.color.chroma import resize_chroma

Upsample = Literal["guided", "bilinear"]
RADIUS_PX = 1
EPSILON = 50.0
"""Half the side of the windows in which slopes are fitted, and the variance of L (0 to 100) that halves a slope: the
best of 1, 2, 4 and of 1 to 200, by `scripts/compare_upsampling.py`."""


class Chroma(Protocol):
    """Chroma of a picture, asked for by rows."""

    def rows(self, light: Tensor, top: int) -> Tensor:
        """Return a and b beside L: [1, 1, n, W], rows `top` to `top + n` of the picture -> [1, 2, n, W]."""


def upsampled(ab: Tensor, light: Tensor, size: tuple[int, int], *, way: Upsample = "guided") -> Chroma:
    """Prepare the enlargement of chroma.

    Args:
        ab: As the network gives it, [1, 2, h, w], CIE units.
        light: L of the picture as the network sees it, [1, 1, H', W'], 0 to 100.
        size: Height and width of the full picture; where it is the smaller one, chroma is averaged.
        way: See the module.
    """
    smaller = tuple(min(pair) for pair in zip(ab.shape[2:], size, strict=True))
    ab, light = (F.interpolate(x, size=smaller, mode="bilinear", antialias=True) for x in (ab, light))
    return Guided(ab, light, size) if way == "guided" and smaller != size else Bilinear(ab, size)


class Bilinear:
    """Chroma that ignores lightness; see `upsampled`."""

    def __init__(self, ab: Tensor, size: tuple[int, int]) -> None:
        self.ab, self.size = ab, size

    def rows(self, light: Tensor, top: int) -> Tensor:
        """Return the rows beside those of L; see `Chroma`."""
        return _enlarged_rows(self.ab, self.size, top, light.shape[2])


class Guided:
    """Chroma as slope * L + offset, both enlarged; see `upsampled`."""

    def __init__(self, ab: Tensor, light: Tensor, size: tuple[int, int]) -> None:
        mean_light, mean_ab = _box(light), _box(ab)
        slope = (_box(light * ab) - mean_light * mean_ab) / (_box(light * light) - mean_light**2 + EPSILON)
        slope = _box(slope)
        self.line, self.size = torch.cat([slope, ab - slope * light], 1), size  # [1, 4, h, w]

    def rows(self, light: Tensor, top: int) -> Tensor:
        """Return the rows beside those of L; see `Chroma`."""
        slope, offset = _enlarged_rows(self.line, self.size, top, light.shape[2]).chunk(2, 1)
        return slope * light + offset


def _box(x: Tensor) -> Tensor:
    """Average over squares of 2 * RADIUS_PX + 1, at the border over what lies inside."""
    return F.avg_pool2d(x, 2 * RADIUS_PX + 1, stride=1, padding=RADIUS_PX, count_include_pad=False)


def _enlarged_rows(small: Tensor, size: tuple[int, int], top: int, count: int) -> Tensor:
    """Return rows `top` to `top + count` of what `resize_chroma(small, size)` gives."""
    height = small.shape[2]
    at = ((torch.arange(top, top + count, device=small.device) + 0.5) * (height / size[0]) - 0.5).clamp(0, height - 1)
    above = at.floor().long()
    mixed = small[:, :, above].lerp(small[:, :, (above + 1).clamp(max=height - 1)], (at - above)[:, None])
    return resize_chroma(mixed, (count, size[1]))
