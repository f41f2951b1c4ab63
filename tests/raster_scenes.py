"""Small rasters for tests, and what is in them."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

UTM = {"crs": "EPSG:32633", "transform": Affine(10, 0, 400_000, 0, -10, 5_000_000)}


def numbers(height: int = 70, width: int = 90, dtype: str = "uint16") -> np.ndarray:
    """A smooth near-infrared band with more light to the right, 500 to 4000 (or 20 to 230 in 8 bits)."""
    rows, columns = np.mgrid[:height, :width]
    wave = (
        np.sin(rows / 5) * np.cos(columns / 7) + columns / width + np.random.default_rng(0).normal(0, 0.05, rows.shape)
    )
    share = (wave - wave.min()) / max(np.ptp(wave), 1e-9)
    low, high = (20, 230) if dtype == "uint8" else (500, 4000)
    return (low + (high - low) * share).astype(dtype)


def write(path: Path, band: np.ndarray, *, mask: np.ndarray | None = None, **profile: Any) -> Path:
    values = {"driver": "GTiff", "height": band.shape[0], "width": band.shape[1], "count": 1, "dtype": band.dtype}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **{**values, **profile}) as target:
        target.write(band, 1)
        target.set_band_description(1, "nir")
        if mask is not None:
            target.write_mask(mask)
    return path


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()
