"""The networks of Cao et al. 2017: a generator of full size fed with noise, and a critic of the whole picture."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.errors import InputError
from nirtrans.nn.blocks import LEAK
from nirtrans.nn.noise import PixelNoise, normal_field

CODE = 100  # numbers of the noise vector
CELLS = 4  # side of the map in front of the critic's dense layers: that of 64 px after four halvings


class DiverseColorizer(nn.Module):
    """Six layers of stride 1; every one sees the brightness again, the first ones noise too.

    Args:
        width: Channels of the inner layers; the first layer has twice, the last hidden one half as many.
        noisy: Layers that receive noise, 1 to 3.
        dense_px: Side of the pictures for which a dense layer turns 100 numbers into a map of noise; None: each pixel
            has a number of its own, which belongs to its place, and pictures have any size.

    Parameters without norms at width 64, one noisy layer and 64 px: 894,644.

    Source: Cao et al. 2017, section 3; kernels and widths from the code that its authors published.
    """

    def __init__(self, *, width: int = 64, noisy: int = 1, dense_px: int | None = None) -> None:
        super().__init__()
        self.noisy, self.dense_px = noisy, dense_px
        widths = [0, 2 * width, width, width, width, width // 2]
        fed = [channels + 1 + (number < noisy) for number, channels in enumerate(widths)]
        self.body = nn.ModuleList(
            nn.Sequential(_same(fed[i], widths[i + 1], 5 if i else 7), nn.BatchNorm2d(widths[i + 1]), nn.ReLU())
            for i in range(len(widths) - 1)
        )
        self.head = nn.Sequential(_same(fed[-1], 2, 5), nn.Tanh())
        if dense_px is None:
            self.noise = PixelNoise(1.0)
        else:
            self.dense = nn.Linear(CODE, dense_px**2)
            self.spread = nn.Sequential(nn.BatchNorm2d(1), nn.ReLU())

    def forward(self, y: Tensor, *, seed: int | None = None) -> Tensor:
        """Colour brightness [N, 1, H, W].

        Args:
            y: In [0, 1].
            seed: Chooses the noise; None: drawn anew in training, that of seed 0 in use.

        Returns:
            Two colour differences, [N, 2, H, W] in [-1, 1].

        Raises:
            InputError: If the noise is dense and made for another size.
        """
        noise = self._dense_noise(y, seed) if self.dense_px else self._noise_map(y, seed)
        x = y[:, :0]
        for number, layer in enumerate([*self.body, self.head]):
            x = layer(torch.cat([x, y, noise] if number < self.noisy else [x, y], dim=1))
        return x

    def _noise_map(self, y: Tensor, seed: int | None) -> Tensor:
        """Return uniform noise in (-1, 1) for each pixel, [N, 1, H, W]."""
        if seed is None and self.training:
            return torch.rand_like(y) * 2 - 1
        return _uniform(self.noise(y) if seed is None else PixelNoise(1.0, seed=seed)(y))

    def _dense_noise(self, y: Tensor, seed: int | None) -> Tensor:
        """Return the map that the dense layer makes of uniform numbers in (-1, 1), [N, 1, H, W]."""
        side = self.dense_px
        if y.shape[2:] != (side, side):
            h, w = y.shape[2:]
            raise InputError(
                f"size {h}x{w} does not fit the dense noise of this network; use {side}x{side}, or train one with "
                "network.dense_px=null"
            )
        code = y.new_empty(len(y), CODE).uniform_(-1, 1)
        if seed is not None or not self.training:
            place = torch.arange(CODE, device=y.device)[None]
            code = _uniform(normal_field(place[:, :1], place, seed=seed or 0))[:, 0].expand(len(y), -1).to(y.dtype)
        return self.spread(self.dense(code).view(-1, 1, side, side))


class WholeCritic(nn.Module):
    """Four 5x5 layers of stride 2 and two dense ones: one verdict on the whole picture, for pictures of 64 px.

    Other sizes are averaged or repeated to the same 4x4 cells. Without norms, which a gradient penalty forbids.

    Args:
        inputs: Channels of the picture.
        width: Channels of the first layer; they double.

    Parameters for three channels at width 64: 4,830,977.
    """

    def __init__(self, inputs: int, *, width: int = 64) -> None:
        super().__init__()
        widths = [inputs, width, 2 * width, 4 * width, 8 * width]
        layers = [nn.Conv2d(widths[i], widths[i + 1], 5, stride=2, padding=2) for i in range(4)]
        self.body = nn.Sequential(*(part for layer in layers for part in (layer, nn.LeakyReLU(LEAK))))
        self.head = nn.Sequential(nn.Linear(CELLS**2 * widths[-1], 64), nn.LeakyReLU(LEAK), nn.Linear(64, 1))

    def forward(self, picture: Tensor) -> Tensor:
        """Judge [N, inputs, H, W]; returns raw scores, [N, 1, 1, 1]."""
        cells = F.adaptive_avg_pool2d(self.body(picture), CELLS)
        return self.head(cells.flatten(1))[:, :, None, None]


def _same(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)


def _uniform(normal: Tensor) -> Tensor:
    """Map normal deviates to uniform ones in (-1, 1), any shape."""
    return torch.erf(normal * 0.5**0.5)
