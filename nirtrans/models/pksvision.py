"""pksvision: colour differences from a small network that never shrinks the picture, under three losses.

Entry of the team pksvision_mm to the NTIRE 2019 challenge on colorization (Gu et al., CVPR workshops 2019). The code
that it published was read for tables and weights; nothing is copied.

    to_ab        generator: Y to Cb and Cr (`FullSizeColorizer`)
    critic       discriminator: one probability for each picture (`MeanCritic`)
    autoencoder  representation network: its code is what generated and true colours are compared in

Two stages: the autoencoder learns to rebuild the true pictures; then it is frozen, and generator and discriminator
learn. Loss of the generator: mean square of CbCr + 0.0063935 adversarial + 1.45e-5 mean square of the codes. The first
stage runs the generator too and learns nothing from it.

What differs on purpose. Cb and Cr are those of JFIF, which are OpenCV's up to the third decimal of its factors. The
generator starts at grey. Its rate is ours: the published one, 1.9e-10, must be that of the last epochs. Batch norm
keeps running statistics, so that a picture that is too large for memory can be coloured in tiles without seams.
"""

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from nirtrans.color.chroma import chroma
from nirtrans.color.guidance import Guidance
from nirtrans.color.spaces import NEUTRAL, rgb_to_ycbcr, ycbcr_to_rgb
from nirtrans.config import Settings
from nirtrans.losses.masked import blank, masked_mse
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.critique import critic_terms, generator_terms
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.pksvision import ColourAutoencoder, FullSizeColorizer, MeanCritic

Weight = Annotated[float, Field(ge=0)]


@MODELS.add("pksvision")
class PKSVision(ChromaSystem):
    """Regress Cb and Cr at full size, judged by a critic and in the code of an autoencoder that was trained before."""

    class Params(Settings):
        """Sizes of the networks and weights of the losses."""

        width: Annotated[int, Field(ge=2, le=512)] = 64
        """Channels of the generator."""
        critic_width: Annotated[int, Field(ge=1, le=512)] = 8
        """Channels of the discriminator's first layer."""
        mse: Weight = 1.0
        """Weight of the mean square of Cb and Cr in [0, 1]."""
        adversarial: Weight = 0.0063935
        """Weight of the adversarial loss, non-saturating cross-entropy."""
        representation: Weight = 1.45e-5
        """Weight of the distance between codes; 0 builds no autoencoder and leaves out the first stage."""

    phases = {"representation": ("autoencoder",), "generator": ("to_ab",), "discriminator": ("critic",)}
    stages: tuple[tuple[str, ...], ...] = (("representation",), ("generator", "discriminator"))
    inference = ("to_ab",)
    paper = "Gu et al. 2019, NTIRE challenge, team pksvision_mm"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        self.to_ab = FullSizeColorizer(width=params.width)
        self.critic = MeanCritic(2, width=params.critic_width)
        if params.representation:
            self.autoencoder = ColourAutoencoder()
        else:
            self.phases = {"generator": ("to_ab",), "discriminator": ("critic",)}
            self.stages = ()

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma of the size of the source, in CIE units."""
        y = source.mean(1, keepdim=True)
        return chroma(ycbcr_to_rgb(torch.cat([y, self.to_ab(y)], dim=1)))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Colorize once; `real` and `fake` are Cb and Cr less that of grey, so that blank pixels are grey."""
        y, rgb = blank(batch.source, batch.valid), blank(batch.target, batch.valid)
        real, fake = rgb_to_ycbcr(rgb)[:, 1:] - NEUTRAL, self.to_ab(y).float() - NEUTRAL
        return {"y": y, "rgb": rgb, "real": blank(real, batch.valid), "fake": blank(fake, batch.valid)}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        p, real, fake = self.params, out["real"], out["fake"]
        if phase == "representation":
            return {"mse": masked_mse(self.autoencoder(out["rgb"])[0], out["rgb"], batch.valid)}
        show = Augmentation((), real)
        if phase == "discriminator":
            return critic_terms(self.critic, show, real, fake, gan="bce")
        terms = {"mse": p.mse * masked_mse(fake, real, batch.valid)}
        terms["gan"] = p.adversarial * generator_terms(self.critic, show, real, fake, gan="bce")["gan"]
        if p.representation:
            terms["representation"] = p.representation * self._code_distance(out)
        return terms

    def _code_distance(self, out: dict[str, Any]) -> Tensor:
        """Return the mean square between the codes of true and generated colours under the same brightness."""
        true, made = (ycbcr_to_rgb(torch.cat([out["y"], out[key] + NEUTRAL], dim=1)) for key in ("real", "fake"))
        with torch.no_grad():
            _, wanted = self.autoencoder(true)
        _, found = self.autoencoder(made)
        return masked_mse(found, wanted)
