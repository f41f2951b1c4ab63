"""Chroma systems for tests: colours that follow from the picture in a way that can be told beforehand."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.color.guidance import Guidance
from nirtrans.config import Run, Settings
from nirtrans.inference.colorizer import Colorizer
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.weights import ModelInfo

STRIDE_PX = 8


class Warm(ChromaSystem):
    """Bright pixels are orange, dark ones blue, at half the size; where hints are, chroma is theirs."""

    inference = ("scale",)
    paper = "none"
    guidance = frozenset({"points"})

    def __init__(self) -> None:
        super().__init__(Settings(), in_channels=1)
        self.scale = nn.Conv2d(1, 2, 1)
        nn.init.constant_(self.scale.weight, 60.0)
        nn.init.constant_(self.scale.bias, -30.0)
        self.seen: list[torch.Size] = []

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        self.seen.append(source.shape)
        assert not any(side % STRIDE_PX for side in source.shape[2:])
        ab = self.scale(source)
        if guidance is not None:
            assert guidance.mask.shape[2:] == source.shape[2:]
            ab = torch.where(guidance.mask > 0, guidance.ab, ab)
        return F.avg_pool2d(ab, 2)


class Plain(Warm):
    """The same without hints."""

    guidance = frozenset()


def photo_colorizer(system: ChromaSystem | None = None, *, short_side_px: int = 32, **info: Any) -> Colorizer:
    """Return a colorizer of a chroma system that sees pictures of `short_side_px`."""
    run = Run(model="warm", domain="gray", data={"crop_px": short_side_px, "short_side_px": short_side_px})
    place = {"halo_px": 0, "stride_px": STRIDE_PX} | info
    return Colorizer(system or Warm(), ModelInfo(model="warm", run=run, **place), device=torch.device("cpu"))
