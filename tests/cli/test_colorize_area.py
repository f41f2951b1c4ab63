"""`nirtrans colorize --aoi --mask-halo`: flags, messages, and what belongs to one run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine
from tiny_weights import tiny_weights

Command = Callable[..., Any]
FLAGS = ("--device", "cpu", "--progress", "none", "--tile", "64", "--block", "32")
SQUARE = [[400_200, 4_999_800], [400_800, 4_999_800], [400_800, 4_999_200], [400_200, 4_999_200], [400_200, 4_999_800]]


@pytest.fixture
def colorize(nirtrans: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    band = np.random.default_rng(0).integers(100, 5000, (100, 120), dtype=np.uint16)
    band[40:44, 50:54] = 0
    place = {"crs": "EPSG:32633", "transform": Affine(10, 0, 400_000, 0, -10, 5_000_000), "nodata": 0}
    with rasterio.open("in.tif", "w", "GTiff", 120, 100, 1, dtype="uint16", **place) as target:
        target.write(band, 1)
        target.set_band_description(1, "nir")
    Image.fromarray(band.astype(np.uint8)).save("in.png")
    named = {"type": "name", "properties": {"name": "EPSG:32633"}}
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}
    Path("square.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature], "crs": named}))
    Path("table.gpkg").write_bytes(b"SQLite format 3\0" + bytes(range(256)))
    return lambda *words: nirtrans("colorize", *words, "--weights", tiny_weights("batch"), *FLAGS)


def test_an_area_without_the_edges_of_holes(colorize: Command) -> None:
    result = colorize("in.tif", "out.tif", "--aoi", "square.geojson", "--mask-halo", "5")
    assert (result.code, result.err) == (0, "")
    expected = np.zeros((100, 120), dtype=bool)
    expected[20:80, 20:80] = True
    expected[35:49, 45:59] = False
    with rasterio.open("out.tif") as made:
        assert np.array_equal(made.dataset_mask() > 0, expected)
        told = json.loads(made.tags()["NIRTRANS"])
    assert told["mask_halo_px"] == 5


@pytest.mark.parametrize("flags", [("--aoi", "square.geojson"), ("--mask-halo", "5")])
def test_they_belong_to_the_run(colorize: Command, flags: tuple[str, str]) -> None:
    assert colorize("in.tif", "whole.tif", *flags).code == 0
    assert colorize("in.tif", "out.tif", *flags, "--shard", "1/2").code == 0
    other = colorize("in.tif", "out.tif", "--resume", "--shard", "2/2")
    assert other.code == 0  # each shard has a journal of its own
    mixed = colorize("in.tif", "out.tif", *flags, "--resume")
    assert mixed.code == 2
    assert colorize("in.tif", "out.tif", *flags, "--overwrite").code == 0
    assert Path("out.tif").read_bytes() == Path("whole.tif").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("in.tif", "out.tif", "--aoi", "none.geojson"), "none.geojson: cannot be read"),
        (("in.tif", "out.tif", "--aoi", "table.gpkg"), "converted by `ogr2ogr area.geojson table.gpkg`"),
        (("in.tif", "out.tif", "--aoi", "."), ".: cannot be read"),
        (("in.tif", "out.tif", "--mask-halo", "-1"), "--mask-halo expects 0 to 1024"),
        (("in.png", "out.png", "--aoi", "square.geojson", "--mask-halo", "2"), "--aoi, --mask-halo: for rasters alone"),
    ],
)
def test_refused_with_one_line(colorize: Command, words: tuple[str, ...], message: str) -> None:
    before = sorted(Path().rglob("*"))
    result = colorize(*words)
    assert result.code == 2
    assert message in result.error
    assert sorted(Path().rglob("*")) == before
