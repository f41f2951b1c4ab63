"""The guarantee of tiles, for every norm and several sides: one level at most, 99.9 % equal, no step at their lines."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from tiny_weights import tiny_weights

from nirtrans.inference.colorizer import load_colorizer
from nirtrans.inference.geotiff import colorize_raster
from nirtrans.inference.raster_plan import TileOptions
from nirtrans.io.raster_form import RasterForm

SIZE = (261, 323)
"""No multiples of the stride, of blocks or of tiles."""
NORMS = ("batch", "instance", "group", "none")
Make = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Colorize one scene with weights of a norm, cut into tiles of a side: [3, H, W], 8 bits."""
    folder = tmp_path_factory.mktemp("exact")
    source = _write_scene(folder / "in.tif")

    @cache
    def colorize(norm: str, tile: int, halo: int | None = None, block: int = 16) -> np.ndarray:
        colorizer = load_colorizer(tiny_weights(norm), device="cpu")
        tiling, form = TileOptions(tile, halo), RasterForm(block_px=block)
        colorize_raster(colorizer, source, folder / "out.tif", tiling=tiling, form=form)
        with rasterio.open(folder / "out.tif") as made:
            return made.read().astype(int)

    return colorize


def _write_scene(path: Path) -> Path:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    wave = np.sin(rows / 5) * np.cos(columns / 7) + columns / SIZE[1]
    band = (1500 + 600 * (wave + np.random.default_rng(0).normal(0, 0.1, SIZE))).astype("uint16")
    shape = {"height": SIZE[0], "width": SIZE[1], "count": 1, "dtype": "uint16"}
    place = {"crs": "EPSG:32633", "transform": Affine(10, 0, 4e5, 0, -10, 5e6)}
    with rasterio.open(path, "w", "GTiff", **shape, **place) as made:
        made.write(band, 1)
        made.set_band_description(1, "nir")
    return path


def agree(whole: np.ndarray, tiled: np.ndarray) -> bool:
    """The guarantee."""
    return bool(np.abs(whole - tiled).max() <= 1 and (whole == tiled).mean() >= 0.999)


def step(rgb: np.ndarray, tile: int) -> float:
    """Mean difference of neighbours across the lines of tiles."""
    across = [np.abs(np.diff(rgb, axis=axis)).mean(axis=(0, 3 - axis))[tile - 1 :: tile] for axis in (1, 2)]
    return float(np.concatenate(across).mean())


@pytest.mark.parametrize(("tile", "block"), [(32, 16), (64, 32), (96, 32)])
@pytest.mark.parametrize("norm", NORMS)
def test_tiles_equal_the_whole(make: Make, norm: str, tile: int, block: int) -> None:
    whole, tiled = make(norm, 0), make(norm, tile, block=block)
    assert whole.std(axis=(1, 2)).min() > 10
    assert agree(whole, tiled)
    assert step(tiled, tile) <= 1.05 * step(whole, tile)


@pytest.mark.parametrize("tile", [64, 96])
@pytest.mark.parametrize("norm", NORMS)
def test_a_halo_less_by_one_stride_shows(make: Make, norm: str, tile: int) -> None:
    info = load_colorizer(tiny_weights(norm), device="cpu").info
    assert agree(make(norm, 0), make(norm, tile, info.halo_px))
    assert not agree(make(norm, 0), make(norm, tile, info.halo_px - info.stride_px))


@pytest.mark.parametrize("norm", NORMS)
def test_without_a_halo_there_are_steps(make: Make, norm: str) -> None:
    assert step(make(norm, 32, 0), 32) > 1.05 * step(make(norm, 0), 32)
