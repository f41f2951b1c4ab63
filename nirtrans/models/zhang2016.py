"""zhang2016: colour as classification over 313 bins, rare colours weighted up, decoded by an annealed mean.

Zhang, Isola, Efros: "Colorful Image Colorization", ECCV 2016. The original code (BSD-2) was not used; weights published
with it can be brought over, see `nirtrans.models.published`.

What differs on purpose. The target spreads over 5 bins, as the paper says (the published training code: 10). The prior
is that of the training pictures. The annealed mean is decoded as one fused step; the release decodes the plain mean by
a 1x1 convolution, `temperature: 1` here. Weights begin as He et al. 2015 draw them, not by k-means.
"""

from typing import Annotated, Any

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from nirtrans.color.bins import AB313
from nirtrans.color.chroma import chroma, lightness
from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import scale_lightness
from nirtrans.config import Settings
from nirtrans.losses.classes import rebalanced_cross_entropy
from nirtrans.losses.masked import blank
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.heads import BinDecoder, BinPrior
from nirtrans.nn.init import init_rectified
from nirtrans.nn.norms import NormKind
from nirtrans.nn.trunks import DilatedVGG

SHRINKING = 4
"""The network classifies one pixel of so many in each direction."""


@MODELS.add("zhang2016")
class Zhang2016(ChromaSystem):
    """Classify the colour of every fourth pixel among 313 bins, rare ones weighted up; decode by the annealed mean."""

    class Params(Settings):
        """Size of the network, target, weights and decoding."""

        width: Annotated[int, Field(ge=1, le=512)] = 64
        """Channels of the first block; the widest have eight times as many."""
        norm: NormKind = "batch"
        """Normalisation at the end of each block: batch, instance, group or none."""
        neighbors: Annotated[int, Field(ge=1, le=313)] = 5
        """Bins that share the target of a pixel; the published training code has 10."""
        sigma: Annotated[float, Field(gt=0, le=100)] = 5.0
        """Width of the Gaussian that shares them out, CIE units."""
        rebalance: Annotated[float, Field(ge=0, le=1)] = 0.5
        """Share of the uniform distribution mixed into the prior (lambda); 1 weights all colours alike."""
        skip_gray: Annotated[float, Field(ge=0, le=128)] | None = 5.0
        """Pictures whose a and b stay within this everywhere teach nothing; None: all do."""
        temperature: Annotated[float, Field(gt=0, le=1)] = 0.38
        """Of the annealed mean: towards 0 vivid and patchy, at 1 dull and even."""

    phases = {"classifier": ("to_ab",)}
    inference = ("to_ab",)
    paper = "Zhang, Isola, Efros 2016"
    bins = AB313
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        self.to_ab = BinClassifier(width=params.width, norm=params.norm, temperature=params.temperature)

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return the annealed mean, [N, 2, H/4, W/4] in CIE units; sides multiples of 8."""
        return self.to_ab(scale_lightness(lightness(source)))

    def predict_logits(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return the classes before softmax, [N, 313, H/4, W/4]."""
        return self.to_ab(scale_lightness(lightness(source)), decode=False)[0]

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Classify once."""
        logits, prior = self.to_ab(scale_lightness(lightness(blank(batch.source, batch.valid))), decode=False)
        return {"logits": logits, "prior": prior}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the cross-entropy against the softly encoded chroma; equations 2 to 4."""
        p = self.params
        ab = F.avg_pool2d(chroma(blank(batch.target, batch.valid)), SHRINKING)
        loss = rebalanced_cross_entropy(
            out["logits"],
            ab,
            prior=out["prior"],
            mix=p.rebalance,
            neighbors=p.neighbors,
            sigma=p.sigma,
            skip_gray=p.skip_gray,
            valid=batch.valid,
        )
        return {"classes": loss}


class BinClassifier(nn.Module):
    """Lightness to bins: the dilated trunk, one doubling and a 1x1 convolution to the classes.

    Args:
        width: See DilatedVGG.
        norm: Kind of normalisation.
        temperature: Of the annealed mean.
    """

    def __init__(self, *, width: int, norm: NormKind, temperature: float) -> None:
        super().__init__()
        self.trunk = DilatedVGG(1, width=width, norm=norm)
        half = self.trunk.outputs // 2
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(self.trunk.outputs, half, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(half, half, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(half, half, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(half, len(AB313), 1),
        )
        self.prior = BinPrior(AB313)
        self.decoder = BinDecoder(AB313, temperature=temperature)
        init_rectified(self)

    def forward(self, light: Tensor, *, decode: bool = True) -> Tensor | tuple[Tensor, Tensor]:
        """Classify lightness [N, 1, H, W], scaled to [-0.5, 0.5].

        Returns:
            Chroma [N, 2, H/4, W/4] in CIE units; with `decode` False logits [N, 313, H/4, W/4] and the prior [313].

        Raises:
            InputError: If a side is no multiple of 8.
        """
        logits = self.model8(self.trunk(light)[-1])
        return self.decoder(logits.float()) if decode else (logits, self.prior.frequency)
