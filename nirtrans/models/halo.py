"""How far a network looks: the halo that makes a tile equal to the whole picture, found by following gradients.

The probe runs a copy of the network whose structure is kept and whose numbers are not: every convolution averages, with
positive weights over one channel, and norms are the identity. All values and gradients are then positive, so that none
cancels and none dies in an activation, and a pixel lies in the receptive field exactly if its gradient is not zero. One
channel instead of hundreds makes the probe a matter of milliseconds, whatever the width.
"""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nirtrans.color.chroma import resize_chroma
from nirtrans.errors import InputError
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.system import System
from nirtrans.nn.capsules import CapsulePatchNet
from nirtrans.nn.conditioning import HintInput
from nirtrans.nn.growing import GrowingUNet
from nirtrans.nn.heads import BinDecoder
from nirtrans.nn.noise import PixelNoise
from nirtrans.nn.norms import SpatialNorm
from nirtrans.nn.self_attention import SelfAttention
from nirtrans.nn.spectral import SpectralConv2d

SIDES_PX = (32, 64, 128, 256, 512, 1024)  # short sides of the probing strip: the first one that the network accepts
LENGTHS_PX = (1024, 2048, 4096)  # a receptive field that touches the ends of the longest counts as the whole picture
MAX_STRIDE_PX = 512
STRIDES_PX = sorted(odd << n for odd in (1, 3, 5, 7, 9) for n in range(10) if odd << n <= MAX_STRIDE_PX)
"""Strides that are tried, products of what layers divide sizes by: all would take a gradient for each pixel of them."""
GAIN = 0.1  # of a convolution: residual blocks add up, and at 1 a tanh behind nine of them would be flat
IMAGE_CHANNELS = 4  # layers with at most so many outputs may feed colour arithmetic and keep them
NORMS = (SpatialNorm, nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm)


@dataclass(frozen=True)
class Reach:
    """What a network needs around a tile.

    Attributes:
        halo_px: Pixels on each side that may change the tile, rounded up to the stride.
        stride_px: Period of the network: sizes and tile origins must be multiples of it.
        bounded: False if the network sees the whole picture; the halo is then 0 and tiles are never exact.
        radius_px: The halo before rounding: half the receptive field, for tiles that begin and end on the stride.
    """

    halo_px: int
    stride_px: int
    bounded: bool
    radius_px: int


