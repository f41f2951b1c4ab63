"""Which pixels of the result are valid, where that is fewer than the network may see: an area, a distance to holes.

Neither changes a colour. Pixels outside the area are measurements like others, and feed the margins of tiles.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import InputError
from nirtrans.inference.scene import Scene, TileInput, read_tile
from nirtrans.inference.tiling import Tile, Window, source_window
from nirtrans.io.area import Area, read_area
from nirtrans.io.geotiff import Raster

FARTHEST_PX = 1024
"""Most pixels around a hole that may be left out; each tile is read with such a margin."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MaskOptions:
    """What the user does not want to be coloured.

    Attributes:
        aoi: GeoJSON file; pixels outside its polygons are invalid in the result.
        halo_px: Pixels within so many rows and columns of an invalid one are invalid as well.
    """

    aoi: Path | None = None
    halo_px: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.halo_px <= FARTHEST_PX:
            raise InputError(f"--mask-halo expects 0 to {FARTHEST_PX} pixels, got {self.halo_px}")


@dataclass(frozen=True)
class OutputMask:
    """The options on one raster.

    Attributes:
        area: Where pixels are wanted; None for everywhere.
        halo_px: See `MaskOptions`.
    """

    area: Area | None = None
    halo_px: int = 0

    def describe(self) -> dict[str, object]:
        """Return what determines the mask, for the tag of the result; nothing by default."""
        area = {} if self.area is None else {"aoi_sha256": self.area.digest}
        return area | ({"mask_halo_px": self.halo_px} if self.halo_px else {})

    def read_tile(self, scene: Scene, tile: Tile) -> TileInput:
        """Read a tile as `nirtrans.inference.scene.read_tile`; what is not wanted of its core is not valid.

        Of a tile without any wanted pixel nothing is read.
        """
        inside = None if self.area is None else self.area.inside(tile.core)
        if inside is not None and not inside.any():
            return _nothing(scene, tile, inside)
        given = read_tile(scene, tile)
        valid = self._far_from_holes(scene, tile, given)
        if inside is not None and not inside.all():
            valid = inside if valid is None else inside & valid
        if valid is None or valid.any():
            return replace(given, valid=valid)
        return _nothing(scene, tile, valid)

    def _far_from_holes(self, scene: Scene, tile: Tile, given: TileInput) -> Mask | None:
        if not self.halo_px or given.source is None:
            return given.valid
        wide = _grown(tile.core, self.halo_px, scene)
        if given.measured is None and wide == _common(wide, tile.outer):
            return None
        _, valid = scene.read(wide)
        return None if valid is None or valid.all() else eroded(valid, self.halo_px, tile.core.within(wide))


def open_mask(options: MaskOptions, raster: Raster, wanted: Window | None) -> OutputMask:
    """Place the options on a raster, of which a part is wanted, or all if that is None.

    Raises:
        InputError: If the area cannot be read or does not meet the part that is wanted.
    """
    area = None if options.aoi is None else read_area(options.aoi, raster)
    if area is not None and wanted is not None and not area.meets(wanted):
        raise InputError(f"{options.aoi}: does not meet the part of {raster.path} that --window or --bbox names")
    return OutputMask(area, options.halo_px)


def eroded(valid: Mask, reach: int, core: tuple[slice, slice]) -> Mask:
    """Return where a part of [H, W] has no invalid pixel within `reach` rows and columns; there is none beyond it.

    Example:
        >>> eroded(np.array([[True, True, True, False]]), 1, (slice(0, 1), slice(0, 4)))
        array([[ True,  True, False, False]])
    """
    near = _near_any(~valid, reach, core[0])
    return ~_near_any(near.T, reach, core[1]).T


def _near_any(marked: Mask, reach: int, part: slice) -> Mask:
    """Tell for rows of a part whether any row within reach is marked."""
    counts = np.zeros((len(marked) + 1, marked.shape[1]), dtype=np.uint16)  # differences stay right if it wraps
    np.cumsum(marked, axis=0, dtype=np.uint16, out=counts[1:])
    rows = np.arange(part.start, part.stop)
    return counts[np.minimum(rows + reach + 1, len(marked))] != counts[np.maximum(rows - reach, 0)]


def _grown(core: Window, reach: int, scene: Scene) -> Window:
    """Return a window with a margin, as far as the scene goes."""
    wide = Window(core.top - reach, core.left - reach, core.height + 2 * reach, core.width + 2 * reach)
    return _common(wide, Window(0, 0, scene.height, scene.width))


def _common(a: Window, b: Window) -> Window:
    top, left = max(a.top, b.top), max(a.left, b.left)
    return Window(top, left, min(a.bottom, b.bottom) - top, min(a.right, b.right) - left)


def _nothing(scene: Scene, tile: Tile, valid: Mask) -> TileInput:
    window, rows, columns = source_window(tile.outer, scene.height, scene.width)
    return TileInput(None, valid, (rows + window.top, columns + window.left))
