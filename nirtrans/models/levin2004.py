"""levin2004: strokes spread until they meet an edge of brightness; no training.

Levin, Lischinski, Weiss: "Colorization using optimization", SIGGRAPH 2004. The colour of a pixel is the weighted mean
of its eight neighbours', weights falling with the difference of brightness; where a hint is, the colour is the hint's.
That is one sparse linear system with a row per pixel and two right sides, a and b (`nirtrans.color.propagation`).

What differs on purpose: the colours are a and b of CIE Lab instead of U and V, because lightness is kept in Lab here;
brightness is the gray source in [0, 1], as in the published code, whose weights these are.
"""

import torch
from torch import Tensor

from nirtrans.color.guidance import Guidance
from nirtrans.color.propagation import propagate
from nirtrans.models.formulas import FORMULAS, Formula, hints_in


@FORMULAS.add("levin2004")
class Levin2004(Formula):
    """Spread hints over regions of like brightness by solving a sparse linear system; no training, needs hints."""

    paper = "Levin, Lischinski, Weiss 2004"
    short_side_px = 384  # time grows faster than the pixels: seconds at this size

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """[N, 1, H, W] in [0, 1] -> [N, 2, H, W] in CIE units; see `ChromaSystem`. Hinted pixels keep their colour."""
        known = hints_in(guidance)
        brightness = source[:, 0].double().clamp(0, 1).cpu().numpy()  # [N, H, W]
        colours, hinted = known.ab.double().cpu().numpy(), (known.mask[:, 0] > 0).cpu().numpy()
        solved = [propagate(*parts) for parts in zip(brightness, colours, hinted, strict=True)]
        return torch.stack([torch.from_numpy(ab) for ab in solved]).to(source.device, known.ab.dtype)
