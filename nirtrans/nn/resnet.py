"""The residual generator of CycleGAN, whose layers can be tapped on the way."""

from collections.abc import Collection

from torch import Tensor, nn

from nirtrans.nn.blocks import ResidualBlock, UpKind, check_size, conv, needs_bias, up
from nirtrans.nn.init import init_weights
from nirtrans.nn.norms import NormKind, make_norm


class ResNetGenerator(nn.Module):
    """A 7x7 convolution, halvings, residual blocks at the bottom, doublings, a 7x7 convolution; no skips.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        width: Channels at full size; they double with each halving.
        blocks: Residual blocks; 9 for pictures of 256 px, 6 for 128 px.
        halvings: Levels below full size.
        up_kind: See `nirtrans.nn.blocks.up`; convt3 is the paper's, resize-conv has the same number of parameters.
        norm: Kind of normalisation.

    Parameters at width 64 with 9 blocks, resize-conv or convt3, instance norm: 11,371,907 for one channel to three,
    11,371,905 for three to one. Every convolution counts with a bias; before instance norm the norm holds it.

    Source: Johnson et al. 2016; Zhu et al. 2017 (CycleGAN), section 7.2: c7s1-64, d128, d256, 9 x R256, u128, u64,
    c7s1-3, reflected borders.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 64,
        blocks: int = 9,
        halvings: int = 2,
        up_kind: UpKind = "resize-conv",
        norm: NormKind = "instance",
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings + 1)]
        self.halvings, self.inputs, self.width = halvings, inputs, width
        # Flat, so that a place in it is the number of a tap. The identities keep the numbers of Park et al. 2020, who
        # pad the picture in a layer of its own and blur after each halving.
        steps: list[nn.Module] = [nn.Identity(), *conv(inputs, width, 7, norm=norm, activation=nn.ReLU())]
        for level in range(halvings):
            steps += [*_halve(widths[level], widths[level + 1], norm), nn.Identity()]
        steps += [ResidualBlock(widths[-1], norm=norm) for _ in range(blocks)]
        self.encoder = nn.Sequential(*steps)
        levels = reversed(range(halvings))
        ups = [up(widths[level + 1], widths[level], norm=norm, kind=up_kind) for level in levels]
        self.decoder = nn.Sequential(*ups, conv(width, outputs, 7, norm="none", activation=nn.Tanh()))
        init_weights(self)

    def forward(
        self, x: Tensor, *, taps: Collection[int] | None = None, decode: bool = True
    ) -> Tensor | tuple[Tensor | None, list[Tensor]]:
        """Translate [N, inputs, H, W] in [-1, 1] to [N, outputs, H, W] in [-1, 1].

        Args:
            x: The pictures.
            taps: Encoder steps whose output is wanted too: 0 is the picture, 4, 8, ... the halving convolutions,
                4 * (halvings + 1) the first residual block. Park et al. 2020 (CUT) take 0, 4, 8, 12 and 16.
            decode: False ends at the last tap, for features alone.

        Returns:
            The translation; with taps (translation, features in the order of the network), the translation being None
            if `decode` is False.

        Raises:
            InputError: If H or W is no multiple of 2 ** halvings or smaller than two of them.
            ValueError: If there is no such step.
        """
        check_size(x, halvings=self.halvings, network="ResNetGenerator", least=2)  # 1 pixel cannot be reflected
        if taps is None:
            return self.decoder(self.encoder(x))
        if not set(taps) <= set(range(len(self.encoder))):
            raise ValueError(f"taps must be encoder steps from 0 to {len(self.encoder) - 1}, got {sorted(taps)}")
        features: list[Tensor] = []
        for number, step in enumerate(self.encoder):
            if not decode and number > max(taps, default=-1):
                return None, features
            x = step(x)
            if number in taps:
                features.append(x)
        return self.decoder(x) if decode else None, features

    def channels(self, tap: int) -> int:
        """Return the channels of an encoder step's output."""
        return self.width * 2 ** min(tap // 4, self.halvings) if tap else self.inputs


def _halve(inputs: int, outputs: int, norm: NormKind) -> list[nn.Module]:
    """Return a 3x3 convolution of stride 2, norm and ReLU: d128 and d256 of the paper."""
    layer = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=needs_bias(norm))
    return [layer, make_norm(norm, outputs), nn.ReLU()]
