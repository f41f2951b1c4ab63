"""A U-Net of residual blocks: the generator of `nirtrans-base`."""

from functools import partial

import torch
from torch import Tensor, nn

from nirtrans.nn.blocks import LEAK, check_size, needs_bias
from nirtrans.nn.convolutions import ResizeConv2d
from nirtrans.nn.norms import NormKind, make_norm

WIDEST = 8  # times the width at full size; wider levels cost most of the weights and gained nothing


class WideningBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut that is projected where the channels change.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        norm: Kind of normalisation.
        dropout: Share of channels dropped in training.

    Source: He et al. 2016, figure 2 and equation 2; channel dropout of Tompson et al. 2015.
    """

    def __init__(self, inputs: int, outputs: int, *, norm: NormKind, dropout: float = 0.0) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias),
            make_norm(norm, outputs),
            nn.LeakyReLU(LEAK),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=bias),
            make_norm(norm, outputs),
            nn.Dropout2d(dropout),
        )
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        self.activation = nn.LeakyReLU(LEAK)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W]."""
        return self.activation(self.body(x) + self.shortcut(x))


class ResidualUNet(nn.Module):
    """Encoder and decoder of residual blocks with skips at every level; sizes double by resize-convolution.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        width: Channels at full size; they double with each halving up to eight times.
        depth: Halvings.
        blocks: Residual blocks per level of the encoder below full size.
        norm: Kind of normalisation.
        dropout: Share of channels dropped in training.

    Source: U-Net (Ronneberger et al. 2015) with the blocks of He et al. 2016, as in Zhang et al. 2018 (residual U-Net).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 32,
        depth: int = 4,
        blocks: int = 1,
        norm: NormKind = "batch",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [width * min(2**level, WIDEST) for level in range(depth + 1)]
        block = partial(WideningBlock, norm=norm, dropout=dropout)
        self.depth = depth
        self.stem = nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1), block(width, width))
        self.encoder = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(widths[level], widths[level + 1], 4, stride=2, padding=1),
                *(block(widths[level + 1], widths[level + 1]) for _ in range(blocks)),
            )
            for level in range(depth)
        )
        levels = list(reversed(range(depth)))
        self.enlarge = nn.ModuleList(ResizeConv2d(widths[level + 1], widths[level], bias=True) for level in levels)
        self.decoder = nn.ModuleList(block(2 * widths[level], widths[level]) for level in levels)
        self.head = nn.Conv2d(width, outputs, 1)
        with torch.no_grad():
            self.head.weight.mul_(0.1)  # begin near mid-grey, where tanh is steep

    def forward(self, x: Tensor) -> Tensor:
        """Translate [N, inputs, H, W] in [-1, 1] to [N, outputs, H, W] in [-1, 1].

        Raises:
            InputError: If H or W is no multiple of 2 ** depth.
        """
        check_size(x, halvings=self.depth, network="ResidualUNet")
        x = self.stem(x)
        skips = []
        for level in self.encoder:
            skips.append(x)
            x = level(x)
        for enlarge, merge in zip(self.enlarge, self.decoder, strict=True):
            x = merge(torch.cat([enlarge(x), skips.pop()], dim=1))
        return torch.tanh(self.head(x))
