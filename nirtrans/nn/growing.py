"""A U-Net and a critic that grow with the size of the pictures, with attention and spectral norm."""

from collections.abc import Collection, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.nn.blocks import LEAK, check_size
from nirtrans.nn.growth import enlarge, level_weights, mix, untouched
from nirtrans.nn.self_attention import SelfAttention
from nirtrans.nn.spectral import SpectralConv2d


class GrowingUNet(nn.Module):
    """Residual blocks on the way down and up, attention at some levels; each level has its own way in and out.

    Args:
        inputs: Channels of the picture.
        outputs: Channels of the result, not bounded.
        widths: Channels of each level, coarsest first.
        attention: Levels with attention on the way up; 0 is the coarsest.
    """

    place: Tensor

    def __init__(self, inputs: int, outputs: int, *, widths: Sequence[int], attention: Collection[int]) -> None:
        super().__init__()
        self.levels = len(widths)
        self.register_buffer("place", torch.zeros(()))
        self.entries = nn.ModuleList(SpectralConv2d(inputs, width, 1) for width in widths)
        self.encoder = nn.ModuleList(ResidualBlock(fine, coarse) for coarse, fine in pairwise(widths))
        self.bottom = nn.Sequential(ResidualBlock(widths[0], widths[0]), ResidualBlock(widths[0], widths[0]))
        self.decoder = nn.ModuleList(ResidualBlock(coarse + fine, fine) for coarse, fine in pairwise(widths))
        self.attention = nn.ModuleList(_attention(width, level in attention) for level, width in enumerate(widths))
        self.exits = nn.ModuleList(SpectralConv2d(width, outputs, 1) for width in widths)

    def forward(self, x: Tensor, place: float | None = None) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W].

        Args:
            x: The picture.
            place: In the growth, 0 to levels - 1; kept for later uses. None: the last one.

        Raises:
            InputError: If a side is no multiple of 2 ** (levels - 1).
        """
        check_size(x, halvings=self.levels - 1, network="the growing U-Net")
        if place is not None:
            self.place.fill_(place)
        result = mix(x, level_weights(self.place, self.levels), self._run)
        return result + untouched(self) if self.training else result

    def _run(self, x: Tensor, level: int) -> Tensor:
        """Colour the picture at the size of a level and enlarge the result."""
        skips, doublings = [], self.levels - 1 - level
        x = self.entries[level](x)
        for number in reversed(range(level)):
            skips.append(x)
            x = F.avg_pool2d(self.encoder[number](x), 2)
        x = self.attention[0](self.bottom(x))
        for number in range(level):
            x = self.decoder[number](torch.cat([enlarge(x, 1), skips.pop()], dim=1))
            x = self.attention[number + 1](x)
        return enlarge(self.exits[level](F.relu(x)), doublings)


class GrowingCritic(nn.Module):
    """Residual blocks down to the coarsest level, where each place is judged.

    Args:
        inputs: Channels of the picture.
        widths: Channels of each level, coarsest first.
        attention: Levels with attention.
    """

    def __init__(self, inputs: int, *, widths: Sequence[int], attention: Collection[int]) -> None:
        super().__init__()
        self.levels = len(widths)
        self.entries = nn.ModuleList(SpectralConv2d(inputs, width, 1) for width in widths)
        self.attention = nn.ModuleList(_attention(width, level in attention) for level, width in enumerate(widths))
        self.encoder = nn.ModuleList(ResidualBlock(fine, coarse, norm=False) for coarse, fine in pairwise(widths))
        self.head = nn.Sequential(
            ResidualBlock(widths[0], widths[0], norm=False), nn.LeakyReLU(LEAK), SpectralConv2d(widths[0], 1)
        )

    def forward(self, picture: Tensor, place: float) -> Tensor:
        """Judge [N, inputs, H, W] at a place of the growth; returns logits [N, 1, h, w] of the coarsest level."""
        result = mix(picture, level_weights(torch.tensor(place), self.levels), self._run)
        return result + untouched(self) if self.training else result

    def _run(self, x: Tensor, level: int) -> Tensor:
        x = self.attention[level](self.entries[level](x))
        for number in reversed(range(level)):
            x = self.attention[number](F.avg_pool2d(self.encoder[number](x), 2))
        return self.head(x)


class ResidualBlock(nn.Module):
    """The input, by a 1x1 convolution where widths differ, + two activated 3x3 convolutions. Source: He et al. 2016."""

    def __init__(self, inputs: int, outputs: int, *, norm: bool = True) -> None:
        super().__init__()
        norms = [nn.BatchNorm2d(width) if norm else nn.Identity() for width in (inputs, outputs)]
        self.body = nn.Sequential(
            *(norms[0], nn.LeakyReLU(LEAK), SpectralConv2d(inputs, outputs)),
            *(norms[1], nn.LeakyReLU(LEAK), SpectralConv2d(outputs, outputs)),
        )
        self.skip = nn.Identity() if inputs == outputs else SpectralConv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W]."""
        return self.skip(x) + self.body(x)


def _attention(channels: int, wanted: bool) -> nn.Module:
    return SelfAttention(channels) if wanted else nn.Identity()
