"""nirtrans-base: a residual U-Net and the losses that measurement kept; our own system.

No paper. Every part is published and named where it is defined; what was measured of each is in docs/results.md. In
short: a residual U-Net (`nirtrans.nn.residual_unet`) regresses the colours directly. Batch norm keeps the brightness of
the source, which instance norm removes, and its running statistics make tiles exact. The angular loss asks for the
right hue where L1 alone settles for grey. On request an unconditional discriminator sharpens the pictures; then
unpaired photographs can take part (`data.pairing: mixed`): they teach what colours look like, never which pixel has
which.
"""

from typing import Annotated, Any

from pydantic import Field, model_validator
from torch import Tensor

from nirtrans.color.luma import Luma, with_luma
from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import Settings
from nirtrans.losses.adversarial import GanKind
from nirtrans.losses.fidelity import Fidelity, fidelity_terms
from nirtrans.losses.masked import blank
from nirtrans.models.critique import critic_terms, generator_terms
from nirtrans.models.system import MODELS, System, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.norms import NormKind
from nirtrans.nn.pool import ImagePool
from nirtrans.nn.residual_unet import ResidualUNet

Weight = Annotated[float, Field(ge=0)]


@MODELS.add("nirtrans-base")
class NirtransBase(System):
    """Regress RGB with a residual U-Net; a discriminator and unpaired photographs on request."""

    class Params(Settings):
        """Size of the generator and weights of the losses."""

        width: Annotated[int, Field(ge=1, le=512)] = 32
        """Channels at full size; they double with each halving up to eight times."""
        depth: Annotated[int, Field(ge=1, le=8)] = 4
        """Halvings."""
        blocks: Annotated[int, Field(ge=0, le=16)] = 1
        """Residual blocks per level of the encoder."""
        norm: NormKind = "batch"
        """Normalisation of the generator: batch, instance, group or none."""
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
        """Share of channels dropped in training."""
        fidelity: Fidelity = Fidelity(l1=1.0, angular=2.0)
        """Distances to the truth, where a batch is aligned."""
        adversarial: Weight = 0.0
        """Weight of the adversarial loss; 0 builds no discriminator."""
        gan: GanKind = "lsgan"
        """Its form: lsgan, bce, hinge or wgan-gp."""
        features: Weight = 0.0
        """Weight of the distance between the discriminator's features, where a batch is aligned."""
        critic: Critic = Critic()
        """The discriminator, which judges colours alone."""
        luma: Luma = "predict"
        """Lightness of the result: predict, copy (the source's), blend or lines (times the source)."""
        luma_share: Annotated[float, Field(ge=0, le=1)] = 0.5
        """Share of the source's lightness in blend."""

        @model_validator(mode="after")
        def _check_critic(self) -> "NirtransBase.Params":
            if self.features and not self.adversarial:
                raise ValueError("features are compared inside the discriminator; give adversarial a weight too")
            return self

    phases = {"generator": ("to_rgb",), "discriminator": ("critic",)}
    pairings = frozenset({"paired", "mixed"})
    inference = ("to_rgb",)
    domains = frozenset({"nir", "gray", "lineart"})
    paper = "none; parts of He et al. 2016, Isola et al. 2017, Wang et al. 2018"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        size = {"width": p.width, "depth": p.depth, "blocks": p.blocks}
        self.to_rgb = ResidualUNet(in_channels, 3, **size, norm=p.norm, dropout=p.dropout)
        if p.adversarial:
            self.critic = make_critic(p.critic, 3)
            self.pool = ImagePool()
        else:
            self.phases = {"generator": ("to_rgb",)}
        self.pairings = frozenset({"paired", "mixed"} if p.adversarial or p.fidelity.histogram else {"paired"})

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]; H and W multiples of 2 ** depth."""
        rgb, p = to_unit(self.to_rgb(to_signed(source))), self.params
        return with_luma(rgb, source, mode=p.luma, share=p.luma_share)

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Colorize once; all tensors in [-1, 1], pixels without data blank on the way in."""
        source, real = (blank(to_signed(image), batch.valid) for image in (batch.source, batch.target))
        return {"source": source, "real": real, "fake": self.to_rgb(source)}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; an unpaired batch knows only the discriminator and the histogram."""
        if phase == "generator":
            return self._generator_terms(batch, out)
        fake = self.pool(blank(out["fake"].detach(), batch.valid))
        show = Augmentation(self.params.critic.augment, fake)
        return critic_terms(self.critic, show, out["real"], fake, gan=self.params.gan)

    def _generator_terms(self, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        p, valid = self.params, batch.valid
        terms = fidelity_terms(
            p.fidelity, out["fake"], out["real"], source=out["source"], valid=valid, paired=batch.paired
        )
        if p.adversarial:
            fake = blank(out["fake"], valid)
            features = p.features / p.adversarial if batch.paired else 0.0
            show = Augmentation(p.critic.augment, fake)
            judged = generator_terms(self.critic, show, out["real"], fake, gan=p.gan, features=features)
            terms |= {name: p.adversarial * term for name, term in judged.items()}
        return terms
