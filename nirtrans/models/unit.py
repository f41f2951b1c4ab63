"""UNIT: two autoencoders over one latent space, so that what one encodes the other can decode.

Liu, Breuel, Kautz: "Unsupervised image-to-image translation networks", NIPS 2017. Nothing is copied from other code.
In its letters, 1 being the source and 2 RGB:

    from_source, from_rgb  E1, E2 without their last block
    encode                 the last block of E1 and E2, one and the same: its output is the mean of the latent code
    decode                 the first block of G1 and G2, one and the same
    to_source, to_rgb      G1, G2 without their first block
    critic_source, critic_rgb  D1, D2

The shared blocks are the paper's; later implementations leave them out and rely on the cycle alone. Its loss weights
are the defaults too (section 4). Not from the paper but from its successors: strided 4x4 convolutions, instance norm,
residual blocks of constant width (nf 48, so 192 channels at 1/4), LSGAN, and discriminators at three scales with
spectral norm. Codes get noise of variance 1 in training, from torch's global generator, and none in use: `colorize` is
deterministic. Any of the `fidelity` terms may join, all off by default.
"""

from typing import Annotated, Any

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor

from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import Settings
from nirtrans.losses.adversarial import GanKind, generator_loss
from nirtrans.losses.cycle import cycle_loss
from nirtrans.losses.fidelity import Fidelity, fidelity_terms
from nirtrans.losses.latent import code_divergence
from nirtrans.losses.masked import blank
from nirtrans.models.critique import critic_terms
from nirtrans.models.system import MODELS, System, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.autoencoder import PictureDecoder, PictureEncoder, ResidualChain
from nirtrans.nn.blocks import UpKind
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.norms import NormKind

Weight = Annotated[float, Field(ge=0)]
GENERATORS = ("from_source", "from_rgb", "encode", "decode", "to_source", "to_rgb")
SIDES = ("source", "rgb")


