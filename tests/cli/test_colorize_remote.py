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

    def start(answers: float, dropped: int = 0) -> str:
        command = [sys.executable, SERVER, source, str(answers), str(dropped)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
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


@pytest.mark.parametrize("number", [1, 2, 3])
def test_connections_that_break_off(
    tmp_path: Path, nirtrans: Command, serve: Callable[..., str], source: Path, number: int
) -> None:
    """Half an answer is not kept, whether of the header or of a tile: it is asked for again."""
    flags = ("--weights", tiny_weights("batch"), *FLAGS)
    assert nirtrans("colorize", source, tmp_path / "local.tif", *flags).code == 0
    assert nirtrans("colorize", serve(float("inf"), number), tmp_path / "out.tif", *flags).code == 0
    assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "local.tif").read_bytes()


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


@pytest.fixture
def bucket(serve: Callable[[float], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Serve the raster as object storage does, and return its address in HTTP."""
    url = serve(float("inf")).removesuffix("/in.tif")
    settings = {"AWS_S3_ENDPOINT": url.removeprefix("http://"), "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
    for name, text in (settings | {"AWS_NO_SIGN_REQUEST": "YES"}).items():
        monkeypatch.setenv(name, text)
    return url


def test_a_bucket_gives_the_same_bytes(tmp_path: Path, nirtrans: Command, bucket: str, source: Path) -> None:
    flags = ("--weights", tiny_weights("batch"), *FLAGS)
    assert nirtrans("colorize", source, tmp_path / "local.tif", *flags).code == 0
    for name in ("/vsis3/bucket/in.tif", "s3://bucket/in.tif", f"/vsicurl/{bucket}/in.tif"):
        result = nirtrans("colorize", name, tmp_path / "out.tif", *flags, "--overwrite")
        assert (result.code, result.err) == (0, "")
        assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "local.tif").read_bytes()


def test_what_a_server_does_not_have(tmp_path: Path, nirtrans: Command, bucket: str) -> None:
    flags = ("--weights", tiny_weights("batch"), *FLAGS)
    for name in ("s3://bucket/none.tif", "/vsis3/bucket/none.tif", f"/vsicurl/{bucket}/none.tif", f"{bucket}/none.tif"):
        result = nirtrans("colorize", name, tmp_path / "out.tif", *flags)
        assert result.code == 2
        assert "cannot be opened as a raster" in result.error
    assert [path.name for path in tmp_path.iterdir()] == ["in.tif"]


PART = """<SimpleSource><SourceFilename relativeToVRT="{relative}">{name}</SourceFilename><SourceBand>1</SourceBand>
<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="500"/><DstRect xOff="{left}" yOff="0" xSize="{width}" ySize="500"/>
</SimpleSource>"""
MOSAIC = """<VRTDataset rasterXSize="600" rasterYSize="500"><SRS>EPSG:32633</SRS>
<GeoTransform>400000, 10, 0, 5000000, 0, -10</GeoTransform>
<VRTRasterBand dataType="UInt16" band="1"><Description>nir</Description>{parts}</VRTRasterBand></VRTDataset>"""


def test_a_virtual_mosaic_of_local_and_remote_parts(
    tmp_path: Path, nirtrans: Command, bucket: str, source: Path
) -> None:
    """The bytes of the whole; a part that is lost is named by the window that it leaves open."""
    with rasterio.open(source) as given:
        profile, values = given.profile, given.read()
    for name, columns in (("left.tif", slice(0, 250)), ("right.tif", slice(250, 600))):
        part = values[..., columns]
        with rasterio.open(tmp_path / name, "w", **profile | {"width": part.shape[2], "blockxsize": 64}) as made:
            made.write(part)
    parts = [("1", "left.tif", 250, 0), ("1", "right.tif", 350, 250)]
    remote = [("0", f"/vsicurl/{bucket}/in.tif", 250, 0), parts[1]]
    flags = ("--weights", tiny_weights("instance"), *FLAGS)
    assert nirtrans("colorize", source, tmp_path / "whole.tif", *flags).code == 0
    for number, pieces in enumerate((parts, remote)):
        texts = [PART.format(relative=r, name=name, width=width, left=left) for r, name, width, left in pieces]
        mosaic, target = tmp_path / f"{number}.vrt", tmp_path / f"{number}.tif"
        mosaic.write_text(MOSAIC.format(parts="".join(texts)))
        assert nirtrans("colorize", mosaic, target, *flags).code == 0
        assert target.read_bytes() == (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "right.tif").unlink()
    lost = nirtrans("colorize", tmp_path / "0.vrt", tmp_path / "lost.tif", *flags)
    assert lost.code == 3
    assert "right.tif" in lost.error
    assert not (tmp_path / "lost.tif").exists()
