"""The networks of the S-shape method: a U-Net that colours, one that draws edges while it learns, and a refinement."""

from typing import Literal

import torch
from torch import Tensor, nn

from nirtrans.nn.blocks import LEAK, check_size, conv, needs_bias, up
from nirtrans.nn.norms import NormKind, make_norm

EdgeKind = Literal["released", "figure", "early"]
EDGE_LAYERS: dict[EdgeKind, tuple[tuple[str, int], ...]] = {
    "released": (("down", 1), ("up", 0)),
    "figure": (("same", 1), ("down", 1), ("up", 1), ("same", 0)),
    "early": (
        *(("down", 1), ("same", 1), ("down", 2), ("same", 2), ("down", 4), ("same", 4)),
        *(("up", 2), ("up", 1), ("up", 0)),
    ),
}
"""Layers of 3x3 in their order: what they do to the size, and channels in multiples of the width, 0 for one map."""


class SShapeNet(nn.Module):
    """ColorNet and, for the cascade, a second network that corrects what the first one made.

    Weights begin as torch draws them, as in the released code.

    Args:
        inputs: Channels of the input.
        width: Channels of ColorNet at full size.
        halvings: Poolings of ColorNet.
        norm: Kind of normalisation.
        cascade: Whether there is a second network.
    """

    def __init__(
        self, inputs: int, *, width: int = 64, halvings: int = 4, norm: NormKind = "batch", cascade: bool = False
    ) -> None:
        super().__init__()
        self.halvings, self.cascade = halvings, cascade
        self.color = ColorNet(inputs, 3, width=width, halvings=halvings, norm=norm)
        self.refine = RefineNet(3, width=width, norm=norm) if cascade else None

    def forward(self, x: Tensor) -> list[Tensor]:
        """Translate [N, inputs, H, W] in [0, 1] to about [0, 1], [N, 3, H, W]: of each network, the final one last.

        Raises:
            InputError: If H or W is no multiple of 2 ** halvings or smaller than two of them.
        """
        colours = [self.color(x)]
        if self.refine is not None:
            colours.append(colours[0] + self.refine(colours[0]))
        return colours


class ColorNet(nn.Module):
    """A U-Net with max-pooling and bilinear doubling; pairs of 3x3 convolutions at each level, tanh at the end.

    Parameters at width 64 with batch norm, 1 to 3 channels: 13,394,307. A pixel depends on 110 px to each side.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        width: Channels at full size; they double up to 8 * width.
        halvings: Poolings.
        norm: Kind of normalisation.

    Source: Dong et al. 2018; layer table of the released code. Doubling does not align corners, as that depends on the
    size of the picture and tiles would not fit; borders are reflected.
    """

    def __init__(self, inputs: int, outputs: int, *, width: int, halvings: int, norm: NormKind) -> None:
        super().__init__()
        self.halvings = halvings
        widths, levels = [width * min(2**level, 8) for level in range(halvings + 1)], range(halvings)
        made = [widths[max(level - 1, 0)] for level in levels]  # by the level's way up; the lowest has none
        fed = [*made[1:], widths[-1]]
        self.stem = _pair(inputs, width, norm=norm)
        self.downs = nn.ModuleList(_pair(widths[i], widths[i + 1], norm=norm) for i in levels)
        self.ups = nn.ModuleList(_pair(widths[i] + fed[i], made[i], norm=norm) for i in reversed(levels))
        self.head = conv(width, outputs, 1, norm="none", activation=nn.Tanh())
        self.halve = nn.MaxPool2d(2)
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, x: Tensor) -> Tensor:
        """Translate [N, inputs, H, W] to [N, outputs, H, W] in [-1, 1].

        Raises:
            InputError: As `SShapeNet`.
        """
        check_size(x, halvings=self.halvings, network="ColorNet", least=2)  # 1 pixel cannot be reflected
        x = self.stem(x)
        skips = []
        for layer in self.downs:
            skips.append(x)
            x = layer(self.halve(x))
        for layer in self.ups:
            x = layer(torch.cat([skips.pop(), self.enlarge(x)], dim=1))
        return self.head(x)


class RefineNet(nn.Module):
    """Two halvings by 3x3 and two doublings by transposed 4x4 convolutions; the last one is bare.

    Parameters at width 64, 3 channels: 210,371 with batch norm, 209,859 without.
    """

    def __init__(self, channels: int, *, width: int, norm: NormKind) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv3(channels, width, "down", norm=norm, activation=nn.LeakyReLU(LEAK)),
            _conv3(width, 2 * width, "down", norm=norm, activation=nn.LeakyReLU(LEAK)),
            up(2 * width, width, norm=norm, kind="convt"),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] -> what is to be added to it."""
        return self.body(x)


class EdgeNet(nn.Module):
    """Draw the edges of the true picture from what the colours miss of it; exists in training only.

    Every layer is normalised, as in the released code; the hidden ones end in LeakyReLU, the last one in tanh.
    Parameters at width 64 with batch norm: released 2,499, figure 76,611, early 1,516,995.

    Args:
        kind: released (the published code), figure (that of the paper) or early (a first version of the code).
        width: Channels of the first layer.
        norm: Kind of normalisation.

    Source: Dong et al. 2018; layer tables of the released code.
    """

    def __init__(self, kind: EdgeKind, *, width: int, norm: NormKind) -> None:
        super().__init__()
        table = EDGE_LAYERS[kind]
        widths = [3, *(max(factor * width, 1) for _, factor in table)]
        activations = [*(nn.LeakyReLU(LEAK) for _ in table[1:]), nn.Tanh()]
        self.halvings = sum(step == "down" for step, _ in table)
        self.body = nn.Sequential(
            *(
                _conv3(widths[i], widths[i + 1], step, norm=norm, activation=activations[i])
                for i, (step, _) in enumerate(table)
            )
        )

    def forward(self, missed: Tensor) -> Tensor:
        """Turn coloured minus true picture, [N, 3, H, W], into a map of edges [N, 1, H, W] in [-1, 1].

        Raises:
            InputError: If H or W cannot be halved often enough.
        """
        check_size(missed, halvings=self.halvings, network="EdgeNet")
        return self.body(missed)


def _pair(inputs: int, outputs: int, *, norm: NormKind) -> nn.Sequential:
    """Two 3x3 convolutions, each with norm and ReLU."""
    first = conv(inputs, outputs, 3, norm=norm, activation=nn.ReLU())
    return nn.Sequential(first, conv(outputs, outputs, 3, norm=norm, activation=nn.ReLU()))


def _conv3(inputs: int, outputs: int, step: str, *, norm: NormKind, activation: nn.Module) -> nn.Sequential:
    """Convolve 3x3 with norm and activation; `step` is down (half the size), same, or up (twice the size)."""
    bias = needs_bias(norm)
    layer: nn.Module
    if step == "up":
        layer = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=bias)
    else:
        layer = nn.Conv2d(inputs, outputs, 3, stride=2 if step == "down" else 1, padding=1, bias=bias)
    return nn.Sequential(layer, make_norm(norm, outputs), activation)
