"""Odd and real rasters: colorized on the same grid with the same mask, or refused in one line."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from tiny_weights import tiny_weights

from nirtrans.errors import DataError, IOFailure
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.geotiff import SourceOptions, colorize_raster

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
MAX_PX = 1_000_000  # larger files say nothing new about grids and take long
REFUSED = {
    "cog_cmap.tif": (DataError, "palette indices"),
    "truncated_header.tif": (IOFailure, "pixels at row"),
    "truncated_rgbn.tif": (IOFailure, "pixels at row"),
}
NIR_BAND = {"terramind-s2l2a": 8, "pyrsgis-landsat8-india": 5, "terratorch-hls-l30": 5, "geotiff-edge": 1}


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return load_colorizer(tiny_weights(), device="cpu")


def colorize(colorizer: Colorizer, source: Path, target: Path) -> int:
    band = NIR_BAND.get(source.parent.name, 4)
    colorize_raster(colorizer, source, target, options=SourceOptions(bands={"nir": band}))
    return band


def check(source: Path, target: Path, band: int) -> None:
    with rasterio.open(source) as given, rasterio.open(target) as made:
        assert made.shape == given.shape
        assert made.crs == given.crs
        assert made.transform == given.transform
        assert [point.asdict() for point in made.gcps[0]] == [point.asdict() for point in given.gcps[0]]
        assert given.tags().items() <= made.tags().items()
        expected = (given.read_masks(band) > 0) & np.isfinite(given.read(band))
        assert np.array_equal(made.dataset_mask() > 0, expected)


@pytest.mark.parametrize("folder", ["geotiff-edge", "nir/remote"])
def test_grid_and_mask_of_real_files(shared_data: Path, tmp_path: Path, colorizer: Colorizer, folder: str) -> None:
    files = sorted((shared_data / folder).rglob("*.tif"))
    assert files
    for source in files:
        if source.name in REFUSED or _pixels(source) > MAX_PX:
            continue
        band = colorize(colorizer, source, tmp_path / "out.tif")
        check(source, tmp_path / "out.tif", band)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_colorized_is_refused(
    shared_data: Path, tmp_path: Path, colorizer: Colorizer, name: str
) -> None:
    kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        colorize(colorizer, shared_data / "geotiff-edge" / name, tmp_path / "out.tif")
    assert not list(tmp_path.iterdir())


def _pixels(path: Path) -> int:
    with rasterio.open(path) as source:
        return source.width * source.height
