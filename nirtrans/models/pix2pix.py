"""pix2pix: a U-Net against a critic that sees source and colours together, held near the truth by L1.

Isola, Zhu, Zhou, Efros: "Image-to-image translation with conditional adversarial networks", CVPR 2017. The original
code (BSD) was not used. In its letters x is the source and y the colours; here

    to_rgb  G  U-Net of 8 halvings (`UNet`)
    critic  D  patches of 70 px (`PatchDiscriminator`) over source and colours joined

What differs on purpose. Normalisation: the paper uses the statistics of the batch in training and in use, and a batch
of one, which is instance norm. Batch norm with running statistics would differ between training and use at that size,
so instance norm is the default; `network.norm=batch` is for batches of many. Dropout, the paper's source of chance, is
off in use: colorizing is deterministic. Feature matching, other critics, other distances, augmentation and the
lightness of the source are ours, off unless asked for. It needs aligned pairs.
"""

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nirtrans.color.luma import Luma, with_luma
from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import Settings, Share
from nirtrans.losses.adversarial import GanKind
from nirtrans.losses.fidelity import Fidelity, fidelity_terms
from nirtrans.losses.masked import blank
from nirtrans.models.critique import critic_terms, generator_terms
from nirtrans.models.system import MODELS, System, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.generators import UNet
from nirtrans.nn.norms import NormKind


@MODELS.add("pix2pix")
class Pix2Pix(System):
    """Translate with a U-Net that a conditional critic and L1 train; needs aligned pairs."""

    class Params(Settings):
        """Sizes of both networks and weights of the losses."""

        width: Annotated[int, Field(ge=1, le=512)] = 64
        """Channels of the generator's first level."""
        depth: Annotated[int, Field(ge=2, le=10)] = 8
        """Its halvings: crops must be multiples of 2 ** depth; 8 for crops of 256 px, 7 for 128 px."""
        norm: NormKind = "instance"
        """Its normalisation: instance, batch, group or none; the critic has its own."""
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
        """Share of values that its three innermost decoder blocks drop in training."""
        critic: Critic = Critic()
        """The critic of source and colours together."""
        gan: GanKind = "bce"
        """Form of the adversarial loss: bce (the paper's), lsgan, hinge or wgan-gp."""
        features: Annotated[float, Field(ge=0)] = 0.0
        """Weight of feature matching between real and generated colours; pix2pixHD's is 10."""
        fidelity: Fidelity = Fidelity(l1=100.0)
        """Weights of the distances to the truth; L1 at 100 is the paper's."""
        luma: Luma = "predict"
        """Lightness of the result: predict, copy (the source's), blend or lines (times the source)."""
        luma_share: Share = 0.5
        """Share of the source's lightness in blend."""

    phases = {"generator": ("to_rgb",), "discriminator": ("critic",)}
    inference = ("to_rgb",)
    domains = frozenset({"nir", "gray", "lineart"})
    pairings = frozenset({"paired"})
    paper = "Isola et al. 2017"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.to_rgb = UNet(in_channels, 3, width=p.width, depth=p.depth, norm=p.norm, dropout=p.dropout)
        self.critic = make_critic(p.critic, in_channels + 3)

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]; H and W multiples of 2 ** depth."""
        rgb = to_unit(self.to_rgb(to_signed(source)))
        return with_luma(rgb, source, mode=self.params.luma, share=self.params.luma_share)

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Translate once per step; all tensors in [-1, 1], blank where there is no data."""
        source, rgb = (blank(to_signed(image), batch.valid) for image in (batch.source, batch.target))
        return {"source": source, "rgb": rgb, "fake": blank(self.to_rgb(source), batch.valid)}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        p, source, rgb, fake = self.params, out["source"], out["rgb"], out["fake"]
        show = Augmentation(p.critic.augment, rgb, source)
        if phase == "discriminator":
            return critic_terms(self.critic, show, rgb, fake, gan=p.gan)
        terms = generator_terms(self.critic, show, rgb, fake, gan=p.gan, features=p.features)
        return terms | fidelity_terms(p.fidelity, fake, rgb, source=source, valid=batch.valid)
