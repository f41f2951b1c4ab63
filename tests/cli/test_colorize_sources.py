"""`nirtrans colorize` of sources that are made of several files."""

import json
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

SERVER = Path(__file__).parent.parent / "range_server.py"
FLAGS = ("--device", "cpu", "--progress", "none", "--tile", "64", "--block", "32")
Command = Callable[..., Any]


def band(height: int = 100, width: int = 150) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return (2000 + 900 * np.sin(rows / 5) * np.cos(columns / 7) + columns).astype("uint16")


def write(path: Path, *bands: np.ndarray, column: float = 0, side_m: float = 10, **profile: Any) -> Path:
    height, width = bands[0].shape
    transform = Affine(side_m, 0, 400_000 + 10 * column, 0, -side_m, 5_000_000)
    shape = {"height": height, "width": width, "count": len(bands), "dtype": bands[0].dtype}
    place = {"crs": "EPSG:32633", "transform": transform}
    with rasterio.open(path, "w", driver="GTiff", **{**shape, **place, **profile}) as target:
        target.write(np.stack(bands))
        if len(bands) == 1:
            target.set_band_description(1, "nir")
    return path


@pytest.fixture
def colorize(nirtrans: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return lambda *words: nirtrans("colorize", *words, "--weights", tiny_weights(), *FLAGS)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], str]]:
    """Serve a file and return its address."""
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    running = []

    def start(path: Path) -> str:
        process = subprocess.Popen([sys.executable, SERVER, path, "inf"], stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{process.stdout.readline().strip()}/{path.name}"

    yield start
    for process in running:
        process.terminate()
        process.communicate()


def result(name: str) -> tuple[np.ndarray, np.ndarray]:
    with rasterio.open(name) as made:
        return made.read(), made.dataset_mask() > 0


def split() -> None:
    """Write a scene whole and in two parts that overlap."""
    write(Path("whole.tif"), band())
    write(Path("left.tif"), band()[:, :90])
    write(Path("right.tif"), band()[:, 80:], column=80)


def test_a_list_gives_the_colours_of_the_whole(colorize: Command) -> None:
    split()
    Path("tiles.txt").write_text("left.tif\nright.tif\n")
    for source, target in (("whole.tif", "a.tif"), ("tiles.txt", "b.tif"), ("@tiles.txt", "folder")):
        Path("folder").mkdir(exist_ok=True)
        made = colorize(source, target)
        assert (made.code, made.err) == (0, "")
    for name in ("b.tif", "folder/tiles.tif"):
        assert np.array_equal(result(name)[0], result("a.tif")[0])
        assert result(name)[1].all()


def test_files_that_begin_with_an_at(colorize: Command) -> None:
    write(Path("@whole.tif"), band())
    assert colorize("@whole.tif", "out.tif").code == 0
    made = colorize("@none.lst", "other.tif")
    assert made.code == 2
    assert "none.lst: cannot be read as a list of rasters" in made.error


def test_a_gap_has_no_colour(colorize: Command) -> None:
    split()
    write(Path("far.tif"), band(), column=200)
    Path("tiles.txt").write_text("whole.tif\nfar.tif")
    assert colorize("tiles.txt", "out.tif").code == 0
    _, valid = result("out.tif")
    assert valid.shape == (100, 350)
    assert not valid[:, 150:200].any()
    assert valid[:, :150].all()
    assert valid[:, 200:].all()


def test_a_part_that_changed_is_refused(colorize: Command) -> None:
    split()
    Path("tiles.txt").write_text("left.tif\nright.tif")
    assert colorize("tiles.txt", "out.tif", "--shard", "1/2").code == 0
    write(Path("right.tif"), band()[::-1, 80:], column=80)
    assert colorize("tiles.txt", "out.tif", "--shard", "2/2").code == 0
    assembled = colorize("tiles.txt", "out.tif", "--resume")
    assert assembled.code == 2
    assert "belongs to another run" in assembled.error


def test_remote_parts(colorize: Command, serve: Callable[[Path], str]) -> None:
    split()
    Path("tiles.txt").write_text("left.tif\nright.tif")
    Path("remote.txt").write_text("\n".join(serve(Path(name)) for name in ("left.tif", "right.tif")))
    assert colorize("tiles.txt", "local.tif").code == 0
    assert colorize("remote.txt", "remote.tif").code == 0
    assert Path("remote.tif").read_bytes() == Path("local.tif").read_bytes()


@pytest.mark.parametrize(
    ("lines", "target", "message"),
    [
        ("left.tif\nnone.tif", "out.tif", "none.tif: no such file"),
        ("left.tif\nhalf.tif", "out.tif", "half.tif lies 0.5 and 0 px off the grid of left.tif"),
        ("", "out.tif", "tiles.txt: names no raster"),
        ("left.tif", "out.png", "written as GeoTIFF"),
        ("left.tif\nright.tif", "right.tif", "right.tif is part of tiles.txt; choose another DST"),
        ("http://127.0.0.1:9/a.tif", "out.tif", "http://127.0.0.1:9/a.tif: cannot be opened"),
    ],
)
def test_lists_that_are_refused(colorize: Command, lines: str, target: str, message: str) -> None:
    split()
    write(Path("half.tif"), band(), column=200.5)
    Path("tiles.txt").write_text(lines)
    made = colorize("tiles.txt", target, "--overwrite")
    assert made.code == 2
    assert message in made.error
    assert not Path("out.tif").exists()


RGBN = ("red", "green", "blue", "nir")


def write_item(path: Path, hrefs: dict[str, str], **facts: Any) -> Path:
    assets = {
        name: {"href": href, "eo:bands": [{"common_name": name}], "raster:bands": [facts]}
        for name, href in hrefs.items()
    }
    path.write_text(json.dumps({"type": "Feature", "stac_version": "1.0.0", "assets": assets}))
    return path


def test_a_stac_item_gives_the_colours_of_its_files(nirtrans: Command, tmp_path: Path) -> None:
    bands = {name: band() // divisor for name, divisor in zip(RGBN, (4, 3, 2, 1), strict=True)}
    stacked = write(tmp_path / "stacked.tif", *bands.values())
    for name, values in bands.items():
        write(tmp_path / f"{name}.tif", values)
    item = write_item(tmp_path / "item.json", {name: f"{name}.tif" for name in RGBN}, scale=1e-4, offset=-0.01)
    flags = ("--weights", "spectral-ndvi-green", *FLAGS)
    numbers = ",".join(f"{name}={number}" for number, name in enumerate(RGBN, start=1))
    told = ("--bands", numbers, "--scale", "1e-4", "--offset", "-0.01")
    assert nirtrans("colorize", stacked, tmp_path / "a.tif", *flags, *told).code == 0
    made = nirtrans("colorize", item, tmp_path / "b.tif", *flags)
    assert (made.code, made.err) == (0, "")
    assert np.array_equal(result(tmp_path / "a.tif")[0], result(tmp_path / "b.tif")[0])


def test_a_remote_item(colorize: Command, serve: Callable[[Path], str]) -> None:
    write(Path("whole.tif"), band())
    near = write_item(Path("near.json"), {"nir": "whole.tif"})
    far = write_item(Path("far.json"), {"nir": serve(Path("whole.tif"))})
    assert colorize(near, "near.tif").code == 0
    assert colorize(serve(far), "far.tif").code == 0
    assert Path("near.tif").read_bytes() == Path("far.tif").read_bytes()
    address = serve(near)
    made = colorize(address, "out.tif")
    assert made.code == 2
    assert address.replace("near.json", "whole.tif") in made.error  # relative to the item


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "item.json: expected a STAC item"),
        ('{"type": "Feature", "stac_version": "1.0.0", "assets": {}}', "no asset has a band with the common name nir"),
    ],
)
def test_items_that_are_refused(colorize: Command, text: str, message: str) -> None:
    Path("item.json").write_text(text)
    made = colorize("item.json", "out.tif")
    assert made.code == 2
    assert message in made.error


@pytest.mark.parametrize("kind", ["list", "item"])
def test_object_storage(
    colorize: Command, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    write(Path("whole.tif"), band())
    server = serve(Path("whole.tif")).removeprefix("http://").removesuffix("/whole.tif")
    settings = {"S3_ENDPOINT": server, "HTTPS": "NO", "VIRTUAL_HOSTING": "FALSE", "NO_SIGN_REQUEST": "YES"}
    for name, text in settings.items():
        monkeypatch.setenv(f"AWS_{name}", text)
    Path("tiles.txt").write_text("s3://bucket/whole.tif")
    write_item(Path("item.json"), {"nir": "s3://bucket/whole.tif"})
    assert colorize("whole.tif", "near.tif").code == 0
    made = colorize({"list": "tiles.txt", "item": "item.json"}[kind], "far.tif")
    assert (made.code, made.err) == (0, "")
    assert np.array_equal(result("far.tif")[0], result("near.tif")[0])
