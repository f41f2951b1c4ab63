"""Asymmetric CycleGAN: a large generator for the hard direction, a small one for the easy way back.

Sun, Jung, Fu, Han: "NIR to RGB domain translation using asymmetric cycle generative adversarial networks", IEEE
Access 7, 2019, doi 10.1109/ACCESS.2019.2933671. No code was published. In its letters A is NIR and B is RGB; here

    to_rgb      G_AB  U-Net with residual blocks (`UResNet`)
    to_nir      G_BA  U-Net
    critic_rgb  D_B   feature pyramid (`FPNDiscriminator`)
    critic_nir  D_A   plain patch discriminator (`PatchDiscriminator`)

What the paper leaves open, all of it defaults of ours: layer tables, loss weights, LSGAN, the image pool, optimizer and
crop. What differs on purpose: instance instead of batch norm, because batch norm at batches of a few pictures behaves
differently in training and in use, and because instance statistics can be frozen over a scene; resize-convolutions
against checkerboards; and, where a batch is aligned, an L1 term between the generated and the true picture and on
request an angular one, which the paper does not have (`network.paired: 0` removes the first).
"""

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import Settings
from nirtrans.losses.adversarial import GanKind, generator_loss
from nirtrans.losses.color import angular_loss
from nirtrans.losses.cycle import cycle_loss
from nirtrans.losses.masked import blank, masked_l1
from nirtrans.models.critique import critic_terms
from nirtrans.models.system import MODELS, System, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.blocks import UpKind
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.generators import UNet, UResNet
from nirtrans.nn.norms import NormKind
from nirtrans.nn.pool import ImagePool

Width = Annotated[int, Field(ge=1, le=512)]
Weight = Annotated[float, Field(ge=0)]


@MODELS.add("cyclegan-asym")
class CycleGANAsym(System):
    """Translate NIR to RGB with a large generator and back with a small one."""

    class Params(Settings):
        """Sizes of the four networks and weights of the losses."""

        width: Width = 64
        """Channels of the NIR-to-RGB generator at full size."""
        blocks: Annotated[int, Field(ge=0, le=64)] = 9
        """Residual blocks at its bottom; 6 for crops up to 128 px."""
        halvings: Annotated[int, Field(ge=1, le=5)] = 3
        """Levels below full size: 3 puts the blocks at 1/8, 2 at 1/4 with a quarter of the weights."""
        up: UpKind = "resize-conv"
        """How it doubles sizes: resize-conv or convt (transposed 4x4)."""
        norm: NormKind = "instance"
        """Normalisation of the generators: instance, batch, group or none; critics have their own."""
        back_width: Width = 32
        """Channels of the RGB-to-NIR generator; smaller on purpose."""
        back_depth: Annotated[int, Field(ge=2, le=10)] = 8
        """Its halvings: crops must be multiples of 2 ** back_depth."""
        critic_rgb: Critic = Critic(kind="fpn")
        """The critic of RGB pictures."""
        critic_nir: Critic = Critic(kind="patch")
        """The critic of NIR pictures."""
        gan: GanKind = "lsgan"
        """Form of the adversarial loss: lsgan, bce, hinge or wgan-gp."""
        nir_weight: Weight = 1.0
        """Weight of the adversarial loss on NIR; lambda 1 of the paper."""
        cycle: Weight = 10.0
        """Weight of the cycle loss; lambda 2 of the paper."""
        identity: Weight = 0.0
        """Weight of the demand that the RGB-to-NIR generator keeps a grey picture as it is; 0 switches it off."""
        paired: Weight = 30.0
        """Weight of the L1 distance to the truth, where a batch is aligned; ours, 0 gives the paper's loss."""
        angular: Weight = 0.0
        """Weight of the angle between generated and true colour in radians, where a batch is aligned; ours."""

    phases = {"generator": ("to_rgb", "to_nir"), "discriminator": ("critic_rgb", "critic_nir")}
    inference = ("to_rgb",)
    domains = frozenset({"nir", "gray", "lineart"})
    paper = "Sun et al. 2019, IEEE Access 7"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        size = {"width": p.width, "blocks": p.blocks, "halvings": p.halvings}
        self.to_rgb = UResNet(in_channels, 3, **size, up_kind=p.up, norm=p.norm)
        self.to_nir = UNet(3, in_channels, width=p.back_width, depth=p.back_depth, norm=p.norm)
        self.critic_rgb = make_critic(p.critic_rgb, 3)
        self.critic_nir = make_critic(p.critic_nir, in_channels)
        self.pool_rgb, self.pool_nir = ImagePool(), ImagePool()

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]; H and W multiples of 2 ** halvings."""
        return to_unit(self.to_rgb(to_signed(source)))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Translate both sides and back again; all tensors in [-1, 1], pixels without data blank on the way in."""
        nir, rgb = (blank(to_signed(image), batch.valid) for image in (batch.source, batch.target))
        fake_rgb, fake_nir = self.to_rgb(nir), self.to_nir(rgb)
        out = {"nir": nir, "rgb": rgb, "fake_rgb": fake_rgb, "fake_nir": fake_nir}
        out |= {"cycle_nir": self.to_nir(fake_rgb), "cycle_rgb": self.to_rgb(fake_nir)}
        if self.params.identity:
            out["same_nir"] = self.to_nir(nir.mean(1, keepdim=True).expand(-1, 3, -1, -1))
        return out

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        if phase == "generator":
            return self._generator_terms(batch, out)
        p, nir, rgb = self.params, out["nir"], out["rgb"]
        fake_nir = self.pool_nir(blank(out["fake_nir"].detach(), batch.valid))
        fake_rgb = self.pool_rgb(blank(out["fake_rgb"].detach(), batch.valid))
        show_rgb, show_nir = Augmentation(p.critic_rgb.augment, rgb), Augmentation(p.critic_nir.augment, nir)
        terms = critic_terms(self.critic_rgb, show_rgb, rgb, fake_rgb, gan=p.gan, name="rgb")
        return terms | critic_terms(self.critic_nir, show_nir, nir, fake_nir, gan=p.gan, name="nir")

    def _generator_terms(self, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        p, valid = self.params, batch.valid
        fake_rgb, fake_nir = blank(out["fake_rgb"], valid), blank(out["fake_nir"], valid)
        judged_rgb = self.critic_rgb(Augmentation(p.critic_rgb.augment, fake_rgb)(fake_rgb))
        judged_nir = self.critic_nir(Augmentation(p.critic_nir.augment, fake_nir)(fake_nir))
        terms = {
            "gan_rgb": generator_loss(judged_rgb, kind=p.gan),
            "gan_nir": p.nir_weight * generator_loss(judged_nir, kind=p.gan),
            "cycle": p.cycle * cycle_loss([(out["nir"], out["cycle_nir"]), (out["rgb"], out["cycle_rgb"])], valid),
        }
        if batch.paired and p.paired:
            fidelity = masked_l1(out["fake_rgb"], out["rgb"], valid) + masked_l1(out["fake_nir"], out["nir"], valid)
            terms["paired"] = p.paired * fidelity
        if batch.paired and p.angular:
            terms["angular"] = p.angular * angular_loss(to_unit(out["fake_rgb"]), to_unit(out["rgb"]), valid)
        if p.identity:
            terms["identity"] = p.identity * masked_l1(out["same_nir"], out["nir"], valid)
        return terms
