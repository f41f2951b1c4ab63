"""CycleGAN: unpaired translation by two generators that undo each other.

Zhu, Park, Isola, Efros: "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV 2017.
The original code (BSD) was not used. Networks: `ResNetGenerator` twice, `PatchDiscriminator` twice; letters in
`nirtrans.models.cycle`.

What differs on purpose. Doubling by resize-convolutions against checkerboards, with as many parameters as the paper's
transposed 3x3 (`network.up=convt3`). The identity loss, which demands that a generator leaves a picture of its target
domain as it is, cannot be taken literally where source and colours differ in channels; here it is made grey first:

    to_nir  is shown the source repeated in three channels, and must return the source
    to_rgb  is shown the luma of an RGB picture, and must return colours of that luma

so both ask a generator to keep the brightness of what it cannot tell from its target domain. Near infrared is not luma:
`network.identity=0` where vegetation matters more than a quick start. Where a batch is aligned, distances to the truth
can be added (`network.fidelity`), which the paper does not have.
"""

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nirtrans.color.luma import luma
from nirtrans.losses.fidelity import Fidelity, fidelity_terms
from nirtrans.losses.masked import masked_l1
from nirtrans.models.cycle import CycleParams, CycleSystem, Weight
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.blocks import UpKind
from nirtrans.nn.discriminators import make_critic
from nirtrans.nn.norms import NormKind
from nirtrans.nn.resnet import ResNetGenerator


@MODELS.add("cyclegan")
class CycleGAN(CycleSystem):
    """Translate to RGB and back with two equal generators; learns without pairs."""

    class Params(CycleParams):
        """Sizes of the generators and weights of the losses."""

        width: Annotated[int, Field(ge=1, le=512)] = 64
        """Channels of both generators at full size."""
        blocks: Annotated[int, Field(ge=0, le=64)] = 9
        """Residual blocks of both; 6 for crops up to 128 px."""
        up: UpKind = "resize-conv"
        """How they double sizes: resize-conv, convt (transposed 4x4) or convt3 (transposed 3x3, the paper's)."""
        norm: NormKind = "instance"
        """Their normalisation: instance, batch, group or none; critics have their own."""
        identity: Weight = 5.0
        """Weight of keeping the brightness of grey pictures; half the cycle's, 0 switches it off."""
        fidelity: Fidelity = Fidelity()
        """Weights of the distances between colours and truth, where a batch is aligned."""

    paper = "Zhu et al. 2017"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        size: dict[str, Any] = {"width": p.width, "blocks": p.blocks, "up_kind": p.up, "norm": p.norm}
        self.to_rgb = ResNetGenerator(in_channels, 3, **size)
        self.to_nir = ResNetGenerator(3, in_channels, **size)
        self.critic_rgb = make_critic(p.critic_rgb, 3)
        self.critic_nir = make_critic(p.critic_nir, in_channels)

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Translate both sides and back again, and what is grey already; all tensors in [-1, 1]."""
        out = super().forward_train(batch)
        if self.params.identity:
            grey = out["nir"].mean(1, keepdim=True).expand(-1, 3, -1, -1)
            bright = luma(out["rgb"]).expand_as(out["nir"])
            out |= {"same_nir": self.to_nir(grey), "luma": bright[:, :1], "same_luma": luma(self.to_rgb(bright))}
        return out

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        if phase == "discriminator":
            return self.critic_losses(batch, out)
        p, valid = self.params, batch.valid
        terms = self.cycle_losses(batch, out)
        if p.identity:
            kept = masked_l1(out["same_nir"], out["nir"], valid) + masked_l1(out["same_luma"], out["luma"], valid)
            terms["identity"] = p.identity * kept
        nir, rgb = out["nir"], out["rgb"]
        return terms | fidelity_terms(p.fidelity, out["fake_rgb"], rgb, source=nir, valid=valid, paired=batch.paired)
