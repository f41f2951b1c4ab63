"""The trunk of Zhang et al. 2016 and 2017: VGG made deeper at 1/8 of the size, where dilation widens the view."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from nirtrans.errors import InputError
from nirtrans.nn.norms import NormKind, make_norm

BLOCKS = ((1, 2, 1), (2, 2, 1), (4, 3, 1), (8, 3, 1), (8, 3, 2), (8, 3, 2), (8, 3, 1))
"""Of each block: channels as multiples of the width, convolutions, dilation."""
HALVED = 3  # blocks after which the size is halved
STRIDE_PX = 2**HALVED


def conv_block(
    inputs: int, outputs: int, *, count: int, norm: NormKind, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Return `count` 3x3 convolutions, each with ReLU, the last of them with the stride, and one norm at the end."""
    layers: list[nn.Module] = []
    for number in range(count):
        step = stride if number == count - 1 else 1
        given = inputs if number == 0 else outputs
        layers += [nn.Conv2d(given, outputs, 3, stride=step, padding=dilation, dilation=dilation), nn.ReLU()]
    return nn.Sequential(*layers, make_norm(norm, outputs))


class DilatedVGG(nn.Module):
    """Seven blocks of 3x3 convolutions, named model1 to model7 as in the published weights.

    Args:
        inputs: Channels of the input.
        width: Channels of the first block; the widest have eight times as many. 64 in the papers.
        norm: Kind of normalisation at the end of each block.
        strided: True halves the size by strides (2016); False keeps it and takes every second pixel between the blocks
            (2017), so that the first three can be joined to a decoder at their full size.

    Source: Zhang, Isola, Efros 2016, table 4; Zhang et al. 2017, section 3.3.
    """

    def __init__(self, inputs: int, *, width: int = 64, norm: NormKind = "batch", strided: bool = True) -> None:
        super().__init__()
        self.recompute = False
        self.strided, self.outputs = strided, width * BLOCKS[-1][0]
        given = inputs
        for number, (factor, count, dilation) in enumerate(BLOCKS, start=1):
            stride = 2 if strided and number <= HALVED else 1
            block = conv_block(given, width * factor, count=count, norm=norm, stride=stride, dilation=dilation)
            self.add_module(f"model{number}", block)
            given = width * factor

    def forward(self, x: Tensor, *, context: Tensor | None = None) -> list[Tensor]:
        """Return what each block makes of [N, inputs, H, W]; the last is [N, 8 width, H/8, W/8].

        Args:
            x: The picture, sides multiples of 8.
            context: Added to what the fourth block makes, [N, 8 width, 1, 1]; None: nothing.

        Raises:
            InputError: If a side is no multiple of 8; names the next size that fits.
        """
        check_stride(x, STRIDE_PX, network="DilatedVGG")
        features = []
        for number in range(1, len(BLOCKS) + 1):
            x = self._block(number, x)
            if number == HALVED + 1 and context is not None:
                x = x + context
            features.append(x)
            if number <= HALVED and not self.strided:
                x = x[..., ::2, ::2]
        return features

    def _block(self, number: int, x: Tensor) -> Tensor:
        block = cast(nn.Sequential, self.get_submodule(f"model{number}"))
        if self.recompute and number <= HALVED and torch.is_grad_enabled():
            convolutions, norm = block[:-1], block[-1]  # the norm once: its running statistics move with every pass
            parts = [checkpoint(convolutions, picture, use_reentrant=False) for picture in x.split(1)]
            return norm(torch.cat(parts))
        return block(x)


def check_stride(x: Tensor, stride: int, *, network: str) -> None:
    """Raise InputError unless the sides of [N, C, H, W] are multiples of the stride; it names the next that are."""
    h, w = x.shape[2:]
    if h % stride or w % stride or 0 in (h, w):
        fit = "x".join(str(max(1, -(-side // stride)) * stride) for side in (h, w))
        raise InputError(f"size {h}x{w} does not fit {network} (stride {stride}); use {fit}")
