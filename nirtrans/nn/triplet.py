"""The generators of the triplet GANs, one network per colour channel, and the discriminator that sees both pictures."""

from typing import Literal

import torch
from torch import Tensor, nn

from nirtrans.errors import InputError
from nirtrans.nn.blocks import LEAK, UpKind, check_size, conv, down, up
from nirtrans.nn.discriminators import Judgement
from nirtrans.nn.init import init_weights
from nirtrans.nn.noise import PixelNoise
from nirtrans.nn.norms import NormKind

TripletKind = Literal["sc", "triplet", "flat"]
HALVINGS = 3


class TripletGenerator(nn.Module):
    """From one picture and a field of noise to RGB.

    | kind | networks | skips | noise |
    |---|---|---|---|
    | sc | R, G and B apart | at 1, 1/2, 1/4 | at every layer but the last |
    | triplet | R, G and B apart | none | at the input |
    | flat | one with three outputs | none | at the input |

    Parameters at width 64 (32) with batch norm and one input channel: sc 12,259,203 (3,082,179), triplet 10,239,171
    (2,563,683), flat 3,414,211 (855,139).

    Args:
        inputs: Channels of the input.
        kind: See the table.
        width: Channels at full size; twice and four times as many below.
        up_kind: resize-conv or convt, see `nirtrans.nn.blocks.up`.
        norm: Kind of normalisation.
        noise: Standard deviation of the noise where none is given.
        seed: Chooses the field of that noise.

    Source: Suarez et al. 2018, whose layer table is not public; widths and kernels are ours.
    """

    def __init__(
        self,
        inputs: int,
        *,
        kind: TripletKind = "sc",
        width: int = 64,
        up_kind: UpKind = "convt",
        norm: NormKind = "batch",
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        nets, outputs = (1, 3) if kind == "flat" else (3, 1)
        self.noise = PixelNoise(noise, seed=seed)
        self.nets = nn.ModuleList(
            ChannelNet(inputs, outputs, width=width, hierarchy=kind == "sc", up_kind=up_kind, norm=norm)
            for _ in range(nets)
        )
        init_weights(self)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Translate [N, inputs, H, W] in [-1, 1] to [N, 3, H, W] in [-1, 1].

        Args:
            x: The picture.
            noise: [N, 1, H, W]; None for the fixed field of the places in the picture.

        Raises:
            InputError: If H or W is no multiple of 8 or less than 16.
        """
        check_size(x, halvings=HALVINGS, network="the triplet generator", least=2)
        noise = self.noise(x) if noise is None else noise
        return torch.cat([net(x, noise) for net in self.nets], dim=1)


class ChannelNet(nn.Module):
    """Three halvings and three doublings, with noise and skips at every level if `hierarchy` is set.

    Lower levels take every second, fourth, eighth value of the one field of noise: its variance stays, and what a pixel
    gets depends on its place alone.
    """

    def __init__(
        self, inputs: int, outputs: int, *, width: int, hierarchy: bool, up_kind: UpKind, norm: NormKind
    ) -> None:
        super().__init__()
        self.hierarchy = hierarchy
        widths, levels = [width * factor for factor in (1, 2, 4, 4)], range(HALVINGS)
        noisy, doubled = (1, 2) if hierarchy else (0, 1)
        fed = [widths[i + 1] * (1 if i == HALVINGS - 1 else doubled) + noisy for i in levels]
        self.stem = conv(inputs + 1, width, 3, norm=norm, activation=nn.LeakyReLU(LEAK))
        self.downs = nn.ModuleList(down(widths[i] + noisy, widths[i + 1], norm=norm) for i in levels)
        self.ups = nn.ModuleList(up(fed[i], widths[i], norm=norm, kind=up_kind) for i in reversed(levels))
        self.head = conv(doubled * width, outputs, 3, norm="none", activation=nn.Tanh())

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Translate [N, inputs, H, W] with noise [N, 1, H, W] to [N, outputs, H, W] in [-1, 1]."""
        x = self.stem(torch.cat([x, noise], dim=1))
        skips = []
        for level, layer in enumerate(self.downs):
            skips.append(x)
            x = layer(self._with_noise(x, noise, level))
        for level, layer in zip(reversed(range(HALVINGS)), self.ups, strict=True):
            x = layer(self._with_noise(x, noise, level + 1))
            if self.hierarchy:
                x = torch.cat([x, skips[level]], dim=1)
        return self.head(x)

    def _with_noise(self, x: Tensor, noise: Tensor, level: int) -> Tensor:
        step = 2**level
        return torch.cat([x, noise[..., ::step, ::step]], dim=1) if self.hierarchy else x


class ConditionalCritic(nn.Module):
    """Judge source and picture together; one verdict per 64 px with four layers, overlapping on larger crops.

    Parameters at width 64 with batch norm and four input channels: 2,767,553.

    Args:
        inputs: Channels of source and picture together.
        width: Channels of the first layer; they double with each layer.
        layers: Convolutions of stride 2.
        norm: Kind of normalisation, from the second layer on.

    Source: Suarez et al. 2018 for the condition; layer table of our own after Radford et al. 2016.
    """

    def __init__(self, inputs: int, *, width: int = 64, layers: int = 4, norm: NormKind = "batch") -> None:
        super().__init__()
        widths = [inputs, *(width * 2**level for level in range(layers))]
        norms: list[NormKind] = ["none", *[norm] * (layers - 1)]
        self.layers = nn.ModuleList(down(widths[i], widths[i + 1], norm=norms[i]) for i in range(layers))
        self.head = nn.Conv2d(widths[-1], 1, 4)
        init_weights(self)

    def forward(self, image: Tensor, *, features: bool = False) -> Judgement:
        """Judge [N, inputs, H, W] in [-1, 1]; returns one map of logits, [N, 1, H/16 - 3, W/16 - 3] with four layers.

        Raises:
            InputError: If the picture is smaller than one verdict.
        """
        check_judged(image, layers=len(self.layers))
        found: list[Tensor] = []
        for layer in self.layers:
            image = layer(image)
            found.append(image)
        logits = [self.head(image)]
        return (logits, found) if features else logits


def check_judged(image: Tensor, *, layers: int) -> None:
    """Check that [N, C, H, W] is large enough for one verdict.

    Raises:
        InputError: If not; names the least size.
    """
    least, (h, w) = 4 * 2**layers, image.shape[2:]
    if min(h, w) < least:
        raise InputError(f"size {h}x{w} does not fit a critic of {layers} layers; use {least}x{least} or more")
