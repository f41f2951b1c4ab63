"""What is colorized: anything that can be read by windows, and one tile of it made ready for a network."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nirtrans.inference.fill import REACH_PX, fill_invalid
from nirtrans.inference.tiling import Tile, Window, source_window

Pixels = tuple[NDArray[np.float32], NDArray[np.bool_] | None]
"""[C, h, w], the range of the network scaled to [0, 1], and [h, w] that is False at nodata, or None where all is valid.

NaN stands at pixels that are valid by the file's word but hold no measurement.
"""


class Scene(Protocol):
    """A source that can be read by windows."""

    @property
    def height(self) -> int:
        """Rows."""

    @property
    def width(self) -> int:
        """Columns."""

    def read(self, window: Window) -> Pixels:
        """Return the pixels of a window inside the scene."""


@dataclass(frozen=True)
class ArrayScene:
    """A picture in memory.

    Attributes:
        pixels: [C, H, W], float32, [0, 1].
        valid: [H, W], bool, or None where every pixel is valid.
    """

    pixels: NDArray[np.float32]
    valid: NDArray[np.bool_] | None = None

    @property
    def height(self) -> int:
        """Rows."""
        return self.pixels.shape[1]

    @property
    def width(self) -> int:
        """Columns."""
        return self.pixels.shape[2]

    def read(self, window: Window) -> Pixels:
        """Return views."""
        part = (slice(window.top, window.bottom), slice(window.left, window.right))
        return self.pixels[:, *part], None if self.valid is None else self.valid[part]


def are_numbers(pixels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which pixels of [C, H, W] are NaN in no channel; what scaling has made infinite is clamped as large."""
    return ~np.logical_or.reduce(np.isnan(pixels), axis=0)


class Clamped(NamedTuple):
    """Samples that lie outside the range of the network and were clamped, of all that were measured."""

    outside: int = 0
    measured: int = 0


NOTHING_CLAMPED = Clamped()


@dataclass(frozen=True)
class TileInput:
    """What a network is given for one tile.

    Attributes:
        source: [C, outer height, outer width], holes filled; None if no pixel of the core is valid.
        valid: [core height, core width], bool; None where every pixel is valid.
        place: Rows [outer height] and columns [outer width] of the scene that the source shows, mirrored as it is.
        measured: [outer height, outer width], bool, mirrored as the source: what statistics may count; None where all.
        clamped: How many samples of the core were measured outside [0, 1], of how many.
    """

    source: NDArray[np.float32] | None
    valid: NDArray[np.bool_] | None
    place: tuple[NDArray[np.int64], NDArray[np.int64]]
    measured: NDArray[np.bool_] | None = None
    clamped: Clamped = NOTHING_CLAMPED


def read_tile(scene: Scene, tile: Tile) -> TileInput:
    """Read one tile with its halo, clamp it, fill its holes, continue it where the stride reaches beyond the image."""
    window, rows, columns = source_window(tile.outer, scene.height, scene.width)
    place = rows + window.top, columns + window.left
    pixels, valid = scene.read(window)
    core_valid = None if valid is None or valid.all() else np.ascontiguousarray(valid[tile.core.within(window)])
    if core_valid is not None and not core_valid.any():
        return TileInput(None, core_valid, place)
    measured, core = _measured(pixels, valid), tile.core.within(window)
    clamped = _count_clamped(pixels[:, *core], measured[core])
    if measured.all():
        return TileInput(_pick(pixels.clip(0, 1), rows, columns), None, place, clamped=clamped)
    filled = _pick(_read_filled(scene, window), rows, columns)
    return TileInput(filled, core_valid, place, _pick(measured, rows, columns), clamped)


def _count_clamped(pixels: NDArray[np.float32], measured: NDArray[np.bool_]) -> Clamped:
    """Count samples of [C, h, w] outside [0, 1] where [h, w] is measured."""
    outside = ((pixels < 0) | (pixels > 1)) & measured
    return Clamped(int(np.count_nonzero(outside)), len(pixels) * int(np.count_nonzero(measured)))


def _measured(pixels: NDArray[np.float32], valid: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return where a network may look: valid pixels that are numbers, [h, w]."""
    return are_numbers(pixels) if valid is None else valid & are_numbers(pixels)


def _pick(pixels: NDArray, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray:
    """Arrange rows and columns of [..., h, w]; contiguous, and the pixels themselves if that changes nothing."""
    height, width = pixels.shape[-2:]
    if np.array_equal(rows, np.arange(height)) and np.array_equal(columns, np.arange(width)):
        return np.ascontiguousarray(pixels)
    return np.ascontiguousarray(pixels[..., rows, :][..., columns])


def _read_filled(scene: Scene, window: Window) -> NDArray[np.float32]:
    """Read a window with the margin in which the fill looks for valid pixels, so that every tile fills alike."""
    top, left = max(0, window.top - REACH_PX), max(0, window.left - REACH_PX)
    bottom = min(scene.height, window.bottom + REACH_PX)
    right = min(scene.width, window.right + REACH_PX)
    wide = Window(top, left, bottom - top, right - left)
    pixels, valid = scene.read(wide)
    return fill_invalid(pixels.clip(0, 1), _measured(pixels, valid))[:, *window.within(wide)]
