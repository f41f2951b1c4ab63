"""The network of user-guided colorization: a dilated trunk, a decoder that adds early features, and two heads.

Source: Zhang et al. 2017, section 3.2; the layers are named as in the published weights.
"""

from torch import Tensor, nn

from nirtrans.color.bins import AB529
from nirtrans.nn.blocks import LEAK
from nirtrans.nn.conditioning import HintInput
from nirtrans.nn.init import init_rectified
from nirtrans.nn.norms import NormKind, make_norm
from nirtrans.nn.trunks import DilatedVGG, conv_block

PALETTE = 313 + 1
"""Histogram of the 313 bins, and whether it is given."""
SATURATION = 1 + 1
"""Mean saturation, and whether it is given."""
FAINT = 0.01
"""Of the first colours, which would else lie where tanh is flat."""
HINTED = 4
"""Channels of the input: lightness, a, b and mask."""


class GuidedUNet(nn.Module):
    """Predict chroma from lightness and hints, and classes of chroma at a quarter of the size.

    Args:
        width: Channels of the first block; 64 in the paper.
        norm: Behind each block.
        palette: Whether to take the colours of the picture as a whole, too: 954,880 values more at width 64.
        mask_centre: Subtracted from the mask of the hints.
    """

    def __init__(
        self, *, width: int = 64, norm: NormKind = "batch", palette: bool = False, mask_centre: float = 0.5
    ) -> None:
        super().__init__()
        w = width
        self.input = HintInput(centre=mask_centre)
        self.trunk = DilatedVGG(HINTED, width=w, norm=norm, strided=False)
        self.model8up, self.model3short8 = _doubled(8 * w, 4 * w), _beside(4 * w, 4 * w)
        self.model8 = nn.Sequential(nn.ReLU(), *conv_block(4 * w, 4 * w, count=2, norm=norm))
        self.model9up, self.model2short9 = _doubled(4 * w, 2 * w), _beside(2 * w, 2 * w)
        self.model9 = nn.Sequential(nn.ReLU(), *conv_block(2 * w, 2 * w, count=1, norm=norm))
        self.model10up, self.model1short10 = _doubled(2 * w, 2 * w), _beside(w, 2 * w)
        self.model10 = nn.Sequential(nn.ReLU(), nn.Conv2d(2 * w, 2 * w, 3, padding=1), nn.LeakyReLU(LEAK))
        self.model_class = nn.Sequential(nn.Conv2d(4 * w, len(AB529), 1))
        colours = nn.Conv2d(2 * w, 2, 1)
        self.model_out = nn.Sequential(colours, nn.Tanh())
        self.global_hints = GlobalHints(8 * w, norm=norm) if palette else None
        init_rectified(self)
        colours.weight.data.mul_(FAINT)

    def forward(
        self, light: Tensor, hints: Tensor, palette: Tensor | None = None, *, detach: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Predict chroma and classes.

        Args:
            light: Scaled lightness, [N, 1, H, W], H and W multiples of 8.
            hints: Scaled a and b, and the mask, [N, 3, H, W].
            palette: [N, 316]: histogram, 1 if it is given, saturation, 1 if it is given; 0 where it is not.
            detach: Whether the decoder's last two levels take features without their gradient.

        Returns:
            Scaled a and b, [N, 2, H, W] in [-1, 1], and logits over 529 bins, [N, 529, H / 4, W / 4].
        """
        context = None if self.global_hints is None or palette is None else self.global_hints(palette)
        first, second, third, *_, seventh = self.trunk(self.input(light, hints), context=context)
        eighth = self.model8(self.model8up(seventh) + self.model3short8(third))
        seen = [x.detach() if detach else x for x in (eighth, second, first)]
        ninth = self.model9(self.model9up(seen[0]) + self.model2short9(seen[1]))
        tenth = self.model10(self.model10up(ninth) + self.model1short10(seen[2]))
        return self.model_out(tenth), self.model_class(eighth)


class GlobalHints(nn.Module):
    """Turn what is known of the picture as a whole into features that are added at every pixel.

    Args:
        channels: Of the features; 512 in the paper.
        norm: As in the network if that is batch; a single vector has no statistics of its own for any other.
    """

    def __init__(self, channels: int, *, norm: NormKind) -> None:
        super().__init__()
        kind: NormKind = "batch" if norm == "batch" else "none"
        self.histogram, self.saturation = nn.Conv2d(PALETTE, channels, 1), nn.Conv2d(SATURATION, channels, 1)
        layers: list[nn.Module] = [nn.ReLU(), make_norm(kind, channels)]
        for _ in range(3):
            layers += [nn.Conv2d(channels, channels, 1), nn.ReLU(), make_norm(kind, channels)]
        self.mix = nn.Sequential(*layers)

    def forward(self, palette: Tensor) -> Tensor:
        """[N, 316] -> [N, channels, 1, 1]."""
        histogram, saturation = palette[..., None, None].split([PALETTE, SATURATION], dim=1)
        return self.mix(self.histogram(histogram) + self.saturation(saturation))


def _doubled(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1))


def _beside(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1))
