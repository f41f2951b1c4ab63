"""What a run may use of the machine changes no byte; how the network runs does, and is written down."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from raster_scenes import UTM, numbers, pixels, write
from tiny_weights import tiny_weights

from nirtrans.errors import InputError, IOFailure, OutOfMemory
from nirtrans.inference.colorizer import load_colorizer
from nirtrans.inference.forward import Forward, NetworkOptions
from nirtrans.inference.geotiff import Course, Result, colorize_raster
from nirtrans.inference.raster_plan import TileOptions, walk
from nirtrans.inference.resources import Resources
from nirtrans.inference.scaling import SourceOptions
from nirtrans.inference.scene import ArrayScene
from nirtrans.inference.stream import Pace, colorize_tiles, process_tiles
from nirtrans.inference.tiling import Grid, Window
from nirtrans.io.geotiff import Raster
from nirtrans.io.raster_form import RasterForm

Colorize = Callable[..., Result]
TILED = {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "deflate"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    band = numbers(90, 400)
    band[:70, :80] = 0
    return write(tmp_path / "in.tif", band, **UTM, nodata=0)


@pytest.fixture
def colorize(tmp_path: Path, source: Path) -> Colorize:
    """Colorize into tmp_path/NAME.tif, in tiles of 64 px."""

    def call(name: str, *, norm: str = "instance", resources: Resources = Resources(), **options: Any) -> Result:
        course = options.pop("course", Course(resources=resources))
        cut = {"tiling": TileOptions(64), "form": RasterForm(block_px=32, dtype="float32")}
        colorizer = load_colorizer(tiny_weights(norm), device="cpu")
        return colorize_raster(colorizer, source, tmp_path / f"{name}.tif", course=course, **(cut | options))

    return call


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_no_resource_changes_a_byte(tmp_path: Path, colorize: Colorize, norm: str) -> None:
    colorize("plain", norm=norm, resources=Resources(threads=1, batch=1, queue=1))
    expected = (tmp_path / "plain.tif").read_bytes()
    for number, resources in enumerate(
        [
            Resources(threads=2),
            Resources(threads=3, batch=3, queue=2),
            Resources(threads=1, batch=8, readers=3, queue=9),
            Resources(threads=5, cache_mb=1),
        ]
    ):
        colorize(f"{number}", norm=norm, resources=resources)
        assert (tmp_path / f"{number}.tif").read_bytes() == expected, resources


def test_threads_of_the_caller_come_back(colorize: Colorize) -> None:
    torch.set_num_threads(2)
    colorize("out")
    assert torch.get_num_threads() == 2


def test_a_batch_that_is_too_large_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of tiles of one size as many as allowed are seen together, and fewer where that does not fit."""
    seen, run = [], Forward.__call__

    def small(self: Forward, source: torch.Tensor, place: Any = None) -> torch.Tensor:
        seen.append(len(source))
        if len(source) > 2:
            raise OutOfMemory("too large")
        return run(self, source, place)

    forward = load_colorizer(tiny_weights("batch"), device="cpu").forward()
    scene = ArrayScene(np.random.default_rng(0).random((1, 40, 320), dtype=np.float32))
    grid = Grid(40, 320, 32, 16, 4)
    alone = list(colorize_tiles(forward, scene, grid.tiles()))
    monkeypatch.setattr(Forward, "__call__", small)
    together = list(process_tiles(forward, scene, grid.tiles(), lambda done: done, Pace(batch=5)))
    assert seen[1:4] == [5, 2, 3]
    assert [done.tile for done in together] == list(grid.tiles())
    for one, other in zip(alone, together, strict=True):
        assert np.abs(one.colours - other.colours).max() < 1e-5


@pytest.mark.parametrize(("strip_px", "region"), [(64, None), (128, None), (64, (33, 20, 100, 150))])
def test_strips_cover_the_scene_in_another_order(strip_px: int, region: Any) -> None:
    grid = Grid(150, 203, 64, 8, 4, region=Window(*region) if region else None)
    strips = Grid(150, 203, 64, 8, 4, region=grid.region, strip_px=strip_px)
    tiles = list(strips.tiles())
    assert set(tiles) == set(grid.tiles())
    assert tiles != list(grid.tiles())
    columns = [(tile.core.left - grid.wanted.left) // strip_px for tile in tiles]
    assert columns == sorted(columns)


def test_a_scene_wider_than_the_cache_is_walked_in_strips(tmp_path: Path) -> None:
    path = tmp_path / "wide.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=4096, width=40_000, count=1, dtype="uint16", sparse_ok=True, **UTM, **TILED
    ):
        pass
    grid = Grid(4096, 40_000, 1024, 64, 4)
    with Raster(path) as raster:
        strips, cache = walk(raster, grid, cache_mb=20)
        assert (strips.strip_px, cache) == (8 * 1024, 20 * 2**20)
        assert walk(raster, grid, cache_mb=200) == (grid, 200 * 2**20)
        narrow = Grid(4096, 2048, 1024, 64, 4)
        assert walk(raster, narrow, cache_mb=None) == (narrow, 64 * 2**20)


