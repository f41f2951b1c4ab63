"""Networks that turn a picture into a picture, all with outputs in [-1, 1]."""

import torch
from torch import Tensor, nn

from nirtrans.nn.blocks import LEAK, ResidualBlock, UpKind, check_size, conv, down, needs_bias, up
from nirtrans.nn.init import init_weights
from nirtrans.nn.norms import NormKind, make_norm

DROPPING = 3  # decoder blocks with dropout: CD512-CD512-CD512 of Isola et al. 2017, section 6.1.1


class UResNet(nn.Module):
    """A U-Net with residual blocks at its bottom.

        7x7 -- s0 ------------------------------ cat -- 7x7 -- tanh
          down -- s1 ------------------- cat -- up
            down -- s2 -------- cat -- up
              down -- blocks -- up

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        width: Channels at full size; they double with each halving.
        blocks: Residual blocks at the bottom.
        halvings: Levels below full size; 3 puts the blocks at 1/8.
        up_kind: resize-conv or convt, see `nirtrans.nn.blocks.up`.
        norm: Kind of normalisation.

    Source: U-Net (Ronneberger et al. 2015) joined with the residual bottom of Johnson et al. 2016.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 64,
        blocks: int = 9,
        halvings: int = 3,
        up_kind: UpKind = "resize-conv",
        norm: NormKind = "instance",
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings + 1)]
        levels = range(halvings)
        self.halvings = halvings
        self.stem = conv(inputs, width, 7, norm=norm, activation=nn.ReLU())
        self.downs = nn.ModuleList(down(widths[i], widths[i + 1], norm=norm) for i in levels)
        self.blocks = nn.Sequential(*(ResidualBlock(widths[-1], norm=norm) for _ in range(blocks)))
        # All but the lowest level receive the level below joined with a skip, hence twice its width.
        fed = [widths[i + 1] * (1 if i == halvings - 1 else 2) for i in levels]
        self.ups = nn.ModuleList(up(fed[i], widths[i], norm=norm, kind=up_kind) for i in reversed(levels))
        self.head = conv(2 * width, outputs, 7, norm="none", activation=nn.Tanh())
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """Translate [N, inputs, H, W] in [-1, 1] to [N, outputs, H, W] in [-1, 1].

        Raises:
            InputError: If H or W is no multiple of 2 ** halvings or smaller than two of them.
        """
        check_size(x, halvings=self.halvings, network="UResNet", least=2)  # 1 pixel cannot be reflected
        x = self.stem(x)
        skips = []
        for layer in self.downs:
            skips.append(x)
            x = layer(x)
        x = self.blocks(x)
        for layer in self.ups:
            x = torch.cat([layer(x), skips.pop()], dim=1)
        return self.head(x)


class UNet(nn.Module):
    """The U-Net of pix2pix: `depth` halvings down to a bottleneck without norm, and back with skips.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        width: Channels of the first level; they double up to 8 * width.
        depth: Halvings; 8 is the paper's network for 256 px, 7 the one for 128 px.
        norm: Kind of normalisation.
        dropout: Share of the values that the three innermost decoder blocks drop in training; the paper's is 0.5.

    Source: Isola et al. 2017, section 6.1.1; the paper drops values in use too, as its only source of chance.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 64,
        depth: int = 8,
        norm: NormKind = "instance",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [inputs] + [width * min(2**level, 8) for level in range(depth)]
        self.depth = depth
        # Neither the first nor the innermost convolution is normalised.
        norms: list[NormKind] = ["none", *[norm] * (depth - 2), "none"]
        self.encoder = nn.ModuleList(_encode(widths[i], widths[i + 1], norms[i], first=i == 0) for i in range(depth))
        fed = [widths[i] * (1 if i == depth else 2) for i in range(depth, 1, -1)]
        drops = [dropout if j < DROPPING else 0.0 for j in range(depth - 1)]
        self.decoder = nn.ModuleList(_decode(fed[j], widths[depth - 1 - j], norm, drops[j]) for j in range(depth - 1))
        self.head = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(2 * widths[1], outputs, 4, stride=2, padding=1), nn.Tanh()
        )
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """Translate [N, inputs, H, W] in [-1, 1] to [N, outputs, H, W] in [-1, 1].

        Raises:
            InputError: If H or W is no multiple of 2 ** depth.
        """
        check_size(x, halvings=self.depth, network="UNet")
        skips = []
        for layer in self.encoder:
            x = layer(x)
            skips.append(x)
        x = skips.pop()
        for layer in self.decoder:
            x = torch.cat([skips.pop(), layer(x)], dim=1)
        return self.head(x)


def _encode(inputs: int, outputs: int, norm: NormKind, *, first: bool) -> nn.Sequential:
    activation = nn.Identity() if first else nn.LeakyReLU(LEAK)
    layer = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=needs_bias(norm))
    return nn.Sequential(activation, layer, make_norm(norm, outputs))


def _decode(inputs: int, outputs: int, norm: NormKind, dropout: float) -> nn.Sequential:
    layer = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=needs_bias(norm))
    return nn.Sequential(nn.ReLU(), layer, make_norm(norm, outputs), *([nn.Dropout(dropout)] if dropout else []))
