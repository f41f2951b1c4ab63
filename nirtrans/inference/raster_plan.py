"""How a raster is cut: tiles that fit the network, the blocks of the file and the memory, and what GDAL may cache."""

import logging
import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nirtrans.errors import InputError
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.scaling import RasterScene
from nirtrans.inference.tiling import Grid, Window, round_up
from nirtrans.io.gdal import CACHE_BYTES
from nirtrans.io.geotiff import Raster
from nirtrans.io.raster_form import BLOCK_PX, RasterForm

log = logging.getLogger("nirtrans")
LONGEST_SWEEP_BYTES = 512 * 2**20
STRIP_TILES = 10
"""Least width of a strip, in tiles: at most a tenth of the blocks is then decoded twice."""
SMALL_BLOCK_PX = 256
FADE_PX = 64
"""Least margin in which tiles are faded into each other."""
Seam = Literal["exact", "blend"]


@dataclass(frozen=True)
class TileOptions:
    """How a raster is cut.

    Attributes:
        tile_px: Side of the cores; 0 for the whole raster at once, None to choose.
        halo_px: Margin around a core; None for what the weights need.
        window: The part that is wanted, in pixels; None for all.
        bounds: The same by left, bottom, right and top in the coordinates of the raster.
        seam: Tiles that agree, or tiles that are faded into their neighbours (`nirtrans.inference.blend`).
    """

    tile_px: int | None = None
    halo_px: int | None = None
    window: Window | None = None
    bounds: tuple[float, float, float, float] | None = None
    seam: Seam = "exact"


def parse_part(window: str | None, bbox: str | None) -> tuple[Window | None, tuple[float, float, float, float] | None]:
    """Read `X,Y,W,H` in pixels and `L,B,R,T` in coordinates, of which at most one may be given.

    Raises:
        InputError: If they are malformed, or both are given.
    """
    if window and bbox:
        raise InputError("--window and --bbox both name the part that is wanted; give one of them")
    if window:
        found = re.fullmatch(r"(\d{1,10}),(\d{1,10}),([1-9]\d{0,9}),([1-9]\d{0,9})", window)
        if not found:
            raise InputError(f"--window expects X,Y,W,H in pixels, such as 0,0,1000,500, got {window!r}")
        x, y, width, height = map(int, found.groups())
        return Window(y, x, height, width), None
    if bbox is None:
        return None, None
    try:
        left, bottom, right, top = map(float, bbox.split(","))
    except ValueError:
        raise InputError(f"--bbox expects four numbers L,B,R,T, got {bbox!r}") from None
    if not (left < right and bottom < top):
        raise InputError(f"--bbox expects left < right and bottom < top, got {bbox!r}")
    return None, (left, bottom, right, top)


def plan(colorizer: Colorizer, scene: RasterScene, tiling: TileOptions, form: RasterForm) -> Grid:
    """Choose the tiles: multiples of the network's stride and of the blocks that are written.

    Raises:
        InputError: If the user's tile fits neither, or his tile and halo contradict each other.
    """
    tile, halo, block = tiling.tile_px, tiling.halo_px, form.block_px or SMALL_BLOCK_PX
    region = find_region(scene.raster, tiling)
    height, width = (scene.height, scene.width) if region is None else region[2:]
    if tile and halo is not None and tile <= 2 * halo:
        raise InputError(f"--tile {tile} must exceed twice --halo {halo}; use --tile {round_up(2 * halo + 1, 512)}")
    if tile and tile % block and tile < max(height, width):
        raise InputError(f"--tile {tile} must be a multiple of the output block {block}; use {round_up(tile, block)}")
    needed = colorizer.info.halo_px
    if halo is not None and halo < needed:
        log.warning("halo %d px is less than the %d px that these weights see; seams may show", halo, needed)
    fade = tiling.seam == "blend"
    if fade and halo is None:
        halo = max(needed, FADE_PX)
    at_once = not colorizer.info.bounded  # else tiles, so that reading, network and encoding go on side by side
    return colorizer.grid(scene, tile_px=tile, halo_px=halo, step_px=block, region=region, whole=at_once, fade=fade)


def find_region(raster: Raster, tiling: TileOptions) -> Window | None:
    """Return the part of a raster that is wanted; None for all of it.

    Raises:
        InputError: If it does not lie in the raster.
    """
    if tiling.bounds is not None:
        return Window(*raster.window_of(tiling.bounds))
    window = tiling.window
    if window is not None and (window.bottom > raster.height or window.right > raster.width):
        size = f"{raster.width} x {raster.height} px"
        raise InputError(f"--window ends at {window.right},{window.bottom}, but {raster.path} has {size}")
    return window


def fitting_block(grid: Grid) -> int:
    """Return the side of output blocks: 512, 256 where the tiles ask for it, less for a small scene."""
    if len(grid) == 1:
        return min(BLOCK_PX, round_up(max(grid.wanted[2:]), 16))
    return BLOCK_PX if grid.tile_px % BLOCK_PX == 0 else SMALL_BLOCK_PX


def lay_tiles(
    colorizer: Colorizer, scene: RasterScene, tiling: TileOptions, form: RasterForm, cache_mb: int | None
) -> tuple[Grid, RasterForm, int]:
    """Return the tiles in order, the form with its blocks, and the bytes of GDAL's cache; raises as `plan`."""
    grid, cache_bytes = walk(scene.raster, plan(colorizer, scene, tiling, form), cache_mb)
    if tiling.seam == "blend":
        grid = replace(grid, strip_px=0)
    return grid, form if form.block_px else replace(form, block_px=fitting_block(grid)), cache_bytes


def walk(raster: Raster, grid: Grid, cache_mb: int | None) -> tuple[Grid, int]:
    """Choose the order of the tiles and the size of GDAL's cache so that few blocks are decoded twice.

    Row by row, the cache must hold the blocks of one sweep over the width. Where it is too small for that, the scene is
    walked in vertical strips, at whose edges a column of blocks is decoded again. Blocks as wide as the raster cannot
    be walked in strips; their cache grows with the width, up to 512 MB.

    Args:
        raster: Whose blocks are read.
        grid: The tiles.
        cache_mb: What the user allows, megabytes; None for 64 or what a strip of ten tiles needs.

    Returns:
        The tiles in order, and the bytes of the cache.
    """
    given = None if cache_mb is None else cache_mb * 2**20
    if not grid.tile_px:
        return grid, given or CACHE_BYTES
    width, row_bytes = grid.wanted.width, _rows(raster, grid) * _bytes_per_px(raster)
    margin = 2 * (grid.halo_px + raster.dataset.block_shapes[0][1])
    if raster.dataset.block_shapes[0][1] >= raster.width:
        return grid, given or min(max(CACHE_BYTES, row_bytes * raster.width), LONGEST_SWEEP_BYTES)
    cache = given or max(CACHE_BYTES, row_bytes * min(width, STRIP_TILES * grid.tile_px + margin))
    if row_bytes * width <= cache:
        return grid, cache
    tiles_across = max(1, (cache // row_bytes - margin) // grid.tile_px)
    return replace(grid, strip_px=tiles_across * grid.tile_px), cache


def _rows(raster: Raster, grid: Grid) -> int:
    """Return the rows that are decoded for one row of tiles."""
    return min(grid.height, grid.tile_px + 2 * (grid.halo_px + raster.dataset.block_shapes[0][0]))


def _bytes_per_px(raster: Raster) -> int:
    """Return the bytes of all bands: where they are interleaved by pixel, GDAL keeps those that nobody asked for."""
    return sum(np.dtype(kind).itemsize for kind in raster.dtypes)