def test_strips_give_the_same_pixels(tmp_path: Path, colorize: Colorize, monkeypatch: pytest.MonkeyPatch) -> None:
    colorize("rows")
    monkeypatch.setattr(
        "nirtrans.inference.raster_plan.walk",
        lambda raster, grid, limit: (Grid(*list(vars(grid).values())[:6], strip_px=64), 2**20),
    )
    colorize("strips")
    assert (pixels(tmp_path / "rows.tif") == pixels(tmp_path / "strips.tif")).all()


def test_precision_is_written_down(tmp_path: Path, colorize: Colorize) -> None:
    colorize("fp32", norm="batch")
    colorize("bf16", norm="batch", network=NetworkOptions(precision="bf16"))
    fine, coarse = (pixels(tmp_path / f"{name}.tif") for name in ("fp32", "bf16"))
    assert 0 < np.abs(fine - coarse).max() < 0.1
    with rasterio.open(tmp_path / "bf16.tif") as made:
        assert json.loads(made.tags()["NIRTRANS"])["precision"] == "bf16"
    with pytest.raises(InputError, match="--precision fp16 needs a CUDA device"):
        colorize("fp16", network=NetworkOptions(precision="fp16"))
    assert not (tmp_path / "fp16.tif.parts").exists()


def test_statistics_of_tiles_and_of_a_file(
    tmp_path: Path, colorize: Colorize, caplog: pytest.LogCaptureFixture
) -> None:
    statistics = tmp_path / "s.json"
    colorize("scene", course=Course(stats_out=statistics))
    with pytest.raises(InputError, match=r"--norm-stats frozen .* --stats-in FILE"):
        colorize("frozen", network=NetworkOptions(norm_stats="frozen"))
    colorize("frozen", network=NetworkOptions(norm_stats="frozen"), course=Course(stats_in=statistics))
    assert "seams will show" not in caplog.text
    colorize("tile", network=NetworkOptions(norm_stats="tile"))
    assert "seams will show" in caplog.text
    scene, frozen, tile = (pixels(tmp_path / f"{name}.tif") for name in ("scene", "frozen", "tile"))
    assert (scene == frozen).all()
    assert np.abs(scene - tile).max() > 0.05


def test_what_was_clamped_is_counted(tmp_path: Path, colorize: Colorize) -> None:
    band = pixels(tmp_path / "in.tif")[0]
    done = colorize("out", options=SourceOptions(input_range="1000,3000"))
    outside = ((band < 1000) | (band > 3000))[band > 0].mean()
    assert done.clamped == pytest.approx(outside)
    assert colorize("all", options=SourceOptions(input_range="0,5000")).clamped == 0


def test_a_read_that_fails_once_is_repeated(
    tmp_path: Path, colorize: Colorize, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rasterio.errors import RasterioIOError

    colorize("plain")
    read, failures = Raster._read, [0]

    def flaky(self: Raster, *arguments: Any) -> Any:
        failures[0] += 1
        if failures[0] % 2:
            raise RasterioIOError("connection reset")
        return read(self, *arguments)

    monkeypatch.setattr(Raster, "_read", flaky)
    colorize("flaky")
    assert (tmp_path / "flaky.tif").read_bytes() == (tmp_path / "plain.tif").read_bytes()
    monkeypatch.setattr(Raster, "_read", lambda *_: (_ for _ in ()).throw(RasterioIOError("gone")))
    with pytest.raises(IOFailure, match=r"pixels at row \d+, column \d+ failed \(gone\)"):
        colorize("broken")


@pytest.mark.parametrize("values", [{"batch": 0}, {"queue": 0}, {"readers": -1}, {"cache_mb": 0}])
def test_resources_that_are_none(values: dict[str, int]) -> None:
    with pytest.raises(InputError, match="expects a whole number from 1"):
        Resources(**values)
