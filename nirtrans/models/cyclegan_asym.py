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
against checkerboards; and, where a batch is aligned, the generated picture is held to the true one, which the paper
does not do (`network.fidelity.l1: 0` gives its loss).
"""

from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nirtrans.losses.fidelity import Fidelity, fidelity_terms
from nirtrans.losses.masked import masked_l1
from nirtrans.models.cycle import CycleParams, CycleSystem, Weight
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.blocks import UpKind
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.generators import UNet, UResNet
from nirtrans.nn.norms import NormKind

Width = Annotated[int, Field(ge=1, le=512)]


@MODELS.add("cyclegan-asym")
class CycleGANAsym(CycleSystem):
    """Translate NIR to RGB with a large generator and back with a small one."""

    class Params(CycleParams):
        """Sizes of the four networks and weights of the losses."""

        renamed = MappingProxyType(
            {
                "paired": "fidelity.l1",
                "angular": "fidelity.angular",
                "critic_width": "critic_rgb.width and critic_nir.width",
                "critic_levels": "critic_rgb.layers",
            }
        )
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
        nir_weight: Weight = 1.0
        """Weight of the adversarial loss on NIR; lambda 1 of the paper."""
        cycle: Weight = 10.0
        """Weight of the cycle loss; lambda 2 of the paper."""
        identity: Weight = 0.0
        """Weight of the demand that the RGB-to-NIR generator keeps a grey picture as it is; 0 switches it off."""
        fidelity: Fidelity = Fidelity(l1=30.0)
        """Distances of generated to true colours; l1 also holds generated NIR to true NIR. Ours."""

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

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Translate both sides and back again, and what is grey already; all tensors in [-1, 1]."""
        out = super().forward_train(batch)
        if self.params.identity:
            out["same_nir"] = self.to_nir(out["nir"].mean(1, keepdim=True).expand(-1, 3, -1, -1))
        return out

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        if phase == "discriminator":
            return self.critic_losses(batch, out)
        p, valid = self.params, batch.valid
        terms = self.cycle_losses(batch, out)
        terms |= fidelity_terms(
            p.fidelity, out["fake_rgb"], out["rgb"], source=out["nir"], valid=valid, paired=batch.paired
        )
        if batch.paired and p.fidelity.l1:
            terms["l1_nir"] = p.fidelity.l1 * masked_l1(out["fake_nir"], out["nir"], valid)
        if p.identity:
            terms["identity"] = p.identity * masked_l1(out["same_nir"], out["nir"], valid)
        return terms