def probe(system: System) -> Reach:
    """Measure halo and stride of `system.colorize`.

    Statistics over the picture do not count: exact tiles need them frozen (`nirtrans.nn.norms.freeze_statistics`).
    Convolutions, norms, pooling and elementwise layers are followed; a layer that mixes positions by other means is
    followed as it is.

    Raises:
        InputError: If the network accepts no picture up to 1024 px.
    """
    averaging = _averaging_copy(system)
    side = _accepted_side(averaging, system.in_channels)
    for length in LENGTHS_PX:
        reaches = [_probe_axis(averaging, system.in_channels, side=side, length=length, axis=axis) for axis in (2, 3)]
        if None not in reaches:
            radius, stride = (max(values) for values in zip(*(reach for reach in reaches if reach), strict=True))
            return Reach(-(-radius // stride) * stride, stride, bounded=True, radius_px=radius)
    return Reach(0, side, bounded=False, radius_px=0)


def _probe_axis(system: System, channels: int, *, side: int, length: int, axis: int) -> tuple[int, int] | None:
    """Return radius and stride along one axis of a strip, or None if the receptive field reaches its ends."""
    shape = (1, channels, length, side) if axis == 2 else (1, channels, side, length)
    source = torch.ones(shape, dtype=torch.float64, requires_grad=True)
    output = _colours(system, source).sum(dim=(0, 1, 5 - axis))  # [length]

    def seen_from(first: int, count: int) -> Tensor:
        """How much each place of the strip matters to `count` pixels from `first` on, [length]."""
        (gradient,) = torch.autograd.grad(output[first : first + count].sum(), source, retain_graph=True)
        return gradient.sum(dim=(0, 1, 5 - axis))

    middle = length // 2
    field = seen_from(middle, 1)
    for stride in STRIDES_PX:
        shifted = seen_from(middle + stride, 1)
        if torch.allclose(shifted.roll(-stride), field, rtol=1e-9, atol=0):  # the pattern repeats
            cell = -(-middle // stride) * stride
            seen = seen_from(cell, stride).nonzero()
            first, last = int(seen.min()), int(seen.max())
            touching = first == 0 or last == length - 1
            return None if touching else (max(0, cell - first, last - (cell + stride - 1)), stride)
        if shifted[0] or shifted[-1]:
            return None
    return None


def _colours(system: System, source: Tensor) -> Tensor:
    """Return what the network predicts, of the size of the source; lightness is added pixel by pixel."""
    if isinstance(system, ChromaSystem):
        return resize_chroma(system.predict(source), source.shape[2:])
    return system.colorize(source)


def _accepted_side(system: System, channels: int) -> int:
    for side in SIDES_PX:
        try:
            with torch.no_grad():
                _colours(system, torch.ones(1, channels, side, side, dtype=torch.float64))
        except InputError:
            continue
        return side
    raise InputError(f"the halo probe needs a network that accepts pictures of {SIDES_PX[-1]} px, it refuses them")


def _averaging_copy(system: System) -> System:
    """Copy the networks that colorize, with averaging convolutions and without norms; no weights are copied."""
    shared = {id(tensor): tensor for tensor in (*system.parameters(), *system.buffers())}
    twin = copy.deepcopy(system, shared)
    if hasattr(twin.params, "luma"):  # works pixel by pixel, and the chroma of the twin's greys is 0 with its gradient
        twin.params = twin.params.model_copy(update={"luma": "predict"})
    for name in set(system.network_names()) - set(system.inference):
        delattr(twin, name)
    for parent in list(twin.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                setattr(parent, name, _Averaging(layer))
            elif isinstance(layer, GrowingUNet):  # what it is going to be
                layer.place = torch.tensor(layer.levels - 1.0)
            elif isinstance(layer, SelfAttention):
                setattr(parent, name, _PictureMean())
            elif isinstance(layer, CapsulePatchNet):
                setattr(parent, name, _PatchMean())
            elif isinstance(layer, BinDecoder):
                setattr(parent, name, _MeanChroma())
            elif isinstance(layer, HintInput):
                setattr(parent, name, _LightAlone())
            elif isinstance(layer, (*NORMS, nn.PReLU)):  # all values are positive
                setattr(parent, name, nn.Identity())
            elif isinstance(layer, PixelNoise):  # it looks at no pixel, and would hide the period of the gradients
                layer.scale = 0.0
            elif isinstance(layer, nn.MaxPool2d):  # its gradient follows one pixel only
                setattr(parent, name, nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode))
    return twin.eval()


class _Averaging(nn.Module):
    """A convolution of the twin, its geometry kept, made to average one channel: the mean of all."""

    def __init__(self, layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        share = GAIN / math.prod(layer.kernel_size)
        layer.weight = nn.Parameter(torch.full((1, 1, *layer.kernel_size), share, dtype=torch.float64))
        layer.bias, layer.groups = None, 1
        if isinstance(layer, SpectralConv2d):
            layer.normalised = False
        self.conv = layer
        self.channels = layer.out_channels if layer.out_channels <= IMAGE_CHANNELS else 1

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, channels, h, w]."""
        return self.conv(x.mean(1, keepdim=True)).expand(-1, self.channels, -1, -1)


class _MeanChroma(nn.Module):
    """Bins of the twin: one channel that becomes two."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, 2, H, W]."""
        return x.mean(1, keepdim=True).expand(-1, 2, -1, -1)


class _LightAlone(nn.Module):
    """Hints of the twin: left out, since those that are absent are no positive numbers."""

    def forward(self, light: Tensor, hints: Tensor) -> Tensor:
        """[N, 1, H, W] and [N, 3, H, W] -> [N, 1, H, W]."""
        return light


class _PictureMean(nn.Module):
    """Attention in the twin: every place depends on all places."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, h, w] -> [N, C, h, w]."""
        return x + x.mean((2, 3), keepdim=True)


class _PatchMean(nn.Module):
    """A network of patches in the twin: every pixel of a patch depends on all of it."""

    def forward(self, x: Tensor) -> Tensor:
        """[P, 3, h, w] -> [P, 3, h, w]."""
        return x.mean((1, 2, 3), keepdim=True).expand_as(x)
