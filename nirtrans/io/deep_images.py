"""Pictures of 16 bits, floats or unusual TIFF kinds, by way of GDAL, since Pillow would reduce or refuse them."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import DataError
from nirtrans.io.gdal import gdal_quiet, gdal_reason


def read_by_gdal(path: Path) -> NDArray[Any]:
    """Decode to [H, W, bands], uint8, uint16 or float32.

    Raises:
        DataError: If the file is damaged, has more than four bands, or pixels of another kind.
    """
    with _opened_by_gdal(path) as source:
        stack = source.read().transpose(1, 2, 0)
    if stack.dtype in (np.uint8, np.uint16):
        return stack
    if np.issubdtype(stack.dtype, np.floating):
        return stack.astype(np.float32)
    if np.issubdtype(stack.dtype, np.integer) and stack.min() >= 0 and stack.max() <= 65535:
        return stack.astype(np.uint16)
    raise DataError(f"{path}: pixels of type {stack.dtype}; expected 8- or 16-bit unsigned integers or floats")


def size_by_gdal(path: Path) -> tuple[int, int, int]:
    """Return height, width and colour channels; raises as `read_by_gdal`."""
    with _opened_by_gdal(path) as source:
        return source.height, source.width, 1 if source.count < 3 else 3


@contextmanager
def _opened_by_gdal(path: Path) -> Iterator[Any]:
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with gdal_quiet(), rasterio.open(path) as source:
            if source.count > 4:
                raise DataError(f"{path}: {source.count} bands; expected a picture (rasters need their bands named)")
            yield source
    except RasterioError as error:
        reason = gdal_reason(error)
        raise DataError(
            f"{path}: damaged or truncated ({reason}); replace it or leave it out with --skip-bad"
        ) from None


def write_tiff16(path: Path, stack: NDArray[np.uint16], icc: bytes | None) -> None:
    """Write [H, W, bands] as a deflated TIFF."""
    import rasterio

    height, width, bands = stack.shape
    form = {"photometric": "RGB" if bands > 2 else "MINISBLACK", "alpha": "YES" if bands in (2, 4) else "NO"}
    form |= {"compress": "deflate", "predictor": "2", "interleave": "pixel"}
    with gdal_quiet(), rasterio.open(path, "w", "GTiff", width, height, bands, dtype="uint16", **form) as target:
        target.write(stack.transpose(2, 0, 1))
        if icc:
            target.update_tags(ns="COLOR_PROFILE", SOURCE_ICC_PROFILE=base64.b64encode(icc).decode())
