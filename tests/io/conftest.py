"""Rasters of any make."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio


@pytest.fixture
def write_raster(tmp_path: Path) -> Callable[..., Path]:
    """Write [C, H, W] to a new file; `change` may alter the open dataset, options go to rasterio."""

    def write(values: np.ndarray, *, change: Callable[[Any], None] | None = None, **options: Any) -> Path:
        path = tmp_path / f"raster{len(list(tmp_path.iterdir()))}.tif"
        count, height, width = values.shape
        place = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 4e5, 0, -10, 5e6)} | options
        shape = {"count": count, "height": height, "width": width, "dtype": values.dtype}
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", "GTiff", **shape, **place) as target:
            target.write(values)
            if change:
                change(target)
        return path

    return write
