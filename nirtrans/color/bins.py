"""Classes of the ab plane: a table of colours, how colours become classes and distributions become colours."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from nirtrans.kernels import ab_bins, annealed_mean, encode_ab

STEP, REACH = 10.0, 110.0
"""Spacing and extent of the grid that all sets of bins are cut from, CIE units."""
Decoding = Literal["annealed", "mean", "mode"]


@dataclass(frozen=True)
class BinSpec:
    """A set of bins.

    Attributes:
        centres: (a, b) in CIE units, [Q, 2], float32 on the CPU.

    Example:
        >>> len(AB313), len(AB529), len(AB625)
        (313, 529, 625)
    """

    centres: Tensor

    def __len__(self) -> int:
        return len(self.centres)

    @property
    def name(self) -> str:
        """What results call the set: ab313, ab529 or ab625."""
        return f"ab{len(self)}"

    def nearest(self, ab: Tensor) -> Tensor:
        """Return the nearest bin of each colour: [N, 2, H, W] in CIE units -> [N, H, W], int64."""
        index, _ = encode_ab(ab, bins=self.centres, neighbors=1)
        return index[:, 0]

    def decode(self, logits: Tensor, *, how: Decoding = "annealed", temperature: float = 0.38) -> Tensor:
        """Turn logits [N, Q, H, W] into colours [N, 2, H, W] in CIE units.

        Args:
            logits: Before softmax.
            how: annealed: mean of softmax(logits / temperature); mean: the same at 1; mode: the likeliest bin.
            temperature: 0.38 in Zhang et al. 2016, section 2.3; towards 0 the mode, at 1 the mean.
        """
        if how == "mode":
            return self.centres.to(logits.device, logits.dtype)[logits.argmax(1)].movedim(-1, 1)
        return annealed_mean(logits, temperature=1.0 if how == "mean" else temperature, bins=self.centres)


def square_grid(reach: float) -> Tensor:
    """Return the bins of a square grid, a ascending, then b: [Q, 2] in CIE units."""
    axis = torch.arange(-reach, reach + 1, STEP)
    return torch.cartesian_prod(axis, axis)


AB313 = BinSpec(ab_bins())
"""The bins that sRGB reaches. Source: Zhang et al. 2016."""
AB529 = BinSpec(square_grid(REACH))
"""All of the grid from -110 to 110, 23 x 23. Source: code published with Zhang et al. 2017."""
AB625 = BinSpec(square_grid(REACH + STEP))
"""25 x 25, from -120 to 120. Source: code published with Manjunatha et al. 2018."""
