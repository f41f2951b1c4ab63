"""CUT: one generator, one discriminator, and instead of a way back a contrast of patches.

Park, Efros, Zhang, Zhu: "Contrastive learning for unpaired image-to-image translation", ECCV 2020. Its public code is
BSD; nothing of it is copied. In its letters

    to_rgb     G = G_dec(G_enc(.))
    heads      H, the two-layer networks on five layers of G_enc
    critic_rgb D

A generated patch must, through the encoder of the generator itself, be recognised among 255 other places of its
source (PatchNCE, section 3). Loss: GAN + `nce` PatchNCE(source) + `identity` PatchNCE(target), weights 1 and 1.
FastCUT has 10 and 0 and mirrors sources in half of the steps: both orientations must give the same patches.

What differs: the paper's domains both have three channels and share one encoder. Here the source has `in_channels`, one
as a rule, so whatever is RGB enters the encoder as its luma, repeated for each channel: generated pictures when their
patches are compared, and targets as stand-in sources for the identity term, which thereby becomes the colorizing of a
target's own luma. PatchNCE then ties the structure and leaves colour to the discriminator. Pixels without data are
blank, and patches are drawn only where a cell of the layer is wholly valid. Both PatchNCE terms count whole, as in
the paper's objective; the public code halves them. Any of the `fidelity` terms may join, all off by default.
"""

from typing import Annotated, Any

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor

from nirtrans.color.luma import luma
from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import Settings
from nirtrans.losses.adversarial import GanKind, generator_loss
from nirtrans.losses.contrastive import contrastive_loss, draw_patches
from nirtrans.losses.fidelity import Fidelity, fidelity_terms
from nirtrans.losses.masked import blank
from nirtrans.models.critique import critic_terms
from nirtrans.models.system import MODELS, System, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.blocks import UpKind
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.norms import NormKind
from nirtrans.nn.projection import PatchHeads
from nirtrans.nn.resnet import ResNetGenerator

Weight = Annotated[float, Field(ge=0)]


@MODELS.add("cut")
class CUT(System):
    """Translate in one direction, keeping each patch recognisable among the others of its picture."""

    class Params(Settings):
        """Sizes of the networks and weights of the losses."""

        width: Annotated[int, Field(ge=1, le=512)] = 64
        """Channels of the generator at full size."""
        blocks: Annotated[int, Field(ge=1, le=64)] = 9
        """Residual blocks at its bottom."""
        halvings: Annotated[int, Field(ge=1, le=5)] = 2
        """Levels below full size."""
        up: UpKind = "resize-conv"
        """How it doubles sizes: resize-conv, convt (transposed 4x4) or convt3 (transposed 3x3)."""
        norm: NormKind = "instance"
        """Normalisation of the generator: instance, batch, group or none."""
        critic: Critic = Critic()
        """The discriminator."""
        gan: GanKind = "lsgan"
        """Form of the adversarial loss: lsgan, bce, hinge or wgan-gp."""
        nce: Annotated[float, Field(gt=0)] = 1.0
        """Weight of the contrast between source and generated patches; lambda X, 10 for FastCUT."""
        identity: Weight = 1.0
        """Weight of the contrast between a target and what is made of its luma; lambda Y, 0 for FastCUT."""
        taps: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0, 4, 8, 12, 16)
        """Encoder steps whose patches are compared: 0 the picture, 4, 8, ... the halvings, then the residual blocks."""
        patches: Annotated[int, Field(ge=2, le=65536)] = 256
        """Places drawn per picture and layer."""
        temperature: Annotated[float, Field(ge=1e-3)] = 0.07
        """Divides the cosines; smaller is stricter."""
        head_width: Annotated[int, Field(ge=1, le=4096)] = 256
        """Length of a projected patch."""
        mirror: bool = False
        """Mirror sources in half of the steps and compare with the patches of the unmirrored ones: FastCUT."""
        fidelity: Fidelity = Fidelity()
        """Distances between generated and true RGB, aligned batches but for `histogram`; ours, off as in the paper."""

        @field_validator("taps")
        @classmethod
        def _check_taps(cls, taps: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
            last = 4 * info.data.get("halvings", 5) + info.data.get("blocks", 64) + 3
            if max(taps) > last or len(set(taps)) < len(taps):
                raise ValueError(f"expected different steps up to the last residual block, {last}")
            return tuple(sorted(taps))

    phases = {"generator": ("to_rgb", "heads"), "discriminator": ("critic_rgb",)}
    inference = ("to_rgb",)
    domains = frozenset({"nir", "gray", "lineart"})
    paper = "Park et al. 2020, ECCV"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        size: dict[str, Any] = {"width": p.width, "blocks": p.blocks, "halvings": p.halvings}
        self.to_rgb = ResNetGenerator(in_channels, 3, **size, up_kind=p.up, norm=p.norm)
        self.heads = PatchHeads([self.to_rgb.channels(tap) for tap in p.taps], width=p.head_width)
        self.critic_rgb = make_critic(p.critic, 3)

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]; H and W multiples of 2 ** halvings."""
        return to_unit(self.to_rgb(to_signed(source)))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Translate the sources and, for the identity term, the luma of the targets; all tensors in [-1, 1].

        `made` [K, 3, H, W] and `features` of what entered, [K, c, h, w] per tap, hold both, those of the sources first.
        """
        p = self.params
        source, rgb = (blank(to_signed(image), batch.valid) for image in (batch.source, batch.target))
        entered = torch.cat([source, self._as_source(rgb)]) if p.identity else source
        if p.mirror:
            _, features = self.to_rgb(entered, taps=p.taps, decode=False)
            made = self.to_rgb(entered.flip(3)).flip(3) if torch.rand(()) < 0.5 else self.to_rgb(entered)
        else:
            made, features = self.to_rgb(entered, taps=p.taps)
        return {"source": source, "rgb": rgb, "fake": made[: len(source)], "made": made, "features": features}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        p = self.params
        show = Augmentation(p.critic.augment, out["rgb"])
        fake = blank(out["fake"], batch.valid)
        if phase == "discriminator":
            return critic_terms(self.critic_rgb, show, out["rgb"], fake, gan=p.gan, name="rgb")
        held = fidelity_terms(
            p.fidelity, out["fake"], out["rgb"], source=out["source"], valid=batch.valid, paired=batch.paired
        )
        return {"gan": generator_loss(self.critic_rgb(show(fake)), kind=p.gan), **self._contrast(batch, out), **held}

    def _contrast(self, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Compare patches of what was made with those of what it was made from."""
        p, made, n = self.params, out["made"], len(out["source"])
        valid = None if batch.valid is None else batch.valid.repeat(len(made) // n, 1, 1, 1)
        drawn = [draw_patches(feature, valid, count=p.patches) for feature in out["features"]]
        places, counted = zip(*drawn, strict=True)
        _, again = self.to_rgb(self._as_source(blank(made, valid)), taps=p.taps, decode=False)
        keys = self.heads([feature.detach() for feature in out["features"]], places)
        cost = contrastive_loss(self.heads(again, places), keys, counted, temperature=p.temperature)  # [K]
        terms = {"nce": p.nce * cost[:n].mean()}
        return terms | ({"identity": p.identity * cost[n:].mean()} if p.identity else {})

    def _as_source(self, rgb: Tensor) -> Tensor:
        """Return what the encoder sees of RGB [K, 3, H, W] in [-1, 1]: its luma, [K, in_channels, H, W]."""
        return luma(rgb).expand(-1, self.in_channels, -1, -1)
