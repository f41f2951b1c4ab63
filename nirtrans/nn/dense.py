"""Dense blocks, in which each layer sees what all before it found, and a U-shaped network of them.

Source: Huang et al. 2017, "Densely connected convolutional networks", section 3, for the encoder; Zhang et al. 2018,
"Residual dense network", section 3.3, for the blocks of the decoder; He et al. 2015 and Zhao et al. 2017 for pyramid
pooling.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.nn.blocks import check_size
from nirtrans.nn.init import init_rectified

SQUEEZE = 4  # times `growth`: channels between the two convolutions of a dense layer
FUSED = 4  # layers of a dense-residual block
SCALES = (4, 8, 16, 32)  # pixels over which pyramid pooling averages
SHARES = 4  # channels of each scale


class DenseUNet(nn.Module):
    """An encoder of dense blocks to 1/32, a decoder of dense-residual blocks, and pyramid pooling at its end.

        7x7 s2, pool -- dense -- half -- dense -- half -- dense -- half, 1/32
          1/2            1/4             1/8             1/16              |
           |  <- block -  |   <- block -  |   <- block -   |  <- block -  up
           up -- block -- pyramid pooling -- 3x3

    Args:
        inputs: Channels of the picture.
        outputs: Channels of the result, not bounded.
        layers: Layers of the three dense blocks.
        growth: Channels that each dense layer adds.
        width: Channels of the first convolution.
        decoder: Channels of the decoder at 1/16, 1/8, 1/4, 1/2 and full size.

    Source: the team IPCV_IITM in Gu et al. 2019 for the idea; the sizes are ours.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        layers: Sequence[int] = (6, 12, 24),
        growth: int = 32,
        width: int = 64,
        decoder: Sequence[int] = (256, 128, 96, 64, 32),
    ) -> None:
        super().__init__()
        stem = nn.Conv2d(inputs, width, 7, stride=2, padding=3, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(width), nn.ReLU())
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.dense, self.transitions = nn.ModuleList(), nn.ModuleList()
        skips, channels = [width], width
        for count in layers:
            self.dense.append(DenseBlock(channels, layers=count, growth=growth))
            skips.append(channels + count * growth)
            self.transitions.append(_transition(skips[-1], skips[-1] // 2))
            channels = skips[-1] // 2
        self.ups = nn.ModuleList()
        for wanted, skip in zip(decoder, [*reversed(skips), inputs], strict=True):
            self.ups.append(_Up(channels + skip, wanted, growth=growth))
            channels = wanted
        self.pyramid = PyramidPooling(channels)
        self.head = nn.Conv2d(self.pyramid.outputs, outputs, 3, padding=1)
        init_rectified(self)
        nn.init.normal_(self.head.weight, std=1e-3)  # near grey at first

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W].

        Raises:
            InputError: If a side is no multiple of 32.
        """
        check_size(x, halvings=5, network="the dense encoder")
        skips = [x]
        x = self.stem(x)
        skips.append(x)
        x = self.pool(x)
        for block, transition in zip(self.dense, self.transitions, strict=True):
            x = block(x)
            skips.append(x)
            x = transition(x)
        for up in self.ups:
            x = up(x, skips.pop())
        return self.head(self.pyramid(x))


class DenseBlock(nn.Module):
    """Layers of BN, ReLU, 1x1, BN, ReLU, 3x3 that each add `growth` channels: C -> C + layers * growth."""

    def __init__(self, channels: int, *, layers: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_dense_layer(channels + i * growth, growth) for i in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C + layers * growth, H, W]."""
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


class DenseResidualBlock(nn.Module):
    """x + 1x1 over four dense 3x3 layers."""

    def __init__(self, channels: int, *, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels + i * growth, growth, 3, padding=1), nn.ReLU()) for i in range(FUSED)
        )
        self.fuse = nn.Conv2d(channels + FUSED * growth, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        found = x
        for layer in self.layers:
            found = torch.cat([found, layer(found)], dim=1)
        return x + self.fuse(found)


class PyramidPooling(nn.Module):
    """Join a map with its averages over squares of 4, 8, 16 and 32 px, four channels each.

    Args:
        channels: Of the input; `outputs` says how many come out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.outputs = channels + SHARES * len(SCALES)
        self.shares = nn.ModuleList(nn.Conv2d(channels, SHARES, 1) for _ in SCALES)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W], sides multiples of 32 -> [N, outputs, H, W]."""
        size = x.shape[2:]
        means = [share(F.avg_pool2d(x, scale)) for share, scale in zip(self.shares, SCALES, strict=True)]
        wide = [F.interpolate(mean, size=size, mode="bilinear", align_corners=False) for mean in means]
        return torch.cat([x, *wide], dim=1)


class _Up(nn.Module):
    """Double the size, join the skip, reduce, and refine with a dense-residual block."""

    def __init__(self, inputs: int, outputs: int, *, growth: int) -> None:
        super().__init__()
        self.reduce = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )
        self.block = DenseResidualBlock(outputs, growth=growth)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return self.block(self.reduce(torch.cat([x, skip], dim=1)))


def _dense_layer(inputs: int, growth: int) -> nn.Sequential:
    inner = SQUEEZE * growth
    return nn.Sequential(
        *(nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, inner, 1, bias=False)),
        *(nn.BatchNorm2d(inner), nn.ReLU(), nn.Conv2d(inner, growth, 3, padding=1, bias=False)),
    )


def _transition(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False), nn.AvgPool2d(2))
