"""What is seen at each place joined with what the whole picture shows, and the decoder that makes chroma of both.

Iizuka et al. 2016 describe it, Baldassarre et al. 2017 and Vitoria et al. 2020 keep it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.nn.convolutions import ResizeConv2d
from nirtrans.nn.encoders import conv3
from nirtrans.nn.norms import NormKind, make_norm

CONV_STRIDES = (2, 1, 2, 1)
"""Of the convolutions before the dense layers of a global branch. Source: Iizuka et al. 2016, table 1."""


def resize_to(picture: Tensor, side_px: int) -> Tensor:
    """Return [N, C, H, W] as [N, C, side_px, side_px], smoothed where it shrinks; itself if it is of that size."""
    size = (side_px, side_px)
    if picture.shape[2:] == size:
        return picture
    return F.interpolate(picture, size=size, mode="bilinear", align_corners=False, antialias=True)


def tile_concat(local: Tensor, vector: Tensor) -> Tensor:
    """Put a vector [N, C, 1, 1] behind the channels of [N, D, h, w] at every place: [N, D + C, h, w]."""
    return torch.cat([local, vector.expand(-1, -1, *local.shape[2:])], dim=1)


class GlobalFeatures(nn.Module):
    """Four convolutions to 1/4 of the size of [N, inputs, h, w], and the average if it is asked for.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        norm: Kind of normalisation.
        average: Return the mean over the picture, [N, outputs, 1, 1], so that any size will do.
    """

    def __init__(self, inputs: int, outputs: int, *, norm: NormKind, average: bool) -> None:
        super().__init__()
        given = [inputs, *[outputs] * len(CONV_STRIDES)]
        self.convs = nn.Sequential(
            *(conv3(given[i], outputs, stride=stride, norm=norm) for i, stride in enumerate(CONV_STRIDES))
        )
        self.average = average

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, h, w] -> [N, outputs, h/4, w/4] or [N, outputs, 1, 1]."""
        x = self.convs(x)
        return x.mean((2, 3), keepdim=True) if self.average else x


def dense(inputs: int, outputs: int, *, side: int = 1, norm: NormKind) -> nn.Sequential:
    """Return a fully connected layer over [N, inputs, side, side] as a convolution, with ReLU: [N, outputs, 1, 1].

    Batch norm stands between them if asked for; other norms have nothing to say about a single pixel.
    """
    between = VectorNorm(outputs) if norm == "batch" else nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, side), between, nn.ReLU())


class VectorNorm(nn.BatchNorm2d):
    """Batch norm of one value per channel and picture; a single picture, which has no spread, gets the running one."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise [N, C, 1, 1]."""
        if self.training and len(x) > 1:
            return super().forward(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class FusionDecoder(nn.Module):
    """Join local features with a global vector and decode them at four times the size.

    Args:
        local: Channels of the local features.
        vector: Channels of the global vector.
        width: Channels of the middle layers; the fused features have four times as many. 64 in the papers.
        norm: Kind of normalisation, everywhere but at the end.

    Source: Iizuka et al. 2016, section 3.4 and table 1. The papers repeat pixels and convolve, which is one layer here
    (`ResizeConv2d`), with the border repeated.
    """

    def __init__(self, local: int, vector: int, *, width: int, norm: NormKind) -> None:
        super().__init__()
        half = max(1, width // 2)
        self.fuse = nn.Sequential(nn.Conv2d(local + vector, 4 * width, 1), make_norm(norm, 4 * width), nn.ReLU())
        self.decode = nn.Sequential(
            conv3(4 * width, 2 * width, norm=norm),
            _enlarge(2 * width, width, norm),
            conv3(width, width, norm=norm),
            _enlarge(width, half, norm),
        )
        self.head = nn.Conv2d(half, 2, 3, padding=1)

    def forward(self, local: Tensor, vector: Tensor) -> Tensor:
        """[N, local, h, w] and [N, vector, 1, 1] -> [N, 2, 4h, 4w], any range."""
        return self.head(self.decode(self.fuse(tile_concat(local, vector))))


def _enlarge(inputs: int, outputs: int, norm: NormKind) -> nn.Sequential:
    return nn.Sequential(ResizeConv2d(inputs, outputs, bias=True), make_norm(norm, outputs), nn.ReLU())