@MODELS.add("unit")
class UNIT(System):
    """Encode a picture into a latent space common to source and RGB, and decode it as RGB."""

    class Params(Settings):
        """Sizes of the networks and weights of the losses."""

        width: Annotated[int, Field(ge=1, le=512)] = 48
        """Channels of encoders and decoders at full size."""
        halvings: Annotated[int, Field(ge=1, le=5)] = 2
        """Levels below full size: 2 puts the latent code at 1/4."""
        blocks: Annotated[int, Field(ge=1, le=64)] = 4
        """Residual blocks of each encoder and each decoder."""
        shared: Annotated[int, Field(ge=1, le=64)] = 1
        """How many of them both domains share, next to the code; at most `blocks`."""
        up: UpKind = "resize-conv"
        """How decoders double sizes: resize-conv, convt (transposed 4x4) or convt3 (transposed 3x3)."""
        norm: NormKind = "instance"
        """Normalisation of encoders and decoders: instance, batch, group or none."""
        critic: Critic = Critic(kind="multiscale", width=48, layers=4, scales=3, norm="none", spectral=True)
        """Both discriminators."""
        gan: GanKind = "lsgan"
        """Form of the adversarial loss: lsgan, bce, hinge or wgan-gp."""
        gan_weight: Weight = 10.0
        """Weight of the adversarial losses; lambda 0 of the paper."""
        kl: Weight = 0.1
        """Weight of the mean square of the codes of pictures; lambda 1."""
        recon: Weight = 100.0
        """Weight of the L1 distance between a picture and what its own decoder makes of its code; lambda 2."""
        cycle_kl: Weight = 0.1
        """Weight of the mean square of the codes of translated pictures; lambda 3."""
        cycle: Weight = 100.0
        """Weight of the L1 distance between a picture and its translation translated back; lambda 4."""
        fidelity: Fidelity = Fidelity()
        """Distances between generated and true RGB, aligned batches but for `histogram`; ours, off as in the paper."""

        @field_validator("shared")
        @classmethod
        def _check_shared(cls, shared: int, info: ValidationInfo) -> int:
            if shared > info.data.get("blocks", shared):
                raise ValueError(f"must not exceed network.blocks {info.data['blocks']}")
            return shared

    phases = {"generator": GENERATORS, "discriminator": ("critic_source", "critic_rgb")}
    inference = ("from_source", "encode", "decode", "to_rgb")
    domains = frozenset({"nir", "gray", "lineart"})
    paper = "Liu et al. 2017, NIPS"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        own: dict[str, Any] = {"width": p.width, "halvings": p.halvings, "blocks": p.blocks - p.shared, "norm": p.norm}
        common: dict[str, Any] = {"blocks": p.shared, "norm": p.norm}
        self.from_source, self.from_rgb = PictureEncoder(in_channels, **own), PictureEncoder(3, **own)
        self.encode = ResidualChain(p.width * 2**p.halvings, **common)
        self.decode = ResidualChain(p.width * 2**p.halvings, **common)
        self.to_source = PictureDecoder(in_channels, **own, up_kind=p.up)
        self.to_rgb = PictureDecoder(3, **own, up_kind=p.up)
        self.critic_source, self.critic_rgb = make_critic(p.critic, in_channels), make_critic(p.critic, 3)

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]; H and W multiples of 2 ** halvings."""
        return to_unit(self.to_rgb(self.decode(self.encode(self.from_source(to_signed(source))))))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Encode both sides, decode each code both ways, and translate the translations back; pictures in [-1, 1]."""
        source, rgb = (blank(to_signed(image), batch.valid) for image in (batch.source, batch.target))
        codes = [self.encode(self.from_source(source)), self.encode(self.from_rgb(rgb))]
        of_source, of_rgb = (self.decode(_sample(code)) for code in codes)
        out = {"source": source, "rgb": rgb, "codes": codes}
        out |= {"same_source": self.to_source(of_source), "fake_rgb": self.to_rgb(of_source)}
        out |= {"same_rgb": self.to_rgb(of_rgb), "fake_source": self.to_source(of_rgb)}
        again = [self.encode(self.from_rgb(out["fake_rgb"])), self.encode(self.from_source(out["fake_source"]))]
        back_to_source, back_to_rgb = (self.decode(_sample(code)) for code in again)
        out |= {"cycle_source": self.to_source(back_to_source), "cycle_rgb": self.to_rgb(back_to_rgb)}
        return out | {"cycle_codes": again}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        if phase == "generator":
            return self._generator_terms(batch, out)
        p = self.params
        terms: dict[str, Tensor] = {}
        for side, critic in (("source", self.critic_source), ("rgb", self.critic_rgb)):
            show, fake = Augmentation(p.critic.augment, out[side]), blank(out[f"fake_{side}"].detach(), batch.valid)
            terms |= critic_terms(critic, show, out[side], fake, gan=p.gan, name=side)
        return terms

    def _generator_terms(self, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        p, valid = self.params, batch.valid
        kept, cycled = ([(out[side], out[f"{kind}_{side}"]) for side in SIDES] for kind in ("same", "cycle"))
        terms = {
            "recon": p.recon * cycle_loss(kept, valid),
            "kl": p.kl * _divergence(out["codes"], valid),
            "cycle": p.cycle * cycle_loss(cycled, valid),
            "cycle_kl": p.cycle_kl * _divergence(out["cycle_codes"], valid),
        }
        for side, critic in (("source", self.critic_source), ("rgb", self.critic_rgb)):
            show = Augmentation(p.critic.augment, out[side])
            judged = critic(show(blank(out[f"fake_{side}"], valid)))
            terms[f"gan_{side}"] = p.gan_weight * generator_loss(judged, kind=p.gan)
        return terms | fidelity_terms(
            p.fidelity, out["fake_rgb"], out["rgb"], source=out["source"], valid=valid, paired=batch.paired
        )


def _sample(code: Tensor) -> Tensor:
    """Draw from N(code, 1)."""
    return code + torch.randn_like(code)


def _divergence(codes: list[Tensor], valid: Tensor | None) -> Tensor:
    return torch.stack([code_divergence(code, valid) for code in codes]).sum()
