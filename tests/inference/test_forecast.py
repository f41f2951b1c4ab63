"""What a raster will take: said without writing, and kept to."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio
from raster_scenes import UTM, numbers, write
from tiny_weights import tiny_weights

from nirtrans.errors import InputError
from nirtrans.inference import disk
from nirtrans.inference.colorizer import load_colorizer
from nirtrans.inference.forecast import Forecast, forecast_raster
from nirtrans.inference.forward import NetworkOptions
from nirtrans.inference.geotiff import colorize_raster
from nirtrans.inference.raster_plan import TileOptions
from nirtrans.inference.resources import Resources
from nirtrans.inference.scaling import SourceOptions
from nirtrans.io.raster_form import RasterForm

PEAK = """
import sys
from pathlib import Path
import nirtrans.inference.geotiff as g
from nirtrans.inference.colorizer import load_colorizer
from nirtrans.inference.raster_plan import TileOptions
from nirtrans.inference.resources import Resources
from nirtrans.inference.memory import share_heap
share_heap()
weights, source, target, tile, threads = sys.argv[1:]
course = g.Course(resources=Resources(threads=int(threads)))
colorizer, tiling = load_colorizer(weights, device="cpu"), TileOptions(int(tile))
g.colorize_raster(colorizer, source, Path(target), tiling=tiling, course=course)
print(1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]))
"""


def forecast(source: Path, *, norm: str = "batch", threads: int = 1, **options: Any) -> Forecast:
    kept = {"options": SourceOptions(), "tiling": TileOptions(64), "network": NetworkOptions(), "form": RasterForm()}
    colorizer = load_colorizer(tiny_weights(norm), device="cpu")
    target = source.with_name("out.tif")
    return forecast_raster(colorizer, source, target, resources=Resources(threads=threads), **(kept | options))


def test_a_forecast_writes_nothing_and_says_what_is_to_come(tmp_path: Path) -> None:
    source = write(tmp_path / "in.tif", numbers(150, 203), **UTM)
    told = forecast(source, form=RasterForm(block_px=32))
    assert [path.name for path in tmp_path.iterdir()] == ["in.tif"]
    assert len(told.grid) == 12
    text = told.text()
    assert "203 x 150 px" in text
    assert f"{told.grid.excess():.2f} px computed per pixel" in text
    assert min(told.seconds) > 0
    assert told.total_s >= told.seconds.network
    assert told.memory.total > told.memory.program > 0


def test_an_empty_middle_is_not_what_is_measured(tmp_path: Path) -> None:
    band = numbers(150, 203)
    band[:128] = 0
    told = forecast(write(tmp_path / "in.tif", band, nodata=0, **UTM), form=RasterForm(block_px=32))
    assert told.seconds.network > 0.001


@pytest.mark.parametrize(("norm", "tile", "threads"), [("batch", 512, 1), ("batch", 512, 3), ("instance", 512, 2)])
def test_memory_stays_below_what_was_said(tmp_path: Path, norm: str, tile: int, threads: int) -> None:
    source = write(tmp_path / "in.tif", np.tile(numbers(512, 512), (4, 4)), **UTM, tiled=True)
    told = forecast(source, norm=norm, tiling=TileOptions(tile), threads=threads)
    arguments = [str(tiny_weights(norm)), str(source), str(tmp_path / "out.tif"), str(tile), str(threads)]
    done = subprocess.run([sys.executable, "-c", PEAK, *arguments], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= told.memory.total


@pytest.mark.parametrize(("free", "outcome"), [(10**9, "nothing"), (40_000, "warning"), (10_000, "refusal")])
def test_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, free: int, outcome: str
) -> None:
    source, target = write(tmp_path / "in.tif", numbers(200, 200), **UTM), tmp_path / "deep" / "out.tif"
    colorizer = load_colorizer(tiny_weights("batch"), device="cpu")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    if outcome == "refusal":
        with pytest.raises(InputError, match=r"will take about 4\.8e-05 GB, 1e-05 GB are free; make room"):
            colorize_raster(colorizer, source, target)
        assert not target.parent.exists()
    else:
        colorize_raster(colorizer, source, target)
        assert ("are free" in caplog.text) == (outcome == "warning")
        with rasterio.open(target) as made:
            assert made.shape == (200, 200)
