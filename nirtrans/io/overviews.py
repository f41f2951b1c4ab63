"""What is made of a complete GeoTIFF at the end: overviews inside it, or a cloud-optimised copy."""

from pathlib import Path

from nirtrans.errors import IOFailure
from nirtrans.io.gdal import gdal_quiet, gdal_reason
from nirtrans.io.raster_form import BLOCK_PX, RasterForm

SMALLEST_PX = 256
"""Overviews are made until the longer side is at most this."""


def dress(path: Path, form: RasterForm) -> Path:
    """Add overviews, or copy to a COG beside it, as the form asks; the file that is to be delivered is returned.

    Raises:
        IOFailure: If the disk is full.
    """
    from rasterio.errors import RasterioError

    try:
        with gdal_quiet():
            if form.cog:
                return _to_cog(path, form)
            if form.thinning != "none":
                _add_overviews(path, form)
            return path
    except RasterioError as error:
        raise IOFailure(f"finishing {path} failed ({gdal_reason(error)}); free space, then --resume goes on") from None


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


def _add_overviews(path: Path, form: RasterForm) -> None:
    import rasterio
    from rasterio.enums import Resampling

    settings = {"GDAL_TIFF_INTERNAL_MASK": True, "GDAL_TIFF_OVR_BLOCKSIZE": form.block_px or BLOCK_PX}
    with rasterio.Env(**settings), rasterio.open(path, "r+") as made:
        made.build_overviews(factors(*made.shape), Resampling[form.thinning])


def _to_cog(path: Path, form: RasterForm) -> Path:
    from rasterio.shutil import copy

    made = path.with_name("cog.tif")
    copy(path, made, driver="COG", **form.cog_options())
    return made
