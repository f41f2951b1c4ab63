"""Layers that several networks share."""

from typing import Literal

from torch import Tensor, nn

from nirtrans.errors import InputError
from nirtrans.nn.convolutions import ReflectConv2d, ResizeConv2d
from nirtrans.nn.norms import NormKind, make_norm

UpKind = Literal["resize-conv", "convt", "convt3"]
FEW = 4  # output channels up to which a large kernel is applied row by row
LEAK = 0.2  # slope of LeakyReLU: Radford et al. 2016, section 3


def needs_bias(norm: NormKind) -> bool:
    """Tell whether a convolution before this norm has its own bias; instance norm brings one (see `SpatialNorm`)."""
    return norm != "instance"


def conv(inputs: int, outputs: int, kernel: int, *, norm: NormKind, activation: nn.Module) -> nn.Sequential:
    """Convolve with reflected borders, normalise, activate: [N, inputs, H, W] -> [N, outputs, H, W]."""
    return nn.Sequential(_reflected(inputs, outputs, kernel, needs_bias(norm)), make_norm(norm, outputs), activation)


def _reflected(inputs: int, outputs: int, kernel: int, bias: bool) -> nn.Conv2d:
    if kernel > 3 and outputs <= FEW:
        return ReflectConv2d(inputs, outputs, kernel, bias=bias)
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, padding_mode="reflect", bias=bias)


def down(inputs: int, outputs: int, *, norm: NormKind) -> nn.Sequential:
    """Halve the size: 4x4 convolution of stride 2, norm, LeakyReLU: [N, inputs, H, W] -> [N, outputs, H/2, W/2]."""
    layer = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=needs_bias(norm))
    return nn.Sequential(layer, make_norm(norm, outputs), nn.LeakyReLU(LEAK))


def up(inputs: int, outputs: int, *, norm: NormKind, kind: UpKind) -> nn.Sequential:
    """Double the size, then norm and ReLU: [N, inputs, H, W] -> [N, outputs, 2H, 2W].

    resize-conv repeats pixels and convolves 3x3, which cannot leave a checkerboard; convt is a transposed 4x4
    convolution of stride 2, as papers up to 2019 used it; convt3 is CycleGAN's, 3x3, whose steps overlap unevenly.
    """
    if kind == "resize-conv":
        doubling = ResizeConv2d(inputs, outputs, bias=needs_bias(norm))
        return nn.Sequential(nn.Identity(), doubling, make_norm(norm, outputs), nn.ReLU())  # weights are named "1."
    kernel, rim = (3, 1) if kind == "convt3" else (4, 0)
    bias = needs_bias(norm)
    layer = nn.ConvTranspose2d(inputs, outputs, kernel, stride=2, padding=1, output_padding=rim, bias=bias)
    return nn.Sequential(layer, make_norm(norm, outputs), nn.ReLU())


class ResidualBlock(nn.Module):
    """x + two 3x3 convolutions with norm, the first one activated. Source: He et al. 2016; Johnson et al. 2016."""

    def __init__(self, channels: int, *, norm: NormKind) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, channels, 3, norm=norm, activation=nn.ReLU()),
            conv(channels, channels, 3, norm=norm, activation=nn.Identity()),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        return x + self.body(x)


def check_size(x: Tensor, *, halvings: int, network: str, least: int = 1) -> None:
    """Check that the size of [N, C, H, W] can be halved `halvings` times and leaves at least `least` pixels.

    Raises:
        InputError: If not; names the next size that fits.
    """
    h, w = x.shape[2:]
    step = 2**halvings
    if h % step or w % step or min(h, w) < least * step:
        fit = "x".join(str(max(least, -(-side // step)) * step) for side in (h, w))
        raise InputError(f"size {h}x{w} does not fit {network} ({halvings} halvings); use multiples of {step}: {fit}")
