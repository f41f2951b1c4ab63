"""Made-up scenes: repeatable, plausible, and not to be coloured by a table."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image as Pillow

from nirtrans.data.landscape import SPECTRA, Cover, fractal, parcels
from nirtrans.data.synthetic import (
    NIR_TOP,
    SyntheticScene,
    display_rgb,
    synthetic_scene,
    write_synthetic_pairs,
    write_synthetic_raster,
)


@pytest.fixture(scope="module")
def scenes() -> list[SyntheticScene]:
    return [synthetic_scene(seed, (128, 128)) for seed in range(8)]


def test_seed_and_size_decide_everything() -> None:
    first, second, other = (synthetic_scene(seed, (40, 56)) for seed in (3, 3, 4))
    assert first.nir.shape == first.cover.shape == (40, 56)
    np.testing.assert_array_equal(first.nir, second.nir)
    np.testing.assert_array_equal(first.cover, second.cover)
    assert np.abs(first.nir - other.nir).mean() > 0.01


def test_reflectance_stays_within_nature(scenes: list[SyntheticScene]) -> None:
    for scene in scenes:
        for band in (scene.red, scene.green, scene.blue, scene.nir):
            assert band.dtype == np.float32
            assert 0 < band.min() <= band.max() <= 1


def test_vegetation_is_bright_and_water_dark_in_near_infrared(scenes: list[SyntheticScene]) -> None:
    nir, red = (np.concatenate([getattr(s, band).ravel() for s in scenes]) for band in ("nir", "red"))
    cover = np.concatenate([scene.cover.ravel() for scene in scenes])
    greenness = (nir - red) / (nir + red)
    assert np.median(greenness[cover == Cover.FOREST]) > 0.6
    assert np.median(greenness[cover == Cover.WATER]) < 0
    assert np.median(nir[cover == Cover.WATER]) < 0.1


def test_most_covers_occur(scenes: list[SyntheticScene]) -> None:
    found = np.unique(np.concatenate([scene.cover.ravel() for scene in scenes]))
    assert {Cover.WATER, Cover.FOREST, Cover.MEADOW, Cover.CROPS, Cover.SOIL, Cover.BUILT} <= set(found.tolist())


def test_no_table_from_intensity_gives_the_colour(scenes: list[SyntheticScene]) -> None:
    """The best table explains a part of the colours only; neighbourhood must tell the rest."""
    level = np.concatenate([(s.nir_picture().ravel() * 255).astype(int) for s in scenes])
    for channel in range(3):
        colour = np.concatenate([s.rgb_picture()[channel].ravel() for s in scenes])
        table = np.bincount(level, colour, 256) / np.maximum(np.bincount(level, minlength=256), 1)
        assert 0.2 < np.var(colour - table[level]) / np.var(colour) < 0.9


def test_near_infrared_of_covers_overlaps() -> None:
    nir = {name: values[3] for name, values in SPECTRA.items()}
    assert nir["conifers"] == pytest.approx(nir["grey soil"], abs=0.05)
    assert nir["broadleaf"] == pytest.approx(nir["sand"], abs=0.05)


def test_display_is_monotonic_and_clipped() -> None:
    shown = display_rgb(np.array([-0.1, 0.0, 0.1, 0.3, 0.9], dtype=np.float32))
    assert shown[0] == shown[1] == 0
    assert shown[3] == shown[4] == 1
    assert 0.3 < shown[2] < 1


def test_fractals_are_standardised_and_rough_ones_vary_faster() -> None:
    rough, smooth = (fractal(np.random.default_rng(0), (65, 48), slope=slope) for slope in (0.3, 2.0))
    for field in (rough, smooth):
        assert field.shape == (65, 48)
        assert field.mean() == pytest.approx(0, abs=1e-5)
        assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(rough)).mean() > 3 * np.abs(np.diff(smooth)).mean()


def test_parcels_have_borders_and_one_number_each() -> None:
    rng = np.random.default_rng(1)
    grid = parcels(rng, (64, 64), mean_px=16)
    numbers = grid.draw(rng)
    assert grid.edge_px.min() >= 0
    for column, row in {(int(c), int(r)) for c, r in zip(grid.column.ravel(), grid.row.ravel(), strict=True)}:
        assert len(np.unique(numbers[(grid.column == column) & (grid.row == row)])) == 1


def test_written_pairs_hold_the_scene(tmp_path: Path) -> None:
    write_synthetic_pairs(tmp_path / "pairs", scenes=2, size=(24, 40), seed=5)
    assert (tmp_path / "pairs" / "scenes.csv").read_text() == "id,scene\nscene0005,scene0005\nscene0006,scene0006\n"
    scene = synthetic_scene(6, (24, 40))
    nir = np.asarray(Pillow.open(tmp_path / "pairs" / "nir" / "scene0006.png"))
    assert nir.shape == (24, 40)
    np.testing.assert_allclose(nir / 255 * NIR_TOP, np.minimum(scene.nir, NIR_TOP), atol=0.002)


@pytest.mark.parametrize("hole", [True, False])
def test_written_rasters_are_georeferenced_reflectance(tmp_path: Path, hole: bool) -> None:
    write_synthetic_raster(tmp_path / "scene.tif", size=(96, 120), seed=2, nodata_hole=hole)
    with rasterio.open(tmp_path / "scene.tif") as raster:
        assert raster.shape == (96, 120)
        assert raster.crs.to_epsg() == 32633
        assert raster.res == (10, 10)
        assert raster.descriptions == ("red", "green", "blue", "nir")
        assert raster.dtypes == ("uint16",) * 4
        valid = raster.dataset_mask() > 0
        nir = raster.read(4) * raster.scales[3]
    assert valid.all() != hole
    np.testing.assert_allclose(nir[valid], synthetic_scene(2, (96, 120)).nir[valid], atol=1e-4)
