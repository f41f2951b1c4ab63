"""What systems of two generators and two critics share: there and back again must give the same picture.

In the letters of Zhu et al. 2017, with the source as X and RGB as Y,

    to_rgb      G    source to RGB
    to_nir      F    RGB to source
    critic_rgb  D_Y  judges RGB
    critic_nir  D_X  judges sources

"nir" stands for the source, whatever the domain.
"""

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor, nn

from nirtrans.color.luma import Luma, with_luma
from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import Settings, Share
from nirtrans.losses.adversarial import GanKind, generator_loss
from nirtrans.losses.cycle import cycle_loss
from nirtrans.losses.masked import blank
from nirtrans.models.critique import critic_terms
from nirtrans.models.system import System, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.discriminators import Critic
from nirtrans.nn.pool import ImagePool

Weight = Annotated[float, Field(ge=0)]


class CycleParams(Settings):
    """Critics and weights of the losses that every cycle has."""

    critic_rgb: Critic = Critic()
    """The critic of RGB pictures."""
    critic_nir: Critic = Critic()
    """The critic of sources."""
    gan: GanKind = "lsgan"
    """Form of the adversarial loss: lsgan, bce, hinge or wgan-gp."""
    nir_weight: Weight = 1.0
    """Weight of the adversarial loss on sources; that on RGB has 1."""
    cycle: Weight = 10.0
    """Weight of the cycle loss."""
    luma: Luma = "predict"
    """Lightness of colorized pictures: predict (the network's), copy (the source's), blend or lines (times the source).

    Training predicts it."""
    luma_share: Share = 0.5
    """Weight of the source's lightness in blend."""


class CycleSystem(System):
    """Translate there and back again; a system of its own sets the four networks and adds its terms."""

    phases = {"generator": ("to_rgb", "to_nir"), "discriminator": ("critic_rgb", "critic_nir")}
    inference = ("to_rgb",)
    domains = frozenset({"nir", "gray", "lineart"})
    params: CycleParams
    to_rgb: nn.Module
    to_nir: nn.Module
    critic_rgb: nn.Module
    critic_nir: nn.Module

    def __init__(self, params: CycleParams, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        self.pool_rgb, self.pool_nir = ImagePool(), ImagePool()

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]."""
        rgb = to_unit(self.to_rgb(to_signed(source)))
        return with_luma(rgb, source, mode=self.params.luma, share=self.params.luma_share)

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Translate both sides and back again; all tensors in [-1, 1], pixels without data blank on the way in."""
        nir, rgb = (blank(to_signed(image), batch.valid) for image in (batch.source, batch.target))
        fake_rgb, fake_nir = self.to_rgb(nir), self.to_nir(rgb)
        out = {"nir": nir, "rgb": rgb, "fake_rgb": fake_rgb, "fake_nir": fake_nir}
        return out | {"cycle_nir": self.to_nir(fake_rgb), "cycle_rgb": self.to_rgb(fake_nir)}

    def critic_losses(self, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of both critics, which judge remembered pictures too."""
        p, nir, rgb = self.params, out["nir"], out["rgb"]
        fake_nir = self.pool_nir(blank(out["fake_nir"].detach(), batch.valid))
        fake_rgb = self.pool_rgb(blank(out["fake_rgb"].detach(), batch.valid))
        show_rgb, show_nir = Augmentation(p.critic_rgb.augment, rgb), Augmentation(p.critic_nir.augment, nir)
        terms = critic_terms(self.critic_rgb, show_rgb, rgb, fake_rgb, gan=p.gan, name="rgb")
        return terms | critic_terms(self.critic_nir, show_nir, nir, fake_nir, gan=p.gan, name="nir")

    def cycle_losses(self, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of both generators: adversarial and cycle."""
        p, valid = self.params, batch.valid
        fake_rgb, fake_nir = blank(out["fake_rgb"], valid), blank(out["fake_nir"], valid)
        judged_rgb = self.critic_rgb(Augmentation(p.critic_rgb.augment, fake_rgb)(fake_rgb))
        judged_nir = self.critic_nir(Augmentation(p.critic_nir.augment, fake_nir)(fake_nir))
        return {
            "gan_rgb": generator_loss(judged_rgb, kind=p.gan),
            "gan_nir": p.nir_weight * generator_loss(judged_nir, kind=p.gan),
            "cycle": p.cycle * cycle_loss([(out["nir"], out["cycle_nir"]), (out["rgb"], out["cycle_rgb"])], valid),
        }
