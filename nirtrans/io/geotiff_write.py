"""Make colour GeoTIFFs in two halves: a file with every tag and no block, and the blocks of one tile at a time.

Encoding is the dear half (25 seconds of processor time per 10^9 pixels), so it is done tile by tile wherever there is
a processor: each tile becomes a small GeoTIFF in memory, whose compressed blocks are those of the large one.
"""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.io.block_store import Blocks
from nirtrans.io.gdal import gdal_quiet
from nirtrans.io.geotiff import Raster, Window
from nirtrans.io.raster_form import BLOCK_PX, RasterForm
from nirtrans.io.tiff_blocks import read_tables

if TYPE_CHECKING:
    from rasterio.io import DatasetWriter, MemoryFile


def lay_out(source: Raster, form: RasterForm, tags: Mapping[str, str], window: Window, *, masked: bool) -> bytes:
    """Return an RGB GeoTIFF on the grid of `source`, its size, CRS, transform or GCPs, RPCs and tags, without blocks.

    Args:
        source: Raster whose grid is copied.
        form: How samples are stored.
        tags: Tags beside those of the source.
        window: The part of the source that is covered.
        masked: Whether any pixel may be invalid, so that a mask is needed.
    """
    from rasterio.io import MemoryFile

    with gdal_quiet(), MemoryFile() as memory:
        with memory.open(**_profile(source, form, window)) as target:
            _describe(target, source, tags, window)
            if form.mask == "internal" and masked:
                _begin_mask(target, form)
        return bytes(memory.getbuffer())


def encode_tile(
    rgb: NDArray[np.float32] | None, valid: NDArray[np.bool_] | None, form: RasterForm, *, masked: bool
) -> Blocks:
    """Return the compressed blocks of a tile whose origin is that of a block.

    Args:
        rgb: [3, h, w] in [0, 1]; None where nothing is valid.
        valid: [h, w], or None where every pixel is valid.
        form: How samples are stored.
        masked: Whether the file has an internal mask.

    Returns:
        For the picture, and for the mask if there is one, the blocks row by row; none of them if `rgb` is None.
    """
    if rgb is None:
        return ()
    from rasterio.io import MemoryFile

    everywhere = np.ones(rgb.shape[1:], dtype=bool) if valid is None else valid
    size = {"height": rgb.shape[1], "width": rgb.shape[2]}
    with gdal_quiet(), MemoryFile() as memory:
        with memory.open(**_storage(form), **size) as target:
            target.write(form.encode(rgb, valid), indexes=[1, 2, 3])
            if form.mask == "alpha":
                target.write((everywhere * np.iinfo(form.dtype).max).astype(form.dtype), indexes=4)
            elif form.mask == "internal" and masked:
                _write_mask(target, everywhere)
        return _blocks(memory)


def _blocks(memory: "MemoryFile") -> Blocks:
    file = io.BytesIO(memory.getbuffer())
    return tuple(tuple(table.read(file)) for table in read_tables(file))


def _write_mask(target: "DatasetWriter", valid: NDArray[np.bool_]) -> None:
    import rasterio

    height, width = valid.shape
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):  # else it becomes a file of its own; settings are per thread
        target.write_mask(valid.astype(np.uint8) * np.uint8(255), window=((0, height), (0, width)))


def _begin_mask(target: "DatasetWriter", form: RasterForm) -> None:
    """Create the mask by one invalid block, since without any block the file would say that all is valid."""
    height, width = (min(size, form.block_px or BLOCK_PX) for size in target.shape)
    _write_mask(target, np.zeros((height, width), dtype=bool))


def may_have_holes(source: Raster) -> bool:
    """Tell whether any pixel of the source could be invalid."""
    from rasterio.enums import MaskFlags

    flags = source.dataset.mask_flag_enums
    if any(MaskFlags.all_valid not in band for band in flags) or "alpha" in source.colours:
        return True  # of several extra bands GDAL flags none where the first is alpha
    return any(np.dtype(kind).kind == "f" for kind in source.dtypes)


def _profile(source: Raster, form: RasterForm, window: Window) -> dict[str, Any]:
    dataset = source.dataset
    top, left, height, width = window
    profile = _storage(form) | {"width": width, "height": height}
    gcps, _ = dataset.gcps
    if not gcps:
        profile["crs"] = dataset.crs
        if not dataset.transform.is_identity or dataset.crs:
            profile["transform"] = dataset.window_transform(((top, top + height), (left, left + width)))
    return profile


def _storage(form: RasterForm) -> dict[str, Any]:
    count = 4 if form.mask == "alpha" else 3
    return {"driver": "GTiff", "dtype": form.dtype, "count": count, "nodata": form.nodata, **form.creation_options()}


def _describe(target: "DatasetWriter", source: Raster, tags: Mapping[str, str], window: Window) -> None:
    """Copy what describes the grid and is no band's own."""
    from rasterio.crs import CRS

    top, left, _, _ = window
    gcps, crs = source.dataset.gcps
    if gcps:
        shift = _point_shift() if source.dataset.tags().get("AREA_OR_POINT") == "Point" else 0.0
        for gcp in gcps:
            gcp.row, gcp.col = gcp.row - shift - top, gcp.col - shift - left
        target.gcps = (gcps, crs or CRS())
    if source.dataset.rpcs:
        rpcs = source.dataset.rpcs
        rpcs.line_off, rpcs.samp_off = rpcs.line_off - top, rpcs.samp_off - left
        target.rpcs = rpcs
    target.update_tags(**{**source.dataset.tags(), **tags})
    for band, name in enumerate(("red", "green", "blue"), start=1):
        target.set_band_description(band, name)


def _point_shift() -> float:
    """Measure by how much GDAL moves control points where pixels are points: 1 in GDAL 3.10, where it should be 0."""
    from rasterio.control import GroundControlPoint
    from rasterio.io import MemoryFile

    with MemoryFile() as memory:
        with memory.open(driver="GTiff", width=1, height=1, count=1, dtype="uint8") as made:
            made.gcps = ([GroundControlPoint(0, 0, 0, 0)], "EPSG:4326")
            made.update_tags(AREA_OR_POINT="Point")
        with memory.open() as read:
            return read.gcps[0][0].row
