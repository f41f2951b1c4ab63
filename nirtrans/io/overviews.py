"""What is made of a complete GeoTIFF at the end: overviews inside it, or a cloud-optimised copy."""

import os
from pathlib import Path

from nirtrans.errors import IOFailure
from nirtrans.io.gdal import failed_writes, gdal_errors, gdal_quiet, gdal_reason
from nirtrans.io.raster_form import BLOCK_PX, RasterForm
from nirtrans.io.tiff_blocks import read_tables

SMALLEST_PX = 256
"""Overviews are made until the longer side is at most this."""


def dress(path: Path, form: RasterForm) -> Path:
    """Add overviews, or copy to a COG beside it, as the form asks; the file that is to be delivered is returned.

    Raises:
        IOFailure: If the disk is full.
    """
    if not form.cog and form.thinning == "none":
        return path
    expected: tuple[type[Exception], ...] = (OSError, ValueError, *gdal_errors())
    try:
        with gdal_quiet(), failed_writes() as failures:
            made = _to_cog(path, form) if form.cog else _add_overviews(path, form)
        if failures:
            raise OSError(failures[0])
        _check_whole(made)
        return made
    except expected as error:
        remedy = "free space, then --resume goes on"
        raise IOFailure(f"finishing {path} failed ({gdal_reason(error)}); {remedy}") from None


def _check_whole(path: Path) -> None:
    """Bring a file to the disk and see that all of its blocks stand in it; raises OSError or ValueError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        size = file.seek(0, os.SEEK_END)
        for table in read_tables(file):
            if (table.offsets.read(file) + table.lengths.read(file)).max(initial=0) > size:
                raise ValueError("blocks are missing at its end")


def factors(height: int, width: int) -> list[int]:
    """Return the decimations of the overviews: 2, 4, 8, ...

    Example:
        >>> factors(1000, 3000)
        [2, 4, 8, 16]
    """
    count = 0
    while -(-max(height, width) // 2**count) > SMALLEST_PX:
        count += 1
    return [2**power for power in range(1, count + 1)]


def _add_overviews(path: Path, form: RasterForm) -> Path:
    import rasterio
    from rasterio.enums import Resampling

    settings = {"GDAL_TIFF_INTERNAL_MASK": True, "GDAL_TIFF_OVR_BLOCKSIZE": form.block_px or BLOCK_PX}
    with rasterio.Env(**settings), rasterio.open(path, "r+") as made:
        made.build_overviews(factors(*made.shape), Resampling[form.thinning])
    return path


def _to_cog(path: Path, form: RasterForm) -> Path:
    from rasterio.shutil import copy

    made = path.with_name("cog.tif")
    copy(path, made, driver="COG", **form.cog_options())
    return made
