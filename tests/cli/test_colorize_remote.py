"""Rasters behind HTTP: the same bytes as from the disk, and servers that fail in the middle."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from tiny_weights import tiny_weights

FLAGS = ("--device", "cpu", "--progress", "none", "--tile", "64", "--block", "32", "--input-range", "0,4000")
SERVER = Path(__file__).parent.parent / "range_server.py"
Command = Callable[..., Any]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).integers(100, 4000, (1, 500, 600), dtype=np.uint16)
    place = {"crs": "EPSG:32633", "transform": Affine(10, 0, 4e5, 0, -10, 5e6), "tiled": True}
    shape = {"count": 1, "height": 500, "width": 600, "dtype": "uint16", "blockxsize": 64, "blockysize": 64}
    with rasterio.open(tmp_path / "in.tif", "w", "GTiff", **shape, **place) as made:
        made.write(values)
        made.set_band_description(1, "nir")
    return tmp_path / "in.tif"


@pytest.fixture
def serve(source: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], str]]:
    """Serve the raster, for so many answers, and return its address."""
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    running = []

    def start(answers: float) -> str:
        process = subprocess.Popen([sys.executable, SERVER, source, str(answers)], stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{process.stdout.readline().strip()}/in.tif"

    yield start
    for process in running:
        process.terminate()
        process.communicate()


def test_a_remote_raster_gives_the_same_bytes(
    tmp_path: Path, nirtrans: Command, serve: Callable[[float], str], source: Path
) -> None:
    flags = ("--weights", tiny_weights("batch"), *FLAGS)
    assert nirtrans("colorize", source, tmp_path / "local.tif", *flags).code == 0
    for number, prefix in enumerate(("", "/vsicurl/")):
        url = prefix + serve(float("inf"))
        assert nirtrans("colorize", url, tmp_path / f"{number}.tif", *flags).code == 0
        assert (tmp_path / f"{number}.tif").read_bytes() == (tmp_path / "local.tif").read_bytes()


def test_a_server_that_fails(tmp_path: Path, nirtrans: Command, serve: Callable[[float], str], source: Path) -> None:
    flags = ("--weights", tiny_weights("batch"), *FLAGS)
    url, target = serve(2), tmp_path / "out.tif"
    assert nirtrans("colorize", source, tmp_path / "local.tif", *flags).code == 0
    broken = nirtrans("colorize", url, target, *flags)
    assert broken.code == 3
    assert "pixels at row" in broken.error
    assert not target.exists()
    Path(f"{source}.mended").touch()
    assert nirtrans("colorize", url, target, *flags, "--resume").code == 0
    assert target.read_bytes() == (tmp_path / "local.tif").read_bytes()
