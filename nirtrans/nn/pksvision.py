"""The networks of pksvision: a colorizer and a critic that never shrink the picture, and an autoencoder of colours.

Source: the code that the team published with its entry to NTIRE 2019, read for the layer tables; nothing is copied.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.color.spaces import NEUTRAL
from nirtrans.nn.blocks import check_size

SKIPS = (1, 3)  # layers of the decoder, from 0, to which those of the encoder with the same number are added
CERTAIN = 1e-6  # verdicts stay so far from 0 and 1, where their logit is infinite
SPREAD = 0.1  # first standard deviation of the output, which starts at grey


class FullSizeColorizer(nn.Module):
    """Ten 3x3 layers of stride 1, narrowed to two channels in the middle, with two additive skips.

    Args:
        width: Channels of the widest layers.

    Parameters of the convolutions at width 64: 261,508.
    """

    def __init__(self, *, width: int = 64) -> None:
        super().__init__()
        half = width // 2
        widths = [1, width, width, width, width, half, 2]
        self.encoder = nn.ModuleList(_layer(nn.Conv2d, *pair) for pair in pairwise(widths))
        widths = [2, half, width, width, width, width]
        self.decoder = nn.ModuleList(_layer(nn.ConvTranspose2d, *pair) for pair in pairwise(widths))
        norm = nn.BatchNorm2d(2)
        nn.init.constant_(norm.weight, SPREAD)
        nn.init.constant_(norm.bias, NEUTRAL)
        self.head = nn.Sequential(nn.ConvTranspose2d(width, 2, 3, padding=1), norm, nn.ReLU())

    def forward(self, y: Tensor) -> Tensor:
        """Brightness [N, 1, H, W] in [0, 1] -> Cb and Cr [N, 2, H, W], 0.5 for grey, not negative."""
        found = []
        for layer in self.encoder:
            found.append(y := layer(y))
        for number, layer in enumerate(self.decoder):
            y = layer(y)
            if number in SKIPS:
                y = y + found[number]
        return self.head(y)


class MeanCritic(nn.Module):
    """Four 3x3 layers of stride 1; the verdict on a picture is the mean probability over channels and pixels.

    Args:
        inputs: Channels of the picture.
        width: Channels of the first layer; the next two have twice and four times as many.

    Parameters of the convolutions for two channels at width 8: 6,538.
    """

    def __init__(self, inputs: int, *, width: int = 8) -> None:
        super().__init__()
        widths = [inputs, width, 2 * width, 4 * width, 2]
        layers = [_layer(nn.Conv2d, *pair) for pair in pairwise(widths)]
        self.body = nn.Sequential(*layers)

    def forward(self, picture: Tensor) -> Tensor:
        """Judge [N, inputs, H, W]; returns the logit of the mean probability, [N, 1, 1, 1], float32."""
        probability = torch.sigmoid(self.body(picture).float()).mean((1, 2, 3), keepdim=True)
        return torch.logit(probability, eps=CERTAIN)


class ColourAutoencoder(nn.Module):
    """RGB to a code of three channels at a quarter of the size, and back with additive skips.

    Activations and the absence of norms are ours: the code shall not depend on the other pictures of a batch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(
            [nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 32, 2, stride=2), nn.Conv2d(32, 64, 2, stride=2)]
        )
        self.code = nn.Conv2d(64, 3, 3, padding=1)
        self.decoder = nn.ModuleList(
            [
                nn.Conv2d(3, 64, 3, padding=1),
                nn.ConvTranspose2d(64, 32, 2, stride=2),
                nn.ConvTranspose2d(32, 16, 2, stride=2),
            ]
        )
        self.head = nn.Conv2d(16, 3, 3, padding=1)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Rebuild [N, 3, H, W]; returns it and the code [N, 3, H/4, W/4].

        Raises:
            InputError: If a side is no multiple of 4.
        """
        check_size(rgb, halvings=2, network="the colour autoencoder")
        found, x = [], rgb
        for layer in self.encoder:
            found.append(x := F.relu(layer(x)))
        x = code = self.code(x)
        for layer in self.decoder:
            x = F.relu(layer(x)) + found.pop()
        return self.head(x), code


def _layer(kind: type[nn.Conv2d] | type[nn.ConvTranspose2d], inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(kind(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.PReLU(outputs))
