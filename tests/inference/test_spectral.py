"""Baselines by formula: numbers by hand, and the way through a raster."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from nirtrans.errors import DataError
from nirtrans.inference.colorizer import load_colorizer
from nirtrans.inference.geotiff import SourceOptions, colorize_raster
from nirtrans.inference.spectral import FORMULAS

REFLECTANCE = {"red": 0.05, "green": 0.08, "blue": 0.03, "nir": 0.25}
GREEN = {
    "spectral-hybrid-green": 0.85 * 0.08 + 0.15 * 0.25,
    "spectral-ndvi-green": (1 - 0.25 / 3) * 0.08 + 0.25 / 3 * 0.25,  # NDVI 2/3, share 0.15 - 0.1 * 2/3
    "spectral-ahi-green": 0.63 * 0.08 + 0.29 * 0.05 + 0.08 * 0.25,
}


def scene(path: Path) -> Path:
    """A raster of one colour in numbers of Sentinel-2, bands told by their descriptions, with a corner of nodata."""
    with rasterio.open(path, "w", "GTiff", height=40, width=50, count=4, dtype="uint16", nodata=0) as made:
        for number, (name, value) in enumerate(reversed(REFLECTANCE.items()), start=1):
            band = np.full((40, 50), round(value * 10_000), np.uint16)
            band[:10, :10] = 0
            made.write(band, number)
            made.set_band_description(number, name)
    return path


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_formulas(tmp_path: Path, name: str) -> None:
    source = scene(tmp_path / "in.tif")
    options = SourceOptions(scale=1e-4)
    colorize_raster(load_colorizer(name), source, tmp_path / "out.tif", options=options)
    linear = np.array([REFLECTANCE["red"], GREEN[name], REFLECTANCE["blue"]])
    with rasterio.open(tmp_path / "out.tif") as made:
        colours, valid = made.read(), made.dataset_mask() > 0
    assert (~valid[:10, :10]).all()
    assert valid.sum() == 40 * 50 - 100
    assert np.abs(colours[:, valid] - 255 * (linear[:, None] / 0.3) ** (1 / 1.4)).max() <= 0.51


def test_reflectance_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"these weights want reflectance.*--scale"):
        colorize_raster(load_colorizer("spectral-ahi-green"), scene(tmp_path / "in.tif"), tmp_path / "out.tif")


def test_black_pixels_have_no_index() -> None:
    dark = torch.zeros(1, 4, 2, 2)
    assert load_colorizer("spectral-ndvi-green").system.colorize(dark).eq(0).all()
