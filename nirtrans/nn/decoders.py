"""Decoders that join what an encoder found at every size."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nirtrans.nn.blocks import up
from nirtrans.nn.encoders import conv3
from nirtrans.nn.norms import NormKind


class UNetDecoder(nn.Module):
    """Doublings by resize-convolution, each followed by the encoder's features of that size and two 3x3 convolutions.

    Args:
        channels: Of the encoder's features, finest first, each of half the size of the one before.
        widths: Channels after each doubling, coarsest first; the last may go beyond the finest features.
        norm: Kind of normalisation.

    Source: Ronneberger et al. 2015; resize-convolution against checkerboards: Odena et al. 2016.
    """

    def __init__(self, channels: Sequence[int], widths: Sequence[int], *, norm: NormKind) -> None:
        super().__init__()
        skips = [*reversed(channels[:-1]), *[0] * (len(widths) - len(channels) + 1)]
        given = [channels[-1], *widths[:-1]]
        levels = list(zip(given, widths, strict=True))
        self.ups = nn.ModuleList(up(inputs, outputs, norm=norm, kind="resize-conv") for inputs, outputs in levels)
        self.merges = nn.ModuleList(
            nn.Sequential(conv3(width + skip, width, norm=norm), conv3(width, width, norm=norm))
            for width, skip in zip(widths, skips, strict=True)
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Join the encoder's features, finest first: -> [N, widths[-1], H, W], H of the last doubling."""
        skips = list(features)
        x = skips.pop()
        for enlarge, merge in zip(self.ups, self.merges, strict=True):
            x = enlarge(x)
            x = merge(torch.cat([x, skips.pop()], dim=1) if skips else x)
        return x
