"""Rasters as training data: stretches, nodata, tiles within scenes."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from nirtrans.config import Run
from nirtrans.data.collection import Collection, open_collection
from nirtrans.data.rasters import _steps
from nirtrans.data.synthetic import display_rgb, write_synthetic_raster
from nirtrans.errors import DataError

MakeRun = Callable[..., Run]
RGBN = ("red", "green", "blue", "nir")


def write(path: Path, values: np.ndarray, names: tuple[str, ...] = RGBN, **options: Any) -> Path:
    count, height, width = values.shape
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 4e5, 0, -10, 5e6)} | options
    with rasterio.open(path, "w", "GTiff", width, height, count, dtype=values.dtype, **place) as target:
        target.write(values)
        target.descriptions = names
    return path


def rewrite(path: Path, change: Callable[[np.ndarray], Any]) -> None:
    """Alter the values of a raster in place."""
    with rasterio.open(path, "r+") as raster:
        values = raster.read()
        change(values)
        raster.write(values)


def opened(run: Run, *, skip_bad: bool = False) -> Collection:
    return open_collection(run.data, "nir", skip_bad=skip_bad)


def ramp(height: int, width: int, *, count: int = 4, dtype: type = np.uint16) -> np.ndarray:
    return np.tile(np.linspace(1, 200, width).astype(dtype), (count, height, 1))


def test_known_scaling_is_stretched_by_physical_range(rasters: Path, make_run: MakeRun) -> None:
    collection = opened(make_run(str(rasters)))
    assert collection.preprocessing.units == "reflectance"
    assert collection.preprocessing.input_range == (0.0, 0.6)
    assert collection.preprocessing.gsd_m == pytest.approx(10)
    nir, valid = collection.sources[0].read()
    rgb, _ = collection.targets[0].read()
    top, left, height, width = collection.sources[0].site.window
    with rasterio.open(rasters / "scene0.tif") as raster:
        stored = raster.read()[:, top : top + height, left : left + width] * np.float32(1e-4)
    np.testing.assert_allclose(nir[0][valid], np.clip(stored[3] / 0.6, 0, 1)[valid], atol=1e-4)
    np.testing.assert_allclose(rgb[:, valid], display_rgb(stored[:3])[:, valid], atol=1e-3)


def test_unknown_scaling_anywhere_means_percentiles_everywhere(rasters: Path, make_run: MakeRun) -> None:
    write(rasters / "plain.tif", ramp(80, 96))
    collection = opened(make_run(str(rasters)))
    assert collection.preprocessing.units == "percentile"
    assert collection.preprocessing.input_range is None
    for source in collection.sources:
        values, _ = source.read()
        assert 0 <= values.min() < values.max() <= 1


@pytest.mark.parametrize("given", ["percentile", (0.0, 0.4)])
def test_the_input_range_can_be_given(rasters: Path, make_run: MakeRun, given: Any) -> None:
    found = opened(make_run(str(rasters), input_range=given)).preprocessing
    assert (found.units, found.input_range) == (
        ("percentile", None) if given == "percentile" else ("reflectance", (0.0, 0.4))
    )


def test_plain_numbers_are_taken_as_they_are_within_a_given_range(tmp_path: Path, make_run: MakeRun) -> None:
    write(tmp_path / "plain.tif", ramp(64, 64))
    nir, _ = opened(make_run(str(tmp_path), input_range=(0.0, 400.0))).sources[0].read()
    assert nir.max() == pytest.approx(0.5, abs=0.01)
    with pytest.raises(DataError, match=r"are all outside the input range 0 to 0\.6, and their scaling is not known"):
        opened(make_run(str(tmp_path), input_range=(0.0, 0.6)))


def test_true_colour_bands_are_shown_as_they_are(tmp_path: Path, make_run: MakeRun) -> None:
    values = ramp(64, 64, dtype=np.float64)
    values[3] *= 30
    write(tmp_path / "tci.tif", values, names=("TCI_R", "TCI_G", "TCI_B", "B8"))
    rgb, _ = opened(make_run(str(tmp_path))).targets[0].read()
    np.testing.assert_allclose(rgb, values[:3, : rgb.shape[1], : rgb.shape[2]] / 255, atol=1e-5)


def test_near_infrared_tagged_as_alpha_is_data(tmp_path: Path, make_run: MakeRun) -> None:
    values = ramp(64, 64, dtype=np.uint8)
    values[3, :, :10] = 0
    write(tmp_path / "naip.tif", values, names=("", "", "", ""), photometric="RGB", alpha="YES")
    collection = opened(make_run({"path": str(tmp_path), "sensor": "naip"}))
    assert all(source.read()[1] is None for source in collection.sources)
    np.testing.assert_allclose(collection.targets[0].read()[0][0, 0, 0], 1 / 255, atol=1e-6)


def test_nodata_and_undeclared_fill_are_masked(rasters: Path, make_run: MakeRun) -> None:
    path = write(rasters / "fill.tif", ramp(80, 96))

    def slant(values: np.ndarray) -> None:
        values[:, :, :20] = 0

    rewrite(path, slant)
    collection = opened(make_run(str(rasters)))
    filled = next(p for p in collection.sources if p.id.startswith("fill"))
    pixels, valid = filled.read()
    assert valid is not None
    assert not valid[:, :20].any()
    assert valid[:, 20:].all()
    np.testing.assert_allclose(pixels[0, :, :20], pixels[0][valid].mean(), atol=1e-3)


def test_values_under_the_mask_reach_nobody(rasters: Path, make_run: MakeRun) -> None:
    before = [picture.read()[0] for picture in opened(make_run(str(rasters))).targets]
    with rasterio.open(rasters / "scene0.tif", "r+") as raster:
        values, hidden = raster.read(), raster.dataset_mask() == 0
        values[:3, hidden] = 9999  # the near-infrared band still says nodata there
        raster.write(values)
    after = [picture.read()[0] for picture in opened(make_run(str(rasters))).targets]
    for first, second in zip(before, after, strict=True):
        np.testing.assert_array_equal(first, second)


def test_tiles_stay_within_their_scene(rasters: Path, make_run: MakeRun) -> None:
    collection = opened(make_run(str(rasters), crop_px=16))
    assert len(collection.sources) > 7
    scenes = {part: {p.scene for p in collection.part(part).sources} for part in ("train", "val")}
    assert scenes["val"] == {"scene5"}
    assert not scenes["val"] & scenes["train"]


def test_scenes_of_several_files_can_be_named(rasters: Path, make_run: MakeRun) -> None:
    one_place = {f"scene{number}": "place" for number in range(6)}
    collection = opened(make_run({"path": str(rasters), "scenes": one_place}))
    assert {p.scene for p in collection.sources} == {"place", "scene6"}


def test_mostly_empty_tiles_are_dropped(tmp_path: Path, make_run: MakeRun) -> None:
    values = ramp(64, 128)
    values[:, :, 50:] = 0
    path = write(tmp_path / "half.tif", values, nodata=0)
    collection = opened(make_run(str(path), crop_px=16))
    assert {source.site.window[1] for source in collection.sources} == {0, 32}


def test_a_raster_alone_validates_on_its_lower_part(tmp_path: Path, make_run: MakeRun) -> None:
    write_synthetic_raster(tmp_path / "alone.tif", size=(192, 64), nodata_hole=False)
    collection = opened(make_run(str(tmp_path / "alone.tif")))
    windows = {part: [p.site.window for p in collection.part(part).sources] for part in ("train", "val")}
    assert {top + height for top, _, height, _ in windows["val"]} == {192}
    assert max(top + height for top, _, height, _ in windows["train"]) <= min(top for top, *_ in windows["val"])


@pytest.mark.parametrize(("length", "side"), [(100, 64), (64, 64), (10, 64), (1000, 64)])
def test_steps_cover_a_length_evenly(length: int, side: int) -> None:
    steps = _steps(length, side)
    assert sum(size for _, size in steps) == length
    assert all(a + size == b for (a, size), (b, _) in pairwise(steps))
    assert max(size for _, size in steps) - min(size for _, size in steps) <= 1


def test_all_nodata_is_refused(tmp_path: Path, make_run: MakeRun) -> None:
    write(tmp_path / "empty.tif", np.zeros((4, 64, 64), np.uint16), nodata=0)
    with pytest.raises(DataError, match=r"empty.tif: every pixel is nodata"):
        opened(make_run(str(tmp_path)))


def test_all_nodata_with_known_scaling_is_refused(tmp_path: Path, make_run: MakeRun) -> None:
    write(tmp_path / "empty.tif", np.zeros((4, 64, 64), np.uint16), nodata=0)
    with pytest.raises(DataError, match="every pixel is nodata"):
        opened(make_run({"path": str(tmp_path), "scale": 1e-4}))


def test_missing_near_infrared_names_the_flag(tmp_path: Path, make_run: MakeRun) -> None:
    write(tmp_path / "rgb.tif", ramp(64, 64, count=3), names=RGBN[:3])
    with pytest.raises(DataError, match=r"no band found for nir among 3 .*--bands nir=N"):
        opened(make_run(str(tmp_path)))


@pytest.mark.parametrize("share", [0.005, 0.5, 0.98])
def test_truncated_rasters_are_named_or_skipped(rasters: Path, make_run: MakeRun, share: float) -> None:
    path = rasters / "scene2.tif"
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match=r"scene2\.tif"):
        opened(make_run(str(rasters)))
    names = {source.id.split("@")[0] for source in opened(make_run(str(rasters)), skip_bad=True).sources}
    assert "scene2" not in names
    assert len(names) == 6


def test_an_absurd_float_nodata_harms_nothing(tmp_path: Path, make_run: MakeRun) -> None:
    values = ramp(64, 64, dtype=np.float32)
    values[:, :8] = -3.4e38
    values[:, 8, 8] = np.nan
    write(tmp_path / "float.tif", values, nodata=-3.4e38)
    for picture in (*opened(make_run(str(tmp_path))).sources, *opened(make_run(str(tmp_path))).targets):
        pixels, _ = picture.read()
        assert np.isfinite(pixels).all()
        assert 0 <= pixels.min() <= pixels.max() <= 1
