"""Halves of a translator: pictures to features of a common space, and features of that space to pictures."""

from torch import Tensor, nn

from nirtrans.nn.blocks import ResidualBlock, UpKind, check_size, conv, down, up
from nirtrans.nn.init import init_weights
from nirtrans.nn.norms import NormKind


class PictureEncoder(nn.Module):
    """7x7 convolution, halvings, residual blocks.

    Args:
        inputs: Channels of the pictures.
        width: Channels at full size; they double with each halving.
        halvings: Levels below full size.
        blocks: Residual blocks at the bottom.
        norm: Kind of normalisation.

    Source: Johnson et al. 2016; Liu et al. 2017 (UNIT).
    """

    def __init__(self, inputs: int, *, width: int, halvings: int, blocks: int, norm: NormKind) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings + 1)]
        self.halvings = halvings
        self.body = nn.Sequential(
            conv(inputs, width, 7, norm=norm, activation=nn.ReLU()),
            *(down(widths[i], widths[i + 1], norm=norm) for i in range(halvings)),
            *(ResidualBlock(widths[-1], norm=norm) for _ in range(blocks)),
        )
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] in [-1, 1] -> [N, width * 2 ** halvings, H / 2 ** halvings, W / 2 ** halvings].

        Raises:
            InputError: If H or W is no multiple of 2 ** halvings or smaller than two of them.
        """
        check_size(x, halvings=self.halvings, network="PictureEncoder", least=2)  # 1 pixel cannot be reflected
        return self.body(x)


class PictureDecoder(nn.Module):
    """The way back of `PictureEncoder`: residual blocks, doublings, 7x7 convolution, tanh."""

    def __init__(
        self, outputs: int, *, width: int, halvings: int, blocks: int, up_kind: UpKind, norm: NormKind
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings + 1)]
        self.body = nn.Sequential(
            *(ResidualBlock(widths[-1], norm=norm) for _ in range(blocks)),
            *(up(widths[i + 1], widths[i], norm=norm, kind=up_kind) for i in reversed(range(halvings))),
            conv(width, outputs, 7, norm="none", activation=nn.Tanh()),
        )
        init_weights(self)

    def forward(self, features: Tensor) -> Tensor:
        """[N, width * 2 ** halvings, h, w] -> [N, outputs, h * 2 ** halvings, w * 2 ** halvings] in [-1, 1]."""
        return self.body(features)


class ResidualChain(nn.Sequential):
    """Residual blocks that several translators share: [N, channels, h, w] -> the same shape."""

    def __init__(self, channels: int, *, blocks: int, norm: NormKind) -> None:
        super().__init__(*(ResidualBlock(channels, norm=norm) for _ in range(blocks)))
        init_weights(self)
