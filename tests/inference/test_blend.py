"""Tiles that are faded: no step is left where they disagree, nothing changes where they agree."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from raster_scenes import UTM, numbers, pixels, write
from tiny_weights import tiny_weights
from torch import Tensor

from nirtrans.config import Preprocessing, Run, Settings
from nirtrans.errors import InputError
from nirtrans.inference.blend import blended, contributors
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.forward import NetworkOptions
from nirtrans.inference.geotiff import Course, Result, colorize_raster
from nirtrans.inference.raster_plan import TileOptions
from nirtrans.inference.resources import Resources
from nirtrans.inference.stream import ColouredTile
from nirtrans.inference.tiling import Grid, Window
from nirtrans.io.parts import Shard
from nirtrans.io.raster_form import RasterForm
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo

FORM = RasterForm(block_px=32, dtype="float32")


class Relative(System):
    """Show each pixel relative to the mean of the picture: a network that sees all of it."""

    phases, inference, domains, paper = {}, (), frozenset({"nir"}), "none"

    def colorize(self, source: Tensor) -> Tensor:
        return (0.5 + source - source.mean(dim=(2, 3), keepdim=True)).expand(-1, 3, -1, -1).clamp(0, 1)


def relative() -> Colorizer:
    rule = Preprocessing(kind="raster", units="percentile")
    info = ModelInfo(
        model="relative", run=Run(model="relative", domain="nir"), preprocessing=rule, halo_px=0, stride_px=4,
        bounded=False,
    )  # fmt: skip
    return Colorizer(Relative(Settings(), in_channels=1), info, device=torch.device("cpu"))


def colorize(source: Path, name: str, colorizer: Colorizer | None = None, **options: Any) -> Result:
    kept = {"tiling": TileOptions(64, 16, seam="blend"), "form": FORM}
    return colorize_raster(colorizer or relative(), source, source.with_name(name), **(kept | options))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    band = numbers(200, 330)
    band[100:150, 100:200] = 0
    return write(tmp_path / "in.tif", band, nodata=0, **UTM)


def test_steps_are_gone(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:130, :330]
    source = write(tmp_path / "in.tif", (1000 + 8 * columns + 100 * np.sin(rows / 9)).astype("uint16"), **UTM)
    colorizer, steps = load_colorizer(tiny_weights(), device="cpu"), {}
    for name, tiling in {"exact": TileOptions(64), "blend": TileOptions(64, 16, seam="blend")}.items():
        colorize(source, f"{name}.tif", colorizer, tiling=tiling, network=NetworkOptions(norm_stats="tile"))
        across = np.abs(np.diff(pixels(tmp_path / f"{name}.tif"), axis=2)).mean(axis=(0, 1))
        lines = [63, 127, 191, 255]
        steps[name] = across[lines].mean() / np.delete(across, lines).mean()
    assert steps["exact"] > 2
    assert steps["blend"] < 1.2


def test_where_tiles_agree_nothing_changes(tmp_path: Path, source: Path) -> None:
    """A halo as wide as the network sees, beside the margin that fades."""
    colorizer = load_colorizer(tiny_weights("none"), device="cpu")
    colorize(source, "exact.tif", colorizer, tiling=TileOptions(64))
    colorize(source, "blend.tif", colorizer, tiling=TileOptions(64, 28, seam="blend"))
    exact, blend = pixels(tmp_path / "exact.tif"), pixels(tmp_path / "blend.tif")
    with rasterio.open(tmp_path / "exact.tif") as one, rasterio.open(tmp_path / "blend.tif") as other:
        assert (one.dataset_mask() == other.dataset_mask()).all()
    middle = (slice(None), slice(30, 34), slice(30, 34))  # seen by one tile alone
    assert np.abs(exact[middle] - blend[middle]).max() < 1e-5
    assert np.abs(exact - blend).mean() < 0.02


def test_a_network_that_sees_the_whole_picture(tmp_path: Path, source: Path) -> None:
    with pytest.raises(InputError, match=r"sees the whole picture.*or --seam blend"):
        colorize(source, "out.tif", tiling=TileOptions(64))
    done = colorize(source, "out.tif", tiling=TileOptions(64, seam="blend"), form=RasterForm(block_px=32))
    assert done.tiles == 24


@pytest.mark.parametrize("resources", [Resources(threads=1), Resources(threads=3), Resources(threads=1, queue=9)])
def test_bytes_are_those_of_one_run(tmp_path: Path, source: Path, resources: Resources) -> None:
    colorize(source, "whole.tif")
    for number in (1, 2, 3):
        colorize(source, "out.tif", course=Course(shard=Shard(number, 3), resources=resources))
    colorize(source, "out.tif", course=Course(resume=True, resources=resources))
    assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()


@pytest.mark.parametrize("wanted", [range(20), range(7, 8), range(3, 12), range(0)])
def test_weights_add_up(wanted: range) -> None:
    """Tiles of one colour fade into that colour, and each wanted tile comes once, in order."""
    grid = Grid(250, 330, 64, 16, 4, region=Window(7, 9, 240, 300))
    tiles = [grid.tile(number) for number in contributors(grid, wanted)]
    seen = [np.full((3, *tile.outer[2:]), 0.25, np.float32) for tile in tiles]
    made = list(blended(grid, (ColouredTile(t, s, None) for t, s in zip(tiles, seen, strict=True)), wanted))
    assert [done.tile.core for done in made] == [grid.tile(number).core for number in wanted]
    for done in made:
        assert done.colours == pytest.approx(np.full((3, *done.tile.core[2:]), 0.25), abs=1e-6)
