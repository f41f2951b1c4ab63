"""team-india: a U-Net with self-attention that grows with its critic, both under spectral norm.

Entry of Team India to the NTIRE 2019 challenge on colorization (Gu et al., CVPR workshops 2019). No code was published;
nothing is copied.

    to_ab   generator: lightness to a and b (`GrowingUNet`)
    critic  discriminator of lightness, a and b together (`GrowingCritic`)

The report states attention at 32 and 64 px, spectral norm in both networks, the hinge loss, a critic that learns five
times as fast, and progressive growing; it speaks of growing input *channels*, which is read here as growing pictures:
16, 32, ... 256 px for crops of 256 px. `batches_per_level` says how fast; the batches are counted in a buffer, so that
a resumed run goes on exactly, and the weights file keeps how far the network has grown. With `--init-from` both
networks grow again, since the critic begins anew.

Everything else is ours: layers, L1, which the report does not mention and which holds colours near the truth, and how
sizes are faded in (`nirtrans.nn.growth`).
"""

from typing import Annotated, Any

import torch
from pydantic import Field, model_validator
from torch import Tensor

from nirtrans.color.chroma import chroma, lightness
from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import scale_ab, scale_lightness, unscale_ab
from nirtrans.config import PositiveInt, Settings
from nirtrans.losses.adversarial import critic_loss, generator_loss
from nirtrans.losses.masked import blank, masked_l1
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.growing import GrowingCritic, GrowingUNet
from nirtrans.nn.growth import Growth, blur_to

Width = Annotated[int, Field(ge=1, le=256)]
Weight = Annotated[float, Field(ge=0)]
WIDEST = 8


@MODELS.add("team-india")
class TeamIndia(ChromaSystem):
    """Regress a and b with self-attention under a hinge critic; both networks grow from coarse to fine."""

    class Params(Settings):
        """Sizes of the networks, growth, and weights of the losses."""

        width: Width = 64
        """Channels of the generator at full size; they double up to eight times as many."""
        critic_width: Width = 64
        """Channels of the critic at full size."""
        levels: Annotated[int, Field(ge=2, le=8)] = 5
        """Sizes, each twice the one before: 16 to 256 px for crops of 256 px."""
        attention: tuple[Annotated[int, Field(ge=0, le=7)], ...] = (1, 2)
        """Levels with self-attention, 0 being the coarsest: 32 and 64 px of 256."""
        batches_per_level: PositiveInt = 40_000
        """Training batches per size: half of them at this size, half while the next one fades in."""
        adversarial: Weight = 1.0
        """Weight of the hinge loss of the generator."""
        l1: Weight = 10.0
        """Weight of the mean absolute difference, ab / 110."""

        @model_validator(mode="after")
        def _check_attention(self) -> "TeamIndia.Params":
            if any(level >= self.levels for level in self.attention):
                raise ValueError(f"attention names levels from 0 to {self.levels - 1}, got {list(self.attention)}")
            return self

    phases = {"generator": ("to_ab",), "discriminator": ("critic",)}
    inference = ("to_ab",)
    paper = "Gu et al. 2019, NTIRE challenge, Team India"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        factors = [min(2**level, WIDEST) for level in reversed(range(p.levels))]
        self.to_ab = GrowingUNet(1, 2, widths=[p.width * factor for factor in factors], attention=p.attention)
        self.critic = GrowingCritic(3, widths=[p.critic_width * factor for factor in factors], attention=p.attention)
        self.growth = Growth(levels=p.levels, batches_per_level=p.batches_per_level)

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma of the size of the source, in CIE units; sides multiples of 2 ** (levels - 1)."""
        return unscale_ab(self.to_ab(scale_lightness(lightness(source))))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Grow by one batch and colorize; ab / 110, as sharp as the network is by now, 0 where there is no data."""
        place, valid = self.growth(), batch.valid
        light = scale_lightness(lightness(blank(batch.source, valid)))
        real = blur_to(scale_ab(chroma(blank(batch.target, valid))), place, self.params.levels)
        fake = self.to_ab(light, place)
        return {"place": place, "light": light, "real": blank(real, valid), "fake": blank(fake, valid)}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        p, place, fake = self.params, out["place"], out["fake"]
        if phase == "discriminator":
            real, made = (torch.cat([out["light"], ab], dim=1) for ab in (out["real"], fake.detach()))
            return {"critic": critic_loss(self.critic(real, place), self.critic(made, place), kind="hinge")}
        verdict = self.critic(torch.cat([out["light"], fake], dim=1), place)
        return {
            "gan": p.adversarial * generator_loss(verdict, kind="hinge"),
            "l1": p.l1 * masked_l1(fake, out["real"], batch.valid),
        }
