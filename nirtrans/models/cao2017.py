"""cao2017: many colourings of one picture, from noise that enters a generator of full size.

Cao, Zhou, Zhang, Yu: "Unsupervised diverse colorization via generative adversarial networks", ECML PKDD 2017. The code
that its authors published was read for the layer tables; nothing is copied.

    to_ab   generator: Y and noise to U and V (`DiverseColorizer`)
    critic  discriminator of Y, U and V together (`WholeCritic`)

What differs on purpose. Noise is a map whose numbers belong to the places of pixels, so that pictures of any size can
be coloured and one seed always means one colouring; the published noise, 100 numbers and a dense layer for pictures of
64 x 64 px, is `dense_px: 64`. The paper feeds noise to the first three layers, its code to the first alone:
`noisy_layers`. A gradient penalty, which the code offers too, takes the place of clipped weights, and Adam that of
RMSProp; the critic has no batch norm, since the penalty is one of single pictures. L1 is ours, 0 in the paper: it makes
colours truer and all alike.
"""

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from nirtrans.color.chroma import chroma
from nirtrans.color.guidance import Guidance
from nirtrans.color.spaces import U_REACH, V_REACH, rgb_to_yuv, yuv_to_rgb
from nirtrans.config import Settings
from nirtrans.losses.adversarial import GanKind
from nirtrans.losses.masked import blank, masked_l1
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.critique import critic_terms, generator_terms
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.diverse import DiverseColorizer, WholeCritic

Width = Annotated[int, Field(ge=2, le=512)]


@MODELS.add("cao2017")
class Cao2017(ChromaSystem):
    """Draw one of many colourings with noise that a Wasserstein critic keeps plausible."""

    class Params(Settings):
        """Sizes of the networks, noise, and weights of the losses."""

        width: Width = 64
        """Channels of the generator's inner layers."""
        noisy_layers: Annotated[int, Field(ge=1, le=3)] = 1
        """First layers of the generator that receive noise: 1 in the published code, 3 in the paper."""
        dense_px: Annotated[int, Field(ge=1, le=512)] | None = None
        """Side of the pictures for the published dense noise, 64 there; None: noise for each pixel, any size."""
        critic_width: Width = 64
        """Channels of the critic's first layer."""
        gan: GanKind = "wgan-gp"
        """Form of the adversarial loss: wgan-gp, hinge, lsgan or bce."""
        adversarial: Annotated[float, Field(ge=0)] = 1.0
        """Weight of the adversarial loss."""
        l1: Annotated[float, Field(ge=0)] = 0.0
        """Weight of the mean absolute difference of U and V, both in [-1, 1]."""

    phases = {"generator": ("to_ab",), "discriminator": ("critic",)}
    inference = ("to_ab",)
    paper = "Cao et al. 2017"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.to_ab = DiverseColorizer(width=p.width, noisy=p.noisy_layers, dense_px=p.dense_px)
        self.critic = WholeCritic(3, width=p.critic_width)

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma of the size of the source, in CIE units: the colouring of seed 0."""
        y = source.mean(1, keepdim=True)
        return _to_chroma(y, self.to_ab(y))

    def variants(self, source: Tensor, *, count: int, seed: int = 0) -> Tensor:
        """Return `count` colourings of each picture, those of seeds `seed`, `seed + 1`, ...

        Args:
            source: [N, C, H, W] in [0, 1].
            count: How many.
            seed: Of the first; seed 0 is what `predict` returns.

        Returns:
            Chroma in CIE units, [count, N, 2, H, W].

        Raises:
            ValueError: If `count` is below 1.
        """
        if count < 1:
            raise ValueError(f"variants: expected a count of 1 or more, got {count}")
        y = source.mean(1, keepdim=True)
        return torch.stack([_to_chroma(y, self.to_ab(y, seed=seed + number)) for number in range(count)])

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Colorize once with fresh noise; `real` and `fake` are U and V in [-1, 1], 0 where there is no data."""
        y, rgb = blank(batch.source, batch.valid), blank(batch.target, batch.valid)
        real = rgb_to_yuv(rgb)[:, 1:] / _reach(rgb)
        return {"y": y, "real": real, "fake": blank(self.to_ab(y), batch.valid)}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        p, real, fake = self.params, out["real"], out["fake"]
        show = Augmentation((), real, out["y"])
        if phase == "discriminator":
            return critic_terms(self.critic, show, real, fake, gan=p.gan)
        terms = {"gan": p.adversarial * generator_terms(self.critic, show, real, fake, gan=p.gan)["gan"]}
        return terms | ({"l1": p.l1 * masked_l1(fake, real, batch.valid)} if p.l1 else {})


def _reach(like: Tensor) -> Tensor:
    return like.new_tensor([U_REACH, V_REACH]).view(2, 1, 1)


def _to_chroma(y: Tensor, differences: Tensor) -> Tensor:
    return chroma(yuv_to_rgb(torch.cat([y, differences * _reach(y)], dim=1)))
