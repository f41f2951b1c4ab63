"""A colorizer of gray pictures whose chroma and distribution are written down, for tests that look at judgements."""

import torch
from torch import Tensor

from nirtrans.color.bins import AB313, BinSpec
from nirtrans.color.guidance import Guidance
from nirtrans.config import Run, Settings
from nirtrans.inference.colorizer import Colorizer
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.weights import ModelInfo

STRIDE_PX = 4


class Stub(ChromaSystem):
    """Show one colour everywhere; rank bins by number, the first of them `favourite`; hints win where they are."""

    phases = {}
    inference = ()
    guidance = frozenset({"points"})

    def __init__(self, ab: tuple[float, float], bins: BinSpec | None, favourite: int) -> None:
        super().__init__(Settings(), in_channels=1)
        self.ab, self.bins, self.favourite = torch.tensor(ab).view(1, 2, 1, 1), bins, favourite

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        ab = self.ab.expand(len(source), -1, *source.shape[2:])
        return ab if guidance is None else ab.where(guidance.mask == 0, guidance.ab)

    def predict_logits(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        assert self.bins is not None
        logits = -torch.arange(len(self.bins)).float()
        logits[self.favourite] = 1.0
        height, width = (size // STRIDE_PX for size in source.shape[2:])
        return logits.view(1, -1, 1, 1).expand(len(source), -1, height, width)


def stub_colorizer(
    ab: tuple[float, float] = (20.0, 30.0),
    *,
    bins: BinSpec | None = AB313,
    favourite: int = 0,
    side_px: int | None = 16,
) -> Colorizer:
    """Return a colorizer that sees pictures at a shorter side of `side_px`."""
    data = {"short_side_px": side_px, "crop_px": side_px or 16}
    info = ModelInfo(model="stub", run=Run(model="stub", domain="gray", data=data), halo_px=0, stride_px=STRIDE_PX)
    return Colorizer(Stub(ab, bins, favourite), info, device=torch.device("cpu"))
