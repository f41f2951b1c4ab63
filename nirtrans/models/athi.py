"""athi: every pixel takes the colour of the hint whose brightness is nearest to its own.

The entry of team Athi to the second track of the NTIRE 2019 challenge on colorization: no parameters, no neighbourhood.
In YCbCr (ITU-R BT.601) Cb and Cr are those of the nearest hint and Y is the picture's. Brightness is compared in 256
steps, so that a table of 256 entries answers for all pixels; of hints that are equally near, the first in reading order
counts. What differs here: a hint has the lightness of the picture at its place, whatever that of its colour is.
"""

import torch
from torch import Tensor

from nirtrans.color.chroma import chroma, with_chroma
from nirtrans.color.guidance import Guidance
from nirtrans.color.luma import luma
from nirtrans.models.formulas import FORMULAS, Formula, hints_in

LEVELS = 256
TO_CB, TO_CR = 1.772, 1.402
"""B - Y is 1.772 Cb and R - Y is 1.402 Cr. Source: ITU-R BT.601."""
OF_CB, OF_CR = 0.344136, 0.714136
"""G is Y less these shares of Cb and Cr. Source: as above."""


@FORMULAS.add("athi")
class Athi(Formula):
    """Copy the colour of the hint that is nearest in brightness; no training, needs hints."""

    paper = "NTIRE 2019 challenge on colorization, team Athi"
    short_side_px = 2048  # memory grows with the pixels

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """[N, 1, H, W] in [0, 1] -> [N, 2, H, W] in CIE units; see `ChromaSystem`."""
        known = hints_in(guidance)
        grey = source.float().clamp(0, 1)
        hinted = with_chroma(grey, known.ab)
        levels = (grey[:, 0] * (LEVELS - 1)).round().long()  # [N, H, W]
        found = [
            nearest_chroma(level, colours, mask[0] > 0)
            for level, colours, mask in zip(levels, to_cbcr(hinted), known.mask, strict=True)
        ]
        return chroma(from_cbcr(grey, torch.stack(found)))


def nearest_chroma(levels: Tensor, colours: Tensor, hinted: Tensor) -> Tensor:
    """Look the colour of each pixel up among the hints.

    Args:
        levels: Brightness, [H, W], int64, 0 to 255.
        colours: [C, H, W].
        hinted: Where `colours` is a hint, [H, W], bool.

    Returns:
        [C, H, W].
    """
    known = levels[hinted]  # [K], in reading order
    steps = torch.arange(LEVELS, device=levels.device)
    first = torch.full((LEVELS,), len(known), device=levels.device)  # of each brightness that occurs, the first hint
    first.scatter_reduce_(0, known, torch.arange(len(known), device=levels.device), "amin")
    distance = (steps[:, None] - steps).abs() * (len(known) + 1) + first  # ties: the first hint
    distance = distance.where(first < len(known), torch.iinfo(torch.int64).max)
    table = colours[:, hinted][:, first[distance.argmin(1)]]  # [C, 256]
    return table[:, levels]


def to_cbcr(rgb: Tensor) -> Tensor:
    """Return Cb and Cr in [-0.5, 0.5] of sRGB [N, 3, H, W] in [0, 1], [N, 2, H, W]."""
    y = luma(rgb)
    return torch.cat([(rgb[:, 2:] - y) / TO_CB, (rgb[:, :1] - y) / TO_CR], dim=1)


def from_cbcr(y: Tensor, cbcr: Tensor) -> Tensor:
    """Return sRGB [N, 3, H, W] of Y [N, 1, H, W] in [0, 1] and Cb, Cr; what is outside [0, 1] is clipped."""
    cb, cr = cbcr.split(1, dim=1)
    return torch.cat([y + TO_CR * cr, y - OF_CB * cb - OF_CR * cr, y + TO_CB * cb], dim=1).clamp(0, 1)
