"""`nirtrans colorize`: pictures, folders, patterns, rasters, and what is refused."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image, ImageCms
from rasterio.transform import Affine
from tiny_weights import tiny_weights

from nirtrans.config import Preprocessing

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
Command = Callable[..., Any]
FLAGS = ("--device", "cpu", "--progress", "none")


@pytest.fixture
def weights() -> Path:
    return tiny_weights()


@pytest.fixture
def colorize(nirtrans: Command, weights: Path) -> Command:
    return lambda *arguments: nirtrans("colorize", *arguments, "--weights", weights, *FLAGS)


def gray(size: tuple[int, int] = (30, 42), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def picture(path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(gray()).save(path, **options)
    return path


def raster(path: Path, **profile: Any) -> Path:
    shape = {"height": 40, "width": 50, "count": 1, "dtype": "uint16"}
    place = {"crs": "EPSG:32633", "transform": Affine(10, 0, 400_000, 0, -10, 5_000_000)}
    with rasterio.open(path, "w", driver="GTiff", **{**shape, **place, **profile}) as target:
        band = np.random.default_rng(0).integers(100, 5000, (target.count, target.height, target.width))
        target.write(band.astype(target.dtypes[0]))
        if target.count == 1:
            target.set_band_description(1, "nir")
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_pictures_of_every_format(tmp_path: Path, colorize: Command, suffix: str) -> None:
    lossless = {"lossless": True} if suffix == ".webp" else {}  # else gray becomes nearly gray
    result = colorize(picture(tmp_path / f"in{suffix}", **lossless), tmp_path / f"out{suffix}")
    assert (result.code, result.err) == (0, "")
    assert str(tmp_path / f"out{suffix}") in result.out
    with Image.open(tmp_path / f"out{suffix}") as made:
        assert (made.size, made.mode) == ((42, 30), "RGB")


def test_profile_and_exif_are_kept(tmp_path: Path, colorize: Command) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[271], exif[274] = "maker", 6
    source = tmp_path / "in.png"
    Image.fromarray(np.repeat(gray()[..., None], 3, axis=2)).save(source, icc_profile=icc, exif=exif)
    assert colorize(source, tmp_path / "out.png").code == 0
    with Image.open(tmp_path / "out.png") as made:
        assert made.info["icc_profile"] == icc
        assert made.getexif()[271] == "maker"
        assert made.getexif()[274] == 6


def test_a_profile_of_gray_does_not_travel_to_colours(tmp_path: Path, colorize: Command) -> None:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"GRAY"
    assert colorize(picture(tmp_path / "in.png", icc_profile=bytes(profile)), tmp_path / "out.png").code == 0
    with Image.open(tmp_path / "out.png") as made:
        assert "icc_profile" not in made.info


def test_alpha_is_kept_and_hides_what_is_below(tmp_path: Path, colorize: Command) -> None:
    alpha = gray(seed=1)
    alpha[:10] = 0
    for name, hidden in (("a", 0), ("b", 200)):
        pixels = np.where(alpha > 0, gray(), np.uint8(hidden))
        Image.fromarray(np.stack([pixels, alpha], axis=2)).save(tmp_path / f"{name}.png")
        assert colorize(tmp_path / f"{name}.png", tmp_path / f"{name}-rgb.png").code == 0
    made = np.asarray(Image.open(tmp_path / "a-rgb.png"))
    assert np.array_equal(made[..., 3], alpha)
    assert np.array_equal(made, np.asarray(Image.open(tmp_path / "b-rgb.png")))


def test_sixteen_bits_in_and_out(tmp_path: Path, colorize: Command) -> None:
    Image.fromarray(gray().astype(np.uint16) * 257).save(tmp_path / "in.png")
    assert colorize(tmp_path / "in.png", tmp_path / "out.png", "--dtype", "uint16").code == 0
    with rasterio.open(tmp_path / "out.png") as made:
        assert made.dtypes == ("uint16",) * 3
        deep = made.read()
    assert colorize(picture(tmp_path / "8.png"), tmp_path / "8-rgb.png").code == 0
    shallow = np.asarray(Image.open(tmp_path / "8-rgb.png")).transpose(2, 0, 1)
    assert np.abs(deep / 257 - shallow).max() <= 0.51


def test_a_folder_is_mirrored_and_resumed(tmp_path: Path, colorize: Command) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    for name in ("a.png", "deep/b.jpg", ".hidden.png"):
        picture(source / name)
    raster(source / "deep" / "c.tif")
    (source / "notes.txt").write_text("no picture")
    assert colorize(source, target).code == 0
    made = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert made == ["a.png", "deep/b.jpg", "deep/c.tif"]
    assert "exists" in colorize(source, target).error
    (target / "a.png").unlink()
    before = (target / "deep/b.jpg").stat().st_mtime_ns
    assert "1 written" in colorize(source, target, "--resume").out
    assert (target / "deep/b.jpg").stat().st_mtime_ns == before
    assert "everything is there already" in colorize(source, target, "--resume").out
    assert colorize(source, target, "--overwrite").code == 0


def test_a_pattern_is_mirrored_from_its_fixed_part(tmp_path: Path, colorize: Command) -> None:
    for name in ("in/a/1.png", "in/b/2.png", "in/b/3.jpg"):
        picture(tmp_path / name)
    assert colorize(tmp_path / "in" / "*" / "*.png", tmp_path / "out").code == 0
    made = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert made == ["a/1.png", "b/2.png"]


def test_bad_files_stop_or_are_left_out(tmp_path: Path, colorize: Command, caplog: pytest.LogCaptureFixture) -> None:
    source = tmp_path / "in"
    whole = picture(source / "b.png").read_bytes()
    (source / "a.png").write_bytes(whole[: len(whole) // 2])
    result = colorize(source, tmp_path / "out")
    assert result.code == 2
    assert "a.png" in result.error
    result = colorize(source, tmp_path / "out", "--skip-bad")
    assert result.code == 0
    assert "1 written" in result.out
    assert [record.message[:9] for record in caplog.records] == ["skipped: ", "1 of 2 fi"]
    (source / "b.png").unlink()
    assert "none of 1 files" in colorize(source, tmp_path / "other", "--skip-bad").error


def test_a_raster_keeps_its_place(tmp_path: Path, colorize: Command) -> None:
    result = colorize(raster(tmp_path / "in.tif"), tmp_path / "new" / "out.tif", "--tile", "32", "--block", "16")
    assert (result.code, result.err) == (0, "")
    with rasterio.open(tmp_path / "new" / "out.tif") as made:
        assert (made.crs.to_epsg(), made.transform.c, made.block_shapes[0]) == (32633, 400_000, (16, 16))


def test_progress_as_json(tmp_path: Path, nirtrans: Command, weights: Path) -> None:
    source = raster(tmp_path / "in.tif")
    tiles = ("--tile", "32", "--block", "16")
    result = nirtrans("colorize", source, tmp_path / "out.tif", "--weights", weights, "--progress", "json", *tiles)
    assert result.err.splitlines()[-1].startswith('{"event": "colorize", "done": 4, "total": 4')


REFUSED: list[tuple[list[str], str]] = [
    (["absent.png", "out.png"], "no such file"),
    (["absent*.png", "out"], "no picture or raster found"),
    (["in.png", "in.png"], "is the source itself"),
    (["in.png", "link.png"], "is the source itself"),
    (["folder", "folder"], "is the source itself"),
    (["folder", "in.png"], "it is a file"),
    (["in.png", "there.png"], "give --overwrite"),
    (["in.png", "out.gif"], "the suffix decides the format"),
    (["in.png", "out.png", "--dtype", "float32"], "for rasters alone"),
    (["in.png", "out.png", "--cog", "--shard", "1/2"], "--cog, --shard: for rasters alone, and in.png is a picture"),
    (["in.png", "out.png", "--window", "0,0,4,4"], "--window: for rasters alone"),
    (["in.tif", "out.tif", "--shard", "3/2"], "--shard expects I/N"),
    (["folder", "out", "--shard", "1/2"], "--shard divides one raster"),
    (["in.tif", "out.tif", "--scheduler", "127.0.0.1:no"], "--scheduler 127.0.0.1:no: no scheduler answers"),
    (["in.tif", "out.tif", "--window", "0,0,4"], "--window expects"),
    (["in.tif", "out.tif", "--level", "30"], "--level 30 does not go with --compress zstd"),
    (["in.tif", "out.tif", "--stats-in", "none.json"], "none.json: cannot be read"),
    (["in.png", "out.jpg", "--dtype", "uint16"], "holds 8 bits"),
    (["in.png", "out.png", "--tile", "x"], "--tile expects"),
    (["in.png", "out.png", "--halo", "-3"], "--halo expects"),
    (["in.png", "out.png", "--bands", "nir"], "--bands expects"),
    (["in.tif", "out.png"], "written as GeoTIFF"),
    (["in.tif", "out.tif", "--sensor", "sentinel"], "unknown sensor"),
    (["in.tif", "out.tif", "--bands", "nir=7"], "has 1 bands"),
    (["rgb.tif", "out.tif"], "no band found for nir"),
    (["colour.png", "out.png"], "a colour picture"),
    (["in.png", "/proc/nowhere/out.png"], "cannot write"),
    (["noise.tif", "out.tif"], "noise.tif"),
    (["in.png", "out.png", "--device", "cuda:99"], "--device"),
    (["in.png", "out.png", "--device", "tpu"], "--device expects"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_refused_with_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nirtrans: Command,
    weights: Path,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    picture(Path("in.png"))
    picture(Path("there.png"))
    picture(Path("folder/a.png"))
    Path("link.png").symlink_to("in.png")
    raster(Path("in.tif"))
    raster(Path("rgb.tif"), count=3, photometric="rgb")
    Path("noise.tif").write_bytes(b"II*\0" + bytes(range(200)))
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)).save("colour.png")
    before = sorted(Path().rglob("*"))
    result = nirtrans("colorize", *arguments, "--weights", weights, "--progress", "none")
    assert result.code == 2, result
    assert message in result.error
    assert sorted(Path().rglob("*")) == before


def test_an_unknown_scaling_is_refused(tmp_path: Path, nirtrans: Command) -> None:
    wanted = tiny_weights(rule=Preprocessing(kind="raster", units="reflectance", input_range=(0.0, 0.5)))
    source, target = raster(tmp_path / "in.tif"), tmp_path / "out.tif"
    result = nirtrans("colorize", source, target, "--weights", wanted, *FLAGS)
    assert result.code == 2
    assert "want reflectance" in result.error
    result = nirtrans("colorize", source, target, "--weights", wanted, "--sensor", "s2-l2a", *FLAGS)
    assert result.code == 2
    assert "--offset" in result.error
    assert (
        nirtrans("colorize", source, target, "--weights", wanted, "--sensor", "s2-l2a", "--offset", "0", *FLAGS).code
        == 0
    )


def test_a_raster_that_breaks_off_fails_while_running(tmp_path: Path, colorize: Command) -> None:
    source = raster(tmp_path / "in.tif", count=2, photometric="minisblack")  # without a description, tags come first
    source.write_bytes(source.read_bytes()[:2000])
    result = colorize(source, tmp_path / "out.tif", "--bands", "nir=1")
    assert result.code == 3
    assert "pixels at row" in result.error
    assert not (tmp_path / "out.tif").exists()


PROGRAM = [sys.executable, "-c", "from nirtrans.cli.app import main; main()"]


def test_a_full_disk_fails_while_running(tmp_path: Path, weights: Path) -> None:
    """A limit on the size of files stands for the full disk."""
    source = raster(tmp_path / "in.tif", height=400, width=400, compress="none")
    command = [
        "bash",
        "-c",
        'ulimit -f 8; trap "" XFSZ; exec "$@"',
        "bash",
        *PROGRAM,
        "colorize",
        source,
        tmp_path / "out.tif",
    ]
    done = subprocess.run(
        [*command, "--weights", weights, "--compress", "none", "--progress", "none", "--threads", "1"],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=120,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "writing 400x400 pixels at row 0, column 0 to" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tif"]


STOPS = [pytest.param("SIGINT", 130, marks=pytest.mark.slow), ("SIGTERM", 143), ("SIGKILL", -9)]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("name", "code"), STOPS)
def test_what_was_interrupted_is_resumed(
    tmp_path: Path, nirtrans: Command, weights: Path, name: str, code: int
) -> None:
    source = raster(tmp_path / "in.tif", height=1500, width=1500)
    flags = ["--weights", str(weights), "--tile", "256", "--progress", "json", "--threads", "1", "--device", "cpu"]
    rest = stopped(["colorize", str(source), str(tmp_path / "out.tif"), *flags], name, code)
    assert "Traceback" not in rest
    assert "--resume goes on" in rest or name == "SIGKILL"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tif", "out.tif.parts"]
    assert nirtrans("colorize", source, tmp_path / "whole.tif", *flags).code == 0

    again = nirtrans("colorize", source, tmp_path / "out.tif", *flags)
    assert again.code == 2
    assert "out.tif.parts holds an interrupted run; give --resume" in again.error
    other = nirtrans("colorize", source, tmp_path / "out.tif", *flags, "--dtype", "uint16", "--resume")
    assert other.code == 2
    assert "belongs to another run" in other.error
    resumed = nirtrans("colorize", source, tmp_path / "out.tif", *flags, "--resume")
    assert resumed.code == 0
    assert json.loads(resumed.err.splitlines()[0])["done"] >= 2  # what was done is not done again
    assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tif", "out.tif", "whole.tif"]


def stopped(arguments: list[str], name: str, code: int) -> str:
    """Run a command, end it after its second tile, and return the rest of what it said."""
    process = subprocess.Popen([*PROGRAM, *arguments], stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any('"done": 2,' in line for line in lines)
    process.send_signal(getattr(signal, name))
    rest = process.stderr.read()
    assert process.wait(timeout=60) == code, rest
    return rest


def test_shards_of_what_is_there_already(tmp_path: Path, nirtrans: Command, weights: Path) -> None:
    call = ("colorize", raster(tmp_path / "in.tif"), tmp_path / "out.tif", "--weights", weights, *FLAGS)
    assert "part 2/2 made" in nirtrans(*call, "--shard", "2/2").out
    assert nirtrans(*call, "--shard", "1/2").code == 0
    assert nirtrans(*call, "--resume").code == 0
    again = nirtrans(*call, "--shard", "2/2", "--resume")
    assert (again.code, again.err) == (0, "")
    assert "everything is there already" in again.out


def test_nothing_to_resume(tmp_path: Path, nirtrans: Command, weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    flags = ("--weights", weights, *FLAGS, "--resume")
    assert nirtrans("colorize", raster(tmp_path / "in.tif"), tmp_path / "out.tif", *flags).code == 0
    assert "no interrupted run is there to resume; starting anew" in caplog.text


def test_parts_are_no_sources(tmp_path: Path, nirtrans: Command, weights: Path) -> None:
    (tmp_path / "in" / "b.tif.parts").mkdir(parents=True)
    raster(tmp_path / "in" / "a.tif")
    raster(tmp_path / "in" / "b.tif.parts" / "1-of-1.tif")
    assert nirtrans("colorize", tmp_path / "in", tmp_path / "out", "--weights", weights, *FLAGS).code == 0
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["a.tif"]


def test_the_command_of_rasterio(tmp_path: Path, weights: Path) -> None:
    from importlib.metadata import entry_points

    (plugin,) = (point for point in entry_points(group="rasterio.rio_plugins") if point.name == "colorize")
    source, target = raster(tmp_path / "in.tif"), tmp_path / "out.tif"
    assert plugin.value == "nirtrans.cli.rio:colorize"
    call = [
        sys.executable,
        "-c",
        "from rasterio.rio.main import main_group; main_group()",
        "colorize",
        source,
        target,
        "--weights",
        weights,
    ]
    done = subprocess.run([*call, *FLAGS], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    again = subprocess.run([*call, *FLAGS], capture_output=True, text=True, timeout=120)
    assert again.returncode == 2
    assert "give --overwrite" in again.stderr
    with rasterio.open(target) as made:
        assert made.count == 3


def test_tables_of_another_proj_do_no_harm(tmp_path: Path, weights: Path) -> None:
    raster(tmp_path / "in.tif")
    flags = ["colorize", str(tmp_path / "in.tif"), str(tmp_path / "out.tif"), "--weights", str(weights)]
    foreign = {"PROJ_DATA": str(tmp_path), "PROJ_LIB": "/no/such/place"}
    done = subprocess.run([*PROGRAM, *flags], capture_output=True, text=True, env=os.environ | foreign)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "PROJ" in line]
    assert [line.split("=")[0] for line in warnings] == ["warning: PROJ_DATA", "warning: PROJ_LIB"]
    with rasterio.open(tmp_path / "in.tif") as given, rasterio.open(tmp_path / "out.tif") as made:
        assert made.crs == given.crs


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path, nirtrans: Command, weights: Path) -> None:
    source = raster(tmp_path / "in.tif", height=700, width=900)
    told = nirtrans("colorize", source, tmp_path / "out.tif", "--weights", weights, "--tile", "512", "--dry-run")
    assert told.code == 0
    lines = {line.split()[0]: line for line in told.out.splitlines()[1:]}
    assert set(lines) == {"scene", "tiles", "halo", "at", "memory", "disk", "time"}
    assert "900 x 700 px" in lines["scene"]
    assert "4 of 512 px, row by row" in lines["tiles"]
    assert [path.name for path in tmp_path.iterdir()] == ["in.tif"]
    picture(tmp_path / "photo.png")
    refused = nirtrans("colorize", tmp_path / "photo.png", tmp_path / "o.png", "--weights", weights, "--dry-run")
    assert refused.code == 2
    assert "--dry-run: for rasters alone" in refused.error
