"""zhang2017: colours that follow hints of the user, or the network's own idea where nothing is said.

Zhang, Zhu, Isola, Geng, Lin, Yu, Efros: "Real-time user-guided image colorization with learned deep priors", SIGGRAPH
2017. The original code (MIT) was not used; weights published with it can be brought over, see
`nirtrans.models.published`. In the paper's words: local hints are a and b of points and their mask, global hints the
colour histogram and the saturation.

    to_ab  `GuidedUNet`: 34,187,027 values, 954,880 more with global hints (`network.palette`)

Two stages. First the classes alone teach the trunk, without hints, and the decoder learns colours from features that it
does not change. Then all of it learns with simulated hints at a tenth of the rate; the paper's third stage is its end,
where the rate falls. Loss: cross-entropy of 529 classes at every fourth pixel + 10 times L1 of a and b over 110.

What differs on purpose: L1 is the mean over a and b; patches that overlap are mixed, not laid over each other; moments
of Adam are (0.9, 0.999) and its weight decay is decoupled.
"""

from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from nirtrans.color.bins import AB529
from nirtrans.color.chroma import chroma, lightness
from nirtrans.color.guidance import Guidance, no_guidance
from nirtrans.color.palette import ab_histogram, mean_saturation
from nirtrans.color.ranges import AB_SCALE, scale_ab, scale_lightness, unscale_ab
from nirtrans.config import Settings
from nirtrans.losses.masked import blank, masked_mean
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.conditioning import HintKind, simulate_hints, stack_hints
from nirtrans.nn.guided_unet import PALETTE, SATURATION, GuidedUNet
from nirtrans.nn.norms import NormKind

CLASS_STEP = 4
"""Classes are told at every fourth pixel."""


@MODELS.add("zhang2017")
class Zhang2017(ChromaSystem):
    """Colour with hints: points, strokes and, on request, the palette of another picture; needs aligned pairs."""

    class Params(Settings):
        """Size of the network, what hints it learns, and weights of the losses."""

        width: Annotated[int, Field(ge=1, le=512)] = 64
        """Channels of the first block; the last has eight times as many."""
        norm: NormKind = "batch"
        """Behind each block: batch (the paper's), instance, group or none."""
        palette: bool = False
        """Whether it takes the histogram and the saturation of another picture, too (`--palette`)."""
        mask_centre: Annotated[float, Field(ge=0, le=1)] = 0.5
        """Subtracted from the mask of the hints; 0 in the published weights."""
        hints: HintKind = "patches"
        """Hints of training: patches (the paper's), pixels (5 to 15, as NTIRE 2019) or strokes."""
        classes: Annotated[float, Field(ge=0)] = 1.0
        """Weight of the cross-entropy of 529 classes."""
        l1: Annotated[float, Field(ge=0)] = 10.0
        """Weight of the L1 distance of a and b, over 110."""
        huber: Annotated[float, Field(ge=0, le=220)] = 0.0
        """Distances below it, in CIE units, count by their square: the Huber loss; 0 is L1, 1 the paper's text."""

    phases = {"classification": ("to_ab",), "regression": ("to_ab",)}
    stages = (("classification",), ("regression",))
    inference = ("to_ab",)
    guidance = frozenset({"points", "histogram"})
    paper = "Zhang et al. 2017"
    bins = AB529
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.to_ab = GuidedUNet(width=p.width, norm=p.norm, palette=p.palette, mask_centre=p.mask_centre)
        if not params.palette:
            self.guidance = frozenset({"points"})

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """[N, 1, H, W] in [0, 1], sides multiples of 8 -> [N, 2, H, W] in CIE units; see `ChromaSystem`."""
        return unscale_ab(self._run(source, guidance)[0])

    def predict_logits(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return the classes before softmax, [N, 529, H / 4, W / 4]."""
        return self._run(source, guidance)[1]

    def _run(self, source: Tensor, guidance: Guidance | None) -> tuple[Tensor, Tensor]:
        light = scale_lightness(lightness(source))
        known = guidance or no_guidance(light)
        return self.to_ab(light, stack_hints(known), self._global(known))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Draw the hints of a step; pixels without data are blank and no hints."""
        ab = blank(chroma(batch.target), batch.valid)
        hints = simulate_hints(self.params.hints, ab, batch.valid)
        if self.params.palette:
            histogram, saturation = ab_histogram(ab, batch.valid), mean_saturation(batch.target, batch.valid)
            hints = Guidance(hints.ab, hints.mask, histogram, saturation)
        light = blank(scale_lightness(lightness(batch.source)), batch.valid)
        shown = (torch.rand(2, len(ab), 1) < 0.5).to(ab.device, ab.dtype)  # of the palette: each part half of the time
        return {"light": light, "ab": ab, "hints": hints, "shown": shown}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return both terms; the first stage sees no hints, and its colours do not teach the trunk."""
        p, light, ab = self.params, out["light"], out["ab"]
        automatic = phase == "classification"
        known = no_guidance(light) if automatic else out["hints"]
        predicted, logits = self.to_ab(light, stack_hints(known), self._global(known, out["shown"]), detach=automatic)
        difference = F.smooth_l1_loss(predicted.float(), scale_ab(ab), beta=p.huber / AB_SCALE, reduction="none")
        terms = {"l1": p.l1 * masked_mean(difference.mean(1, keepdim=True), batch.valid)}
        return terms | {"classes": p.classes * _class_loss(logits, ab, batch.valid)}

    def _global(self, known: Guidance, shown: Tensor | None = None) -> Tensor | None:
        """Return histogram and saturation, a 1 behind each that is given, [N, 316]; `shown`, [2, N, 1], hides some."""
        if not self.params.palette:
            return None
        parts = [(known.histogram, PALETTE), (known.saturation, SATURATION)]
        vectors = [_with_indicator(part, known.mask, length) for part, length in parts]
        if shown is not None:
            vectors = [vector * share for vector, share in zip(vectors, shown, strict=True)]
        return torch.cat(vectors, dim=1)


def _with_indicator(part: Tensor | None, like: Tensor, length: int) -> Tensor:
    if part is None:
        return like.new_zeros(len(like), length)
    return torch.cat([part, part.new_ones(len(part), 1)], dim=1)


def _class_loss(logits: Tensor, ab: Tensor, valid: Tensor | None) -> Tensor:
    """Return the cross-entropy of the nearest of 529 bins at every fourth pixel: logits [N, 529, H / 4, W / 4]."""
    step = (..., slice(None, None, CLASS_STEP), slice(None, None, CLASS_STEP))
    loss = F.cross_entropy(logits.float(), AB529.nearest(ab[step]), reduction="none")[:, None]
    return masked_mean(loss, None if valid is None else valid[step])
