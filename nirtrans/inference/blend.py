"""Fade tiles into their neighbours, for networks that see the whole picture, whose tiles never agree.

Each pixel becomes the mean of all tiles that saw it, weighted by how far it lies from their edges. That hides the step
between tiles and keeps their difference: where a halo makes tiles agree, they are better left alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nirtrans.inference.stream import ColouredTile
from nirtrans.inference.tiling import Grid, Tile, Window


def contributors(grid: Grid, wanted: range) -> range:
    """Return the numbers of the tiles that reach into wanted ones: these, a row before and a row after."""
    across, _ = grid.counts()
    if not wanted:
        return wanted
    return range(max(0, wanted.start - across - 1), min(len(grid), wanted.stop + across + 1))


def blended(grid: Grid, coloured: Iterable[ColouredTile], wanted: range) -> Iterator[ColouredTile]:
    """Yield wanted tiles, each faded into its neighbours; about a row of tiles is held.

    Args:
        grid: Walked row by row, without strips.
        coloured: The tiles of `contributors`, in order.
        wanted: Numbers of the tiles, in order.
    """
    sums: dict[int, _Sum] = {}
    following = wanted.start
    for number, done in zip(contributors(grid, wanted), coloured, strict=True):
        for other in _around(grid, number):
            if other in wanted:
                sums.setdefault(other, _Sum(grid.tile(other))).add(done, own=other == number)
        while following in wanted and _around(grid, following)[-1] <= number:
            yield sums.pop(following).mean()
            following += 1


def _around(grid: Grid, number: int) -> list[int]:
    """Return the numbers of a tile and its neighbours, in order."""
    across, down = grid.counts()
    row, column = divmod(number, across)
    rows = range(max(0, row - 1), min(down, row + 2))
    return [r * across + c for r in rows for c in range(max(0, column - 1), min(across, column + 2))]


@dataclass
class _Sum:
    """What tiles have contributed to the core of one."""

    tile: Tile
    own: ColouredTile | None = None
    total: NDArray[np.float32] = field(init=False)
    weight: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        size = self.tile.core.height, self.tile.core.width
        self.total, self.weight = np.zeros((3, *size), np.float32), np.zeros(size, np.float32)

    def add(self, done: ColouredTile, *, own: bool) -> None:
        """Add what a tile saw of this core."""
        self.own = done if own else self.own
        part = _common(self.tile.core, done.tile.outer)
        if done.seen is None or part is None:
            return
        weight = _ramp(done.tile, 0)[:, None] * _ramp(done.tile, 1)
        there, here = part.within(done.tile.outer), part.within(self.tile.core)
        self.total[:, *here] += weight[there] * done.seen[:, *there]
        self.weight[here] += weight[there]

    def mean(self) -> ColouredTile:
        """Return the tile as it is shown; valid is what was valid in it."""
        assert self.own is not None  # its own tile is among those around it
        seen = None if self.own.seen is None else self.total / self.weight
        return ColouredTile(Tile(self.tile.core, self.tile.core), seen, self.own.valid, self.own.clamped)


def _common(one: Window, other: Window) -> Window | None:
    top, left = max(one.top, other.top), max(one.left, other.left)
    height, width = min(one.bottom, other.bottom) - top, min(one.right, other.right) - left
    return Window(top, left, height, width) if min(height, width) > 0 else None


def _ramp(tile: Tile, axis: int) -> NDArray[np.float32]:
    """Return weights along an axis of the outer window: 1 inside, falling over twice the margin on either side."""
    begin, length = tile.outer[axis], tile.outer[axis + 2]
    before, after = tile.core[axis] - begin, length - tile.core[axis + 2] - (tile.core[axis] - begin)
    place = np.arange(length, dtype=np.float32) + 0.5
    rise = place / (2 * before) if before else np.ones_like(place)
    fall = place[::-1] / (2 * after) if after else np.ones_like(place)
    return np.minimum(np.minimum(rise, fall), 1)
