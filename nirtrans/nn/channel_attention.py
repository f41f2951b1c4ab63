"""A U-Net of residual blocks that weigh their channels by what they find in the whole picture.

Source: Zhang et al. 2018, "Image super-resolution using very deep residual channel attention networks", section 3.3.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.nn.blocks import check_size
from nirtrans.nn.conditioning import HINTS, HintInput
from nirtrans.nn.init import init_rectified

REDUCTION = 16  # channels of the block per channel of its bottleneck: section 4.1


class AttentionUNet(nn.Module):
    """Residual channel-attention blocks at every level, strides down, bilinear enlargement up, no norms.

    Args:
        inputs: Channels of the picture.
        outputs: Channels of the result, not bounded.
        widths: Channels of each level, from full size to the bottom.
        blocks: Blocks of each level: half of them on the way down, the rest on the way up, all at the bottom.
        hinted: Whether it takes hints beside the picture, which has one channel then.
    """

    def __init__(self, inputs: int, outputs: int, *, widths: Sequence[int], blocks: int, hinted: bool = False) -> None:
        super().__init__()
        self.join = HintInput(centre=0.0) if hinted else None
        inputs += HINTS if hinted else 0
        pairs = list(pairwise(widths))
        self.halvings = len(pairs)
        self.stem = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(_level(width, blocks // 2) for width in widths[:-1])
        self.downs = nn.ModuleList(nn.Conv2d(wide, deep, 3, stride=2, padding=1) for wide, deep in pairs)
        self.bottom = _level(widths[-1], blocks)
        self.ups = nn.ModuleList(nn.Conv2d(deep, wide, 3, padding=1) for wide, deep in pairs)
        self.joins = nn.ModuleList(nn.Conv2d(2 * wide, wide, 1) for wide, _ in pairs)
        self.decoder = nn.ModuleList(_level(width, blocks - blocks // 2) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], outputs, 3, padding=1)
        init_rectified(self)
        _start_small(self)

    def forward(self, x: Tensor, hints: Tensor | None = None) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W].

        Args:
            x: The picture.
            hints: See `nirtrans.nn.conditioning.stack_hints`; None: there are none.

        Raises:
            InputError: If a side cannot be halved once for each level below the first.
        """
        check_size(x, halvings=self.halvings, network="the attention U-Net")
        if self.join is not None:
            x = self.join(x, x.new_zeros(len(x), HINTS, *x.shape[2:]) if hints is None else hints)
        x = self.stem(x)
        skips = []
        for level, down in zip(self.encoder, self.downs, strict=True):
            skips.append(level(x))
            x = down(skips[-1])
        x = self.bottom(x)
        for number in reversed(range(self.halvings)):
            x = self.ups[number](F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
            x = self.decoder[number](self.joins[number](torch.cat([x, skips.pop()], dim=1)))
        return self.head(x)


class ChannelAttentionBlock(nn.Module):
    """x + its two convolutions, each channel scaled by a number between 0 and 1 that the means of all decide."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(channels // REDUCTION, 1)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, channels, 3, padding=1)
        self.attention = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, squeezed, 1), nn.ReLU()),
            *(nn.Conv2d(squeezed, channels, 1), nn.Sigmoid()),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        found = self.last(F.relu(self.first(x)))
        return x + found * self.attention(found)


def _level(channels: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(ChannelAttentionBlock(channels) for _ in range(blocks)))


def _start_small(network: AttentionUNet) -> None:
    """Let blocks begin near the identity and the result near 0, in place of the norms that are not there."""
    if network.head.weight.is_meta:
        return
    for layer in network.modules():
        if isinstance(layer, ChannelAttentionBlock):
            nn.init.normal_(layer.last.weight, std=1e-3)
    nn.init.normal_(network.head.weight, std=1e-3)
