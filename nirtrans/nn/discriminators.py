"""Networks that tell real pictures from generated ones; they return raw logits, one map or several.

Each returns, when called with `features=True`, also what its layers found, for feature matching.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from nirtrans.config import Settings
from nirtrans.errors import InputError
from nirtrans.nn.augment import AugmentKind
from nirtrans.nn.blocks import LEAK, down, needs_bias
from nirtrans.nn.init import init_weights
from nirtrans.nn.norms import NormKind, make_norm

Judgement = list[Tensor] | tuple[list[Tensor], list[Tensor]]
"""Logits, or with `features=True` logits and features."""


class Critic(Settings):
    """A discriminator and what is done against its overfitting."""

    kind: Literal["patch", "fpn", "multiscale"] = "patch"
    """patch (one map of logits), multiscale (one map per size of the picture) or fpn (a pyramid of three levels)."""
    width: Annotated[int, Field(ge=1, le=512)] = 64
    """Channels of the first layer; they double up to 8 * width."""
    layers: Annotated[int, Field(ge=1, le=7)] | None = None
    """Halvings; None is 3 (patches of 70 px), or 5 for fpn, which needs at least 3."""
    scales: Annotated[int, Field(ge=1, le=5)] = 3
    """Sizes at which multiscale looks: full, half, quarter, ..."""
    norm: NormKind = "instance"
    """Normalisation: instance, batch, group or none."""
    spectral: bool = False
    """Divide every weight by its largest singular value, which bounds how fast a verdict can change."""
    augment: tuple[AugmentKind, ...] = ()
    """Random changes of all that it is shown: colour, translation, cutout; for small data sets."""

    @model_validator(mode="after")
    def _check_levels(self) -> "Critic":
        if self.kind == "fpn" and (self.layers or 5) < 3:
            raise ValueError(
                f"layers of an fpn critic must be 3 or more, got {self.layers}; its three lowest are judged"
            )
        return self


def make_critic(settings: Critic, inputs: int) -> nn.Module:
    """Build a discriminator for pictures of `inputs` channels, source and picture together if it is conditional.

    Its `augment` is not part of the network; see `nirtrans.nn.augment.Augmentation`.

    Example:
        >>> import torch
        >>> [tuple(logits.shape) for logits in make_critic(Critic(width=4), 4)(torch.zeros(1, 4, 64, 64))]
        [(1, 1, 6, 6)]
    """
    common: dict[str, Any] = {"width": settings.width, "norm": settings.norm}
    critic: nn.Module
    if settings.kind == "fpn":
        critic = FPNDiscriminator(inputs, levels=settings.layers or 5, **common)
    elif settings.kind == "multiscale":
        critic = MultiscaleDiscriminator(inputs, layers=settings.layers or 3, scales=settings.scales, **common)
    else:
        critic = PatchDiscriminator(inputs, layers=settings.layers or 3, **common)
    if settings.spectral:
        _normalise_spectrally(critic)
    return critic


class PatchDiscriminator(nn.Module):
    """PatchGAN: one logit per overlapping patch, 70 px wide with three layers.

    Args:
        inputs: Channels of the input.
        width: Channels of the first layer; they double up to 8 * width.
        layers: Convolutions of stride 2.
        norm: Kind of normalisation.

    Parameters at width 64: batch norm 2,764,481 for one channel and 2,767,553 for four; instance norm 2,762,689 for
    one and 2,764,737 for three. Every convolution counts with a bias; before instance norm the norm holds it.

    Source: Isola et al. 2017, section 3.2.2 and appendix 6.1.2.
    """

    def __init__(self, inputs: int, *, width: int = 64, layers: int = 3, norm: NormKind = "instance") -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(layers + 1)]
        body = [down(inputs, width, norm="none")]
        body += [down(widths[i], widths[i + 1], norm=norm) for i in range(layers - 1)]
        last = nn.Conv2d(widths[-2], widths[-1], 4, padding=1, bias=needs_bias(norm))
        self.body = nn.Sequential(*body, last, make_norm(norm, widths[-1]), nn.LeakyReLU(LEAK))
        self.head = nn.Conv2d(widths[-1], 1, 4, padding=1)
        self.least_px = 3 * 2**layers
        init_weights(self)

    def forward(self, image: Tensor, *, features: bool = False) -> Judgement:
        """Judge [N, inputs, H, W] in [-1, 1]; returns one map of logits, [N, 1, H/8 - 2, W/8 - 2] with three layers.

        Raises:
            InputError: If no patch fits.
        """
        _check_least(image, self.least_px)
        layers = list(self.body)
        found = _outputs([*layers[:-3], nn.Sequential(*layers[-3:])], image)
        logits = [self.head(found[-1])]
        return (logits, found) if features else logits


class MultiscaleDiscriminator(nn.Module):
    """The same PatchGAN, with weights of its own, at several sizes of the picture.

    Args:
        inputs: Channels of the input.
        scales: Networks; each sees the picture at half the size of the one before.
        width: Channels of the first layers.
        layers: Convolutions of stride 2 of each network.
        norm: Kind of normalisation.

    Parameters: `scales` times those of `PatchDiscriminator`.

    Source: Wang et al. 2018 (pix2pixHD), section 3.2.
    """

    def __init__(
        self, inputs: int, *, scales: int = 3, width: int = 64, layers: int = 3, norm: NormKind = "instance"
    ) -> None:
        super().__init__()
        self.critics = nn.ModuleList(
            PatchDiscriminator(inputs, width=width, layers=layers, norm=norm) for _ in range(scales)
        )
        self.least_px = 3 * 2 ** (layers + scales - 1)

    def forward(self, image: Tensor, *, features: bool = False) -> Judgement:
        """Judge [N, inputs, H, W] in [-1, 1]; returns one map of logits per size, finest first.

        Raises:
            InputError: If no patch fits into the smallest size.
        """
        _check_least(image, self.least_px)
        logits: list[Tensor] = []
        found: list[Tensor] = []
        for scale, critic in enumerate(self.critics):
            if scale:
                image = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
            verdict, seen = critic(image, features=True)
            logits += verdict
            found += seen
        return (logits, found) if features else logits


class FPNDiscriminator(nn.Module):
    """A feature pyramid that judges at 1/8, 1/16 and 1/32 of the size, each level knowing the ones above it.

    Args:
        inputs: Channels of the input.
        width: Channels of the first layer; they double up to 8 * width.
        levels: Convolutions of stride 2; the three lowest are judged.
        pyramid: Channels of the pyramid.
        norm: Kind of normalisation.

    Parameters at width 64 with batch norm: 7,564,611 for three channels.

    Source: feature pyramids of Lin et al. 2017; layer table of our own (the paper's is not public).
    """

    def __init__(
        self, inputs: int, *, width: int = 64, levels: int = 5, pyramid: int = 128, norm: NormKind = "instance"
    ) -> None:
        super().__init__()
        widths = [inputs] + [width * min(2**level, 8) for level in range(levels)]
        norms: list[NormKind] = ["none", *[norm] * (levels - 1)]
        self.bottom_up = nn.ModuleList(down(widths[i], widths[i + 1], norm=norms[i]) for i in range(levels))
        self.lateral = nn.ModuleList(nn.Conv2d(channels, pyramid, 1) for channels in widths[-3:])
        self.smooth = nn.ModuleList(nn.Conv2d(pyramid, pyramid, 3, padding=1) for _ in range(3))
        self.heads = nn.ModuleList(
            nn.Sequential(nn.LeakyReLU(LEAK), nn.Conv2d(pyramid, 1, 3, padding=1)) for _ in range(3)
        )
        init_weights(self)

    def forward(self, image: Tensor, *, features: bool = False) -> Judgement:
        """Judge [N, inputs, H, W] in [-1, 1]; returns three maps of logits, finest first."""
        found = _outputs(self.bottom_up, image)
        logits: list[Tensor] = []
        above = None
        for level in (2, 1, 0):
            merged = self.lateral[level](found[level - 3])
            if above is not None:
                merged = merged + F.interpolate(above, size=merged.shape[2:], mode="nearest")
            above = merged
            logits.insert(0, self.heads[level](self.smooth[level](merged)))
        return (logits, found) if features else logits


def _check_least(image: Tensor, least_px: int) -> None:
    h, w = image.shape[2:]
    if min(h, w) < least_px:
        raise InputError(f"the critic needs pictures of {least_px} px or more, got {h}x{w}; use fewer layers or scales")


def _outputs(stages: Iterable[nn.Module], x: Tensor) -> list[Tensor]:
    """Return what comes out of each of several stages in a row."""
    found: list[Tensor] = []
    for stage in stages:
        x = stage(x)
        found.append(x)
    return found


def _normalise_spectrally(critic: nn.Module) -> None:
    """Divide the weight of each convolution by its largest singular value, followed by one power iteration per use.

    Vectors of the iteration are buffers: they travel with the state, and are equal in all processes, since weights are.

    Source: Miyato et al. 2018, section 2.1 and appendix A.
    """
    for layer in critic.modules():
        if isinstance(layer, nn.Conv2d) and not layer.weight.is_meta:  # on meta it would load torch's compiler (2 s)
            spectral_norm(layer)
