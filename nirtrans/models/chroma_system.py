"""The contract of systems that colour a picture whose lightness stays: they predict chroma, at any resolution."""

from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from nirtrans.color.bins import BinSpec
from nirtrans.color.chroma import chroma, with_chroma
from nirtrans.color.guidance import Guidance
from nirtrans.losses.masked import blank, valid_cells
from nirtrans.models.system import System, TrainingBatch

GuidanceKind = Literal["points", "histogram"]


class ChromaSystem(System):
    """Predict a and b of CIE Lab; lightness is the source's.

    Such a system never sees a large picture: it sees it shrunk to the size of its training, and the chroma is enlarged
    again, edges following the full lightness (`nirtrans.inference.photo`).

    Attributes:
        guidance: What `predict` understands of a `Guidance`; empty for automatic systems. That of a class is what its
            systems may understand, depending on their settings.
        needs_guidance: Whether there is no picture without hints, as for scribble propagation.
        bins: The classes of `predict_logits`; None for systems that predict no distribution.
    """

    domains = frozenset({"gray"})
    pairings = frozenset({"paired"})
    guidance: frozenset[GuidanceKind] = frozenset()
    needs_guidance: ClassVar[bool] = False
    bins: BinSpec | None = None

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Predict chroma: [N, 1, H, W] in [0, 1] -> [N, 2, h, w] in CIE units, (h, w) a fixed share of (H, W).

        Args:
            source: The picture, sides multiples of the stride.
            guidance: What is known of its colours, of the size of the source; None: nothing.

        Raises:
            InputError: If a side does not fit the network; names one that does.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no predict")

    def predict_logits(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Predict how likely each of `bins` is: as `predict`, but -> [N, Q, h, w] before softmax.

        Only for systems with `bins`; evaluation asks for it to see whether the true bin is among the likeliest.
        """
        raise NotImplementedError(f"{type(self).__name__} predicts no distribution")

    def colorize(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Translate [N, 1, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1] of the same lightness."""
        return with_chroma(source, self.predict(source, guidance))


def true_chroma(batch: TrainingBatch, size: tuple[int, int]) -> tuple[Tensor, Tensor | None]:
    """Return what a prediction of a size is compared with.

    Args:
        batch: Targets [N, 3, H, W].
        size: Height and width (h, w) of the prediction, a fixed share of (H, W).

    Returns:
        Chroma averaged over the pixels of each cell, [N, 2, h, w] in CIE units, and which cells hold nothing but valid
        pixels, [N, 1, h, w], bool; None if all do.
    """
    ab = F.adaptive_avg_pool2d(chroma(blank(batch.target, batch.valid)), size)
    return ab, None if batch.valid is None else valid_cells(batch.valid, size)
