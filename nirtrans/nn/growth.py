"""Growing networks: first pictures shrunk to few pixels, then finer ones, each new size faded in.

A network of several levels is a nest of networks: the one of level k works on the picture shrunk to the size of that
level. While it grows it is a mixture of two neighbours, whose weights follow from one number, the place: 1.25 is three
quarters of level 1 and a quarter of level 2.

Source: Karras et al. 2018, "Progressive growing of GANs", section 2; there single layers are faded in, here the results
of the nested networks are, so that real pictures, generated ones and verdicts are mixed alike.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Growth(nn.Module):
    """The place in the growth, as a number of training batches: a buffer, so that a resumed run goes on exactly.

    Args:
        levels: Sizes; the place ends at levels - 1.
        batches_per_level: Half of them at one size alone, half while the next one fades in.
    """

    batches: Tensor

    def __init__(self, *, levels: int, batches_per_level: int) -> None:
        super().__init__()
        self.levels, self.batches_per_level = levels, batches_per_level
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self) -> float:
        """Count a batch and return its place."""
        self.batches += 1
        level, rest = divmod(int(self.batches) / self.batches_per_level, 1)
        return min(level + max(0.0, 2 * rest - 1), self.levels - 1.0)


def level_weights(place: Tensor, levels: int) -> Sequence[float] | Tensor:
    """Return the weight of each level at a place, a scalar; they sum to 1 and at most two are not 0.

    A graph that is compiled or exported has no branches: there it is a tensor, and all levels are computed.

    Example:
        >>> level_weights(torch.tensor(1.25), 3)
        [0.0, 0.75, 0.25]
    """
    weights = F.relu(1 - (place - torch.arange(levels, device=place.device)).abs())
    return weights if torch.compiler.is_compiling() else weights.tolist()


def mix(x: Tensor, weights: Sequence[float] | Tensor, run: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Return the mixture of what the levels make of a picture.

    Args:
        x: [N, C, H, W], sides multiples of 2 ** (levels - 1).
        weights: See `level_weights`.
        run: From the picture at the size of a level, and the level, to its result; all results are of one size.
    """
    finest = len(weights) - 1
    used = [level for level in range(finest + 1) if isinstance(weights, Tensor) or weights[level]]
    results = [weights[level] * run(F.avg_pool2d(x, 2 ** (finest - level)), level) for level in used]
    return torch.stack(results).sum(0)


def enlarge(x: Tensor, doublings: int) -> Tensor:
    """Repeat pixels: [N, C, h, w] -> [N, C, h * 2 ** doublings, w * 2 ** doublings]; shrinking undoes it."""
    return F.interpolate(x, scale_factor=2**doublings, mode="nearest") if doublings else x


def blur_to(x: Tensor, place: float, levels: int) -> Tensor:
    """Return pictures as sharp as a network makes them at a place of its growth, [N, C, H, W]."""
    weights = level_weights(torch.tensor(place), levels)
    return mix(x, weights, lambda small, level: enlarge(small, levels - 1 - level))


def untouched(network: nn.Module) -> Tensor:
    """Return 0, with a gradient of 0 for every parameter: levels that do not run count as used."""
    return torch.stack([0 * value.sum() for value in network.parameters()]).sum()
