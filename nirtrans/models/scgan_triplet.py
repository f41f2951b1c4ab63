"""SC-GAN: three networks, one per colour channel, fed with near-infrared and noise at every layer.

Suarez, Sappa, Vintimilla, Hammoud: "Near infrared imagery colorization", ICIP 2018. Its predecessors are settings:
`variant: triplet` has neither skips nor noise inside the networks (CVPR workshops 2017, and conditioned ICIAP 2017),
`variant: flat` is one network with three outputs (PAAMS 2017). No code was published; nothing is copied.

    to_rgb  generator: `TripletGenerator`
    critic  discriminator on near-infrared and colour together

Loss: 0.65 adversarial + 0.20 squared difference + 0.15 (1 - SSIM), the paper's weights; the last two on [0, 1].

What the paper leaves open, all of it ours: layer tables, reading its "feature hierarchy" as skips, the standard
deviation 0.1 of the noise, one field of noise for all layers, optimizer and batch. `stacked` reads its stacking as
feature matching after Huang et al. 2017 (Stacked GAN). In training the noise is drawn anew in each step; in use it is 0
or, with `noise` above 0, a fixed field indexed by the place of the pixel, so that tiles agree. Needs aligned pairs.
"""

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import NonNegativeInt, Settings
from nirtrans.losses.adversarial import critic_loss, feature_matching, generator_loss
from nirtrans.losses.masked import blank, masked_mse
from nirtrans.losses.structural import ssim_loss
from nirtrans.models.system import MODELS, System, TrainingBatch
from nirtrans.nn.blocks import UpKind
from nirtrans.nn.norms import NormKind
from nirtrans.nn.triplet import ConditionalCritic, TripletGenerator, TripletKind, check_judged

Width = Annotated[int, Field(ge=1, le=512)]
Weight = Annotated[float, Field(ge=0)]


@MODELS.add("scgan-triplet")
class SCGANTriplet(System):
    """Translate each colour channel by a network of its own, judged together with the source."""

    class Params(Settings):
        """Sizes of the networks, noise, and weights of the losses."""

        variant: TripletKind = "sc"
        """sc (skips, noise at every layer), triplet (neither) or flat (one network for all channels)."""
        width: Width = 64
        """Channels of each network at full size."""
        up: UpKind = "convt"
        """How sizes are doubled: convt (transposed 4x4) or resize-conv, which leaves no checkerboard."""
        norm: NormKind = "batch"
        """Normalisation of all networks: instance, batch, group or none."""
        critic_width: Width = 64
        """Channels of the discriminator's first layer."""
        critic_layers: Annotated[int, Field(ge=1, le=6)] = 4
        """Halvings of the discriminator: crops need 4 * 2 ** critic_layers px or more."""
        sigma: Weight = 0.1
        """Standard deviation of the noise in training; values of the source span -1 to 1."""
        noise: Weight = 0.0
        """Standard deviation of the noise in use; 0 leaves it out."""
        noise_seed: NonNegativeInt = 0
        """Which field of noise is used where `noise` is not 0."""
        adversarial: Weight = 0.65
        """Weight of the adversarial loss, non-saturating cross-entropy."""
        intensity: Weight = 0.20
        """Weight of the squared difference to the truth."""
        structure: Weight = 0.15
        """Weight of 1 - SSIM."""
        stacked: Weight = 0.0
        """Weight of feature matching at every layer of the discriminator; 0.05 suits, 0 switches it off."""

    phases = {"generator": ("to_rgb",), "discriminator": ("critic",)}
    inference = ("to_rgb",)
    domains = frozenset({"nir", "gray", "lineart"})
    pairings = frozenset({"paired"})
    paper = "Suarez et al. 2018, ICIP"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.to_rgb = TripletGenerator(
            in_channels,
            kind=p.variant,
            width=p.width,
            up_kind=p.up,
            norm=p.norm,
            noise=p.noise,
            seed=p.noise_seed,
        )
        self.critic = ConditionalCritic(in_channels + 3, width=p.critic_width, layers=p.critic_layers, norm=p.norm)

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]; H and W multiples of 8, at least 16."""
        return to_unit(self.to_rgb(to_signed(source)))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Translate with fresh noise; all tensors in [-1, 1], pixels without data blank on the way in."""
        nir, rgb = (blank(to_signed(image), batch.valid) for image in (batch.source, batch.target))
        check_judged(nir, layers=self.params.critic_layers)
        noise = self.params.sigma * torch.randn_like(nir[:, :1])
        return {"nir": nir, "rgb": rgb, "fake": self.to_rgb(nir, noise)}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        real = torch.cat([out["nir"], out["rgb"]], dim=1)
        fake = torch.cat([out["nir"], blank(out["fake"], batch.valid)], dim=1)
        if phase == "discriminator":
            return {"rgb": critic_loss(self.critic(real), self.critic(fake.detach()), kind="bce")}
        p, unit, truth = self.params, to_unit(out["fake"]), to_unit(out["rgb"])
        logits, found = self.critic(fake, features=True)
        terms = {
            "adversarial": p.adversarial * generator_loss(logits, kind="bce"),
            "intensity": p.intensity * masked_mse(unit, truth, batch.valid),
            "ssim": p.structure * ssim_loss(unit, truth, batch.valid),
        }
        if p.stacked:
            with torch.no_grad():
                _, wanted = self.critic(real, features=True)
            terms["stacked"] = p.stacked * feature_matching(wanted, found)
        return terms
