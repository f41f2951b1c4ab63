"""Cut a scene into tiles whose results fit together without a seam.

A tile computes its `core` from its `outer` window: the core and a halo as wide as the network's receptive field.
Outer windows start and end on multiples of the network's stride and end at the true image border, where the network's
own padding acts as it would on the whole image. Only where the image is no multiple of the stride, it is continued to
the right and below by mirroring, in the same way for every tile.

Everything here is arithmetic on whole numbers, in pixels.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Span = tuple[int, int, int, int]
MIN_STRIDES = 4  # reflection of up to 3 px inside a network needs 4 px at its coarsest level


class Window(NamedTuple):
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """Row after the last."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """Column after the last."""
        return self.left + self.width

    def within(self, outer: "Window") -> tuple[slice, slice]:
        """Return the slices that cut this window out of an array that holds `outer`."""
        top, left = self.top - outer.top, self.left - outer.left
        return slice(top, top + self.height), slice(left, left + self.width)


@dataclass(frozen=True)
class Tile:
    """One unit of work.

    Attributes:
        core: What the tile is responsible for; inside the image.
        outer: What the network sees; may reach beyond the image to the right and below, where it is mirrored.
    """

    core: Window
    outer: Window


@dataclass(frozen=True)
class Grid:
    """How a scene of `height` x `width` pixels is cut.

    Attributes:
        tile_px: Side of a core, a multiple of `stride_px`; 0 for one tile that is the whole scene.
        halo_px: Least margin of the outer window, rounded up to the stride.
        stride_px: Total stride of the network.
        region: The part that is wanted; None for all of the scene.
        strip_px: Width of the strips that are walked one after the other, a multiple of `tile_px`; 0 for a single one.
    """

    height: int
    width: int
    tile_px: int
    halo_px: int
    stride_px: int
    region: Window | None = None
    strip_px: int = 0

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.stride_px) < 1 or min(self.tile_px, self.halo_px) < 0:
            raise ValueError(f"sizes must be positive, got {self}")
        if self.tile_px % self.stride_px:
            raise ValueError(f"tile {self.tile_px} px must be a multiple of the stride {self.stride_px} px")

    def tiles(self) -> Iterator[Tile]:
        """Yield all tiles in order; their cores cover each wanted pixel once."""
        return map(self.tile, range(len(self)))

    def tile(self, number: int) -> Tile:
        """Return one tile. They are numbered row by row, strip by strip."""
        across, down = self.counts()
        wide = self.strip_px // self.tile_px if self.strip_px else across
        strip, rest = divmod(number, wide * down)
        row, column = divmod(rest, min(wide, across - strip * wide))
        top, height, outer_top, outer_height = self._row(row)
        left, width, outer_left, outer_width = self._column(strip * wide + column)
        return Tile(Window(top, left, height, width), Window(outer_top, outer_left, outer_height, outer_width))

    def __len__(self) -> int:
        return math.prod(self.counts())

    @property
    def wanted(self) -> Window:
        """The region, or all of the scene."""
        return self.region or Window(0, 0, self.height, self.width)

    def counts(self) -> tuple[int, int]:
        """Return the number of columns and rows of tiles."""
        across, down = (-(-size // (self.tile_px or size)) for size in (self.wanted.width, self.wanted.height))
        return across, down

    def _row(self, index: int) -> Span:
        return self._span(self.height, self.wanted.top, self.wanted.bottom, index)

    def _column(self, index: int) -> Span:
        return self._span(self.width, self.wanted.left, self.wanted.right, index)

    def _span(self, size: int, first: int, last: int, index: int) -> Span:
        """Return start and length of a core and of its outer window along one axis."""
        step, end = self.tile_px or last - first, padded_size(size, self.stride_px)
        halo, start = round_up(self.halo_px, self.stride_px), first + index * step
        length = min(step, last - start)
        begin = max(0, start // self.stride_px * self.stride_px - halo)
        stop = min(end, max(round_up(start + length, self.stride_px) + halo, MIN_STRIDES * self.stride_px))
        begin = max(0, min(begin, stop - MIN_STRIDES * self.stride_px))
        return start, length, begin, stop - begin

    def _outer_sizes(self) -> tuple[list[int], list[int]]:
        """Return the heights of the outer windows of all rows, and the widths of all columns."""
        across, down = self.counts()
        return [self._row(n)[3] for n in range(down)], [self._column(n)[3] for n in range(across)]

    def largest_px(self) -> int:
        """Return the pixels of the largest outer window."""
        return math.prod(map(max, self._outer_sizes()))

    def excess(self) -> float:
        """Return the pixels that the network sees per pixel that is wanted."""
        return math.prod(map(sum, self._outer_sizes())) / (self.wanted.height * self.wanted.width)


def round_up(size: int, multiple: int) -> int:
    """Return the least multiple that is not below `size`."""
    return -(-size // multiple) * multiple


def padded_size(size: int, stride_px: int) -> int:
    """Return the size that a network of this stride is given for an image of `size` pixels."""
    return max(round_up(size, stride_px), MIN_STRIDES * stride_px)


def mirrored(start: int, length: int, size: int) -> np.ndarray:
    """Return the image rows that stand at `start`, `start + 1`, ... when the image is mirrored beyond its end.

    The border row is not repeated (reflection); images smaller than the padding are mirrored again and again.

    Example:
        >>> mirrored(2, 5, size=4).tolist()
        [2, 3, 2, 1, 0]
    """
    if size == 1:
        return np.zeros(length, dtype=np.int64)
    phase = np.arange(start, start + length) % (2 * (size - 1))
    return np.minimum(phase, 2 * (size - 1) - phase)


def source_window(outer: Window, height: int, width: int) -> tuple[Window, np.ndarray, np.ndarray]:
    """Return what must be read for an outer window, and the rows and columns of it that make up that window."""
    rows = mirrored(outer.top, outer.height, height)
    columns = mirrored(outer.left, outer.width, width)
    top, left = int(rows.min()), int(columns.min())
    window = Window(top, left, int(rows.max()) + 1 - top, int(columns.max()) + 1 - left)
    return window, rows - top, columns - left
