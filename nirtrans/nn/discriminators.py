"""Networks that tell real pictures from generated ones; they return raw logits, one map or several."""

import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.nn.blocks import LEAK, down, needs_bias
from nirtrans.nn.init import init_weights
from nirtrans.nn.norms import NormKind, make_norm


class PatchDiscriminator(nn.Module):
    """PatchGAN: one logit per overlapping patch, 70 px wide with three layers.

    Args:
        inputs: Channels of the input.
        width: Channels of the first layer; they double up to 8 * width.
        layers: Convolutions of stride 2.
        norm: Kind of normalisation.

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
        init_weights(self)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Judge [N, inputs, H, W] in [-1, 1]; returns one map of logits, [N, 1, H/8 - 2, W/8 - 2] with three layers."""
        return [self.head(self.body(image))]


class FPNDiscriminator(nn.Module):
    """A feature pyramid that judges at 1/8, 1/16 and 1/32 of the size, each level knowing the ones above it.

    Args:
        inputs: Channels of the input.
        width: Channels of the first layer; they double up to 8 * width.
        levels: Convolutions of stride 2; the three lowest are judged.
        pyramid: Channels of the pyramid.
        norm: Kind of normalisation.

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

    def forward(self, image: Tensor) -> list[Tensor]:
        """Judge [N, inputs, H, W] in [-1, 1]; returns three maps of logits, finest first."""
        features = [image]
        for layer in self.bottom_up:
            features.append(layer(features[-1]))
        logits: list[Tensor] = []
        above = None
        for level in (2, 1, 0):
            merged = self.lateral[level](features[level - 3])
            if above is not None:
                merged = merged + F.interpolate(above, size=merged.shape[2:], mode="nearest")
            above = merged
            logits.insert(0, self.heads[level](self.smooth[level](merged)))
        return logits
