"""Gaussian noise that belongs to places: a pixel gets the same value in whichever tile it is computed.

A network fed with noise from a generator would colour a tile otherwise than the whole picture. Here the value follows
from row, column and seed alone, by integer arithmetic that is the same on every device, so that nothing is stored and
tiles agree. Who cuts the tiles says where their pixels come from (`placed`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
from torch import Tensor, nn

WORD = 0xFFFFFFFF  # 32 bits, held in int64: products with MULTIPLIER stay below 2 ** 63
MULTIPLIER = 0x045D9F3B  # a multiplier with good avalanche, below 2 ** 31


class Place(NamedTuple):
    """Where the pixels of a batch come from, in pixels of the whole picture; mirrored ones name their original.

    Attributes:
        rows: [N, H], int64.
        columns: [N, W], int64.
    """

    rows: Tensor
    columns: Tensor


_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)
"""Where the pixels of the next batch come from, for each thread; None for whole pictures."""


class PixelNoise(nn.Module):
    """One field of normal deviates, indexed by the place of each pixel.

    Args:
        scale: Standard deviation; 0 gives zeros.
        seed: Chooses the field.
    """

    def __init__(self, scale: float, *, seed: int = 0) -> None:
        super().__init__()
        self.scale, self.seed = scale, seed

    def forward(self, x: Tensor) -> Tensor:
        """Return the noise [N, 1, H, W] of the pixels of [N, C, H, W], in its type."""
        count, _, height, width = x.shape
        if not self.scale:
            return x.new_zeros(count, 1, height, width)
        rows, columns = self._place(x)
        field = self.scale * normal_field(rows, columns, seed=self.seed)
        return field[:, None].expand(count, 1, height, width).to(x.dtype)

    def _place(self, x: Tensor) -> Place:
        place = _PLACE.get()
        if place is None:
            rows, columns = (torch.arange(size, device=x.device)[None] for size in x.shape[2:])
            return Place(rows, columns)
        return Place(*(index.to(x.device) for index in place))


def normal_field(rows: Tensor, columns: Tensor, *, seed: int = 0) -> Tensor:
    """Return a normal deviate for each pair of row and column, [N, H] and [N, W] -> [N, H, W], float64.

    Integers are equal on all devices; the last bits of logarithm and cosine may differ and vanish in float32.

    Source: Box and Muller 1958 for the normal deviates.

    Example:
        >>> field = normal_field(torch.arange(4)[None], torch.arange(8)[None])
        >>> part = normal_field(torch.arange(2, 4)[None], torch.arange(8)[None])
        >>> torch.equal(field[:, 2:], part)
        True
    """
    start = _mix(torch.tensor(seed & WORD, device=rows.device))
    word = _mix(_mix(rows + start)[:, :, None] ^ _mix(columns + _mix(start + 1))[:, None, :])  # [N, H, W]
    radius = (-2 * ((word.double() + 0.5) / (WORD + 1)).log()).sqrt()
    return radius * (2 * torch.pi / (WORD + 1) * _mix(word + start + 2).double()).cos()


def _mix(word: Tensor) -> Tensor:
    """Scatter whole numbers over 32 bits, one to one on 32 bits: shifts, exclusive or, two multiplications."""
    word = word & WORD
    word = ((word >> 16) ^ word) * MULTIPLIER & WORD
    word = ((word >> 16) ^ word) * MULTIPLIER & WORD
    return (word >> 16) ^ word


@contextmanager
def placed(place: Place | None) -> Iterator[None]:
    """Tell the noise of every network that runs in this thread where the pixels of a batch come from."""
    token = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(token)
