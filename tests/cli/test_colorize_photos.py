"""`nirtrans colorize` with weights that keep lightness: formats, limits, folders, interruptions."""

import os
import shutil
import signal
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from cli_processes import finish, start
from photo_weights import photo_weights
from PIL import Image, ImageCms
from rasterio.transform import Affine
from tiny_weights import tiny_weights

from nirtrans.color.chroma import lightness
from nirtrans.io.images import read_image, to_unit, write_image
from nirtrans.kernels import rgb_to_lab

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
Command = Callable[..., Any]
FLAGS = ("--device", "cpu", "--progress", "none")


@pytest.fixture
def colorize(nirtrans: Command) -> Command:
    return lambda *arguments: nirtrans("colorize", *arguments, "--weights", photo_weights(), *FLAGS)


def gray(size: tuple[int, int] = (50, 70), seed: int = 0) -> np.ndarray:
    """Smooth gray with an edge, uint8."""
    random = np.random.default_rng(seed)
    field = np.add.outer(np.linspace(0, 150, size[0]), np.linspace(0, 60, size[1])) + random.random(size) * 20
    field[:, size[1] // 2 :] += 25
    return field.astype(np.uint8)


def save(path: Path, pixels: np.ndarray | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(gray() if pixels is None else pixels).save(path, **options)
    return path


def lightness_error(source: np.ndarray, made: Path) -> float:
    """Largest difference of L between a gray array and a colour file."""
    rgb = torch.from_numpy(to_unit(read_image(made).pixels)).permute(2, 0, 1)[None]
    wanted = lightness(torch.from_numpy(to_unit(source))[None, None])
    return float((rgb_to_lab(rgb)[:, :1] - wanted).abs().max())


def is_colourful(path: Path) -> bool:
    pixels = to_unit(read_image(path).pixels)
    return bool(np.ptp(pixels, axis=2).max() > 0.02)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.uint8, 0.4), (np.uint16, 0.004)])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_lightness_stays(tmp_path: Path, colorize: Command, suffix: str, dtype: type, tolerance: float) -> None:
    pixels = gray().astype(dtype) * (257 if dtype is np.uint16 else 1)
    write_image(tmp_path / f"in{suffix}", pixels)
    result = colorize(tmp_path / f"in{suffix}", tmp_path / f"out{suffix}")
    assert (result.code, result.err) == (0, "")
    made = tmp_path / f"out{suffix}"
    assert read_image(made).pixels.dtype == dtype
    assert lightness_error(pixels, made) < tolerance
    assert is_colourful(made)


def test_samples_of_choice(tmp_path: Path, colorize: Command) -> None:
    write_image(tmp_path / "deep.png", gray().astype(np.uint16) * 257)
    save(tmp_path / "flat.png")
    for name, target, flag, kind in (
        ("deep.png", "a.png", "uint8", np.uint8),
        ("flat.png", "b.png", "uint16", np.uint16),
        ("deep.png", "c.jpg", "auto", np.uint8),
        ("flat.png", "d.png", "auto", np.uint8),
    ):
        assert colorize(tmp_path / name, tmp_path / target, "--dtype", flag).code == 0
        assert read_image(tmp_path / target).pixels.dtype == kind
    result = colorize(tmp_path / "deep.png", tmp_path / "e.jpg", "--dtype", "uint16")
    assert result.code == 2
    assert ".jpg holds 8 bits" in result.error


def test_floats_are_taken_as_they_are(tmp_path: Path, colorize: Command) -> None:
    unit = gray() / np.float32(255)
    Image.fromarray(unit).save(tmp_path / "in.tif")
    assert colorize(tmp_path / "in.tif", tmp_path / "out.png").code == 0
    assert lightness_error(unit, tmp_path / "out.png") < 0.004
    Image.fromarray(unit * 1000).save(tmp_path / "wild.tif")
    result = colorize(tmp_path / "wild.tif", tmp_path / "wild.png")
    assert result.code == 2
    assert "wild.tif: expected floats in [0, 1]" in result.error


MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "La"]


@pytest.mark.parametrize("mode", MODES)
def test_modes_of_pillow(tmp_path: Path, colorize: Command, mode: str) -> None:
    suffix = {"CMYK": ".jpg", "YCbCr": ".jpg", "LAB": ".tif", "PA": ".tif", "La": ".tif"}.get(mode, ".png")
    source = tmp_path / f"in{suffix}"
    base = Image.fromarray(gray())
    if mode == "I;16":
        base = Image.fromarray(gray().astype(np.uint16) * 257)
    elif mode == "La":
        base = base.convert("LA").convert("La")
    elif mode == "LAB":
        base = Image.fromarray(np.stack([gray()] * 3, 2), "LAB")
    else:
        base = base.convert("P").convert("PA") if mode == "PA" else base.convert(mode)
    try:
        base.save(source)
    except OSError:
        pytest.skip(f"Pillow writes no {mode}")
    result = colorize(source, tmp_path / "out.png")
    assert result.code == 0, result.err
    made = read_image(tmp_path / "out.png")
    assert made.pixels.shape == (*gray().shape, 3)
    assert (made.alpha is not None) == (mode in ("LA", "PA", "RGBA", "La"))


def test_what_travels_with_the_picture(tmp_path: Path, colorize: Command) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    of_gray = profile[:16] + b"GRAY" + profile[20:]
    exif = Image.Exif()
    exif[271], exif[274] = "maker", 6
    for suffix in (".jpg", ".png", ".webp"):
        save(tmp_path / f"rgb{suffix}", np.stack([gray()] * 3, 2), icc_profile=profile, exif=exif)
        save(tmp_path / f"gray{suffix}", icc_profile=of_gray, exif=exif)
        for kind, kept in (("rgb", profile), ("gray", None)):
            assert colorize(tmp_path / f"{kind}{suffix}", tmp_path / f"out-{kind}{suffix}").code == 0
            with Image.open(tmp_path / f"out-{kind}{suffix}") as made:
                assert made.size == (70, 50), "the orientation is not applied"
                assert made.info.get("icc_profile") == kept
                assert (made.getexif()[271], made.getexif()[274]) == ("maker", 6)


def test_hidden_pixels_decide_nothing(tmp_path: Path, colorize: Command) -> None:
    alpha = np.full(gray().shape, 255, np.uint8)
    alpha[:20, :30] = 0
    shown = []
    for hidden in (0, 255):
        pixels = np.where(alpha > 0, gray(), np.uint8(hidden))
        save(tmp_path / "in.png", np.stack([pixels, alpha], 2))
        assert colorize(tmp_path / "in.png", tmp_path / "out.png", "--overwrite").code == 0
        made = read_image(tmp_path / "out.png")
        assert np.array_equal(made.alpha, alpha)
        shown.append(made.pixels[alpha > 0])
    assert np.array_equal(*shown)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2), (7, 500)])
@pytest.mark.parametrize("upsample", ["guided", "bilinear"])
def test_odd_sizes(tmp_path: Path, colorize: Command, size: tuple[int, int], upsample: str) -> None:
    save(tmp_path / "in.png", gray(size))
    assert colorize(tmp_path / "in.png", tmp_path / "out.png", "--upsample", upsample).code == 0
    assert lightness_error(gray(size), tmp_path / "out.png") < 0.4


def test_sides_that_a_format_does_not_hold(tmp_path: Path, colorize: Command) -> None:
    save(tmp_path / "in.png", gray((1, 17000)))
    result = colorize(tmp_path / "in.png", tmp_path / "out.webp")
    assert result.code == 2
    assert ".webp holds up to 16383 px a side, got 17000" in result.error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png"]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path: Path, width: int, height: int, *extra: bytes) -> Path:
    """Write a gray PNG whose header may lie."""
    rows = zlib.compress(b"\0" * 100)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


BOMB = zlib.compress(b"a" * (200 * 2**20), 9)
BAD = {
    "large.png": lambda path: png(path, 60000, 60000),
    "wide.png": lambda path: png(path, 2**21, 1),
    "text.png": lambda path: png(path, 9, 9, chunk(b"zTXt", b"Comment\0\0" + BOMB)),
    "profile.png": lambda path: png(path, 9, 9, chunk(b"iCCP", b"icc\0\0" + BOMB)),
    "short.png": lambda path: png(path, 400, 400),
    "empty.png": lambda path: path.write_bytes(b""),
    "words.jpg": lambda path: path.write_text("no picture"),
    "cut.jpg": lambda path: path.write_bytes(save(path).read_bytes()[:400]),
    "cut.tif": lambda path: path.write_bytes(save(path).read_bytes()[:900]),
    "cut.webp": lambda path: path.write_bytes(save(path).read_bytes()[:300]),
    "cut.bmp": lambda path: path.write_bytes(save(path).read_bytes()[:900]),
    "absent.png": lambda path: None,
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_one_line(tmp_path: Path, colorize: Command, name: str) -> None:
    BAD[name](tmp_path / name)
    before = sorted(tmp_path.iterdir())
    result = colorize(tmp_path / name, tmp_path / "out.png")
    assert result.code == 2
    assert name in result.error
    assert sorted(tmp_path.iterdir()) == before


def test_pixels_are_counted_before_anything_is_decoded(tmp_path: Path, colorize: Command) -> None:
    source = save(tmp_path / "in.png")
    result = colorize(source, tmp_path / "out.png", "--max-pixels", 3499)
    assert result.code == 2
    assert "70 x 50 px are more than 3499; give --max-pixels 3500" in result.error
    assert colorize(source, tmp_path / "out.png", "--max-pixels", 3500).code == 0
    write_image(tmp_path / "deep.tif", gray().astype(np.uint16))
    assert colorize(tmp_path / "deep.tif", tmp_path / "x.png", "--max-pixels", 9).code == 2


@pytest.mark.parametrize("name", ["moving.png", "moving.webp", "pages.tif"])
def test_of_animations_the_first_picture_is_taken(
    tmp_path: Path, colorize: Command, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    frames = [Image.fromarray(gray(seed=seed) // (seed + 1)) for seed in range(3)]
    frames[0].save(
        tmp_path / name, save_all=True, append_images=frames[1:], **({"lossless": True} if "webp" in name else {})
    )
    result = colorize(tmp_path / name, tmp_path / "out.png")
    assert result.code == 0
    assert caplog.text.count("several pictures in one file, of which the first was taken") == 1
    assert lightness_error(gray(), tmp_path / "out.png") < 0.6


def test_colour_is_told_once(tmp_path: Path, colorize: Command, caplog: pytest.LogCaptureFixture) -> None:
    colours = np.stack([gray(), gray() // 2, gray() // 3], 2)
    for name in ("a.png", "b.png", "c.jpg"):
        save(tmp_path / "in" / name, colours)
    save(tmp_path / "in" / "gray.png")
    save(tmp_path / "in" / "rgb.png", np.stack([gray()] * 3, 2))
    result = colorize(tmp_path / "in", tmp_path / "out")
    assert result.code == 0
    assert len(caplog.messages) == 1
    assert "a.png and 2 more: colour, of which the luma was taken" in caplog.text
    luma = (colours @ np.array([0.299, 0.587, 0.114])).round().astype(np.uint8)
    assert lightness_error(luma, tmp_path / "out" / "a.png") < 0.4


def folder(root: Path, count: int = 9) -> Path:
    for number in range(count):
        size = [(40, 60), (60, 40), (90, 90)][number % 3]
        save(root / f"{number:03d}.png", gray(size, seed=number))
    return root


def test_a_folder_is_what_its_pictures_are_alone(tmp_path: Path, colorize: Command) -> None:
    source = folder(tmp_path / "in")
    save(source / "deep" / "x.tif", gray(seed=99))
    for batch in ("1", "4", "auto"):
        assert colorize(source, tmp_path / f"out{batch}", "--batch", batch).code == 0
    for path in sorted(source.rglob("*.*")):
        name = path.relative_to(source)
        assert colorize(path, tmp_path / "alone.png", "--overwrite").code == 0
        alone = read_image(tmp_path / "alone.png").pixels.astype(int)
        for batch in ("1", "4", "auto"):
            assert np.abs(read_image(tmp_path / f"out{batch}" / name).pixels - alone).max() <= 1


def test_a_folder_is_resumed(tmp_path: Path, colorize: Command) -> None:
    source = folder(tmp_path / "in", 4)
    assert colorize(source, tmp_path / "out").code == 0
    kept = tmp_path / "out" / "001.png"
    kept.write_text("mine")
    (tmp_path / "out" / "002.png").unlink()
    assert colorize(source, tmp_path / "out").code == 2
    result = colorize(source, tmp_path / "out", "--resume")
    assert (result.code, "1 written" in result.out) == (0, True)
    assert kept.read_text() == "mine"
    assert read_image(tmp_path / "out" / "002.png")


def test_bad_files_of_a_folder(tmp_path: Path, colorize: Command, caplog: pytest.LogCaptureFixture) -> None:
    source = folder(tmp_path / "in", 5)
    (source / "002.png").write_bytes((source / "002.png").read_bytes()[:200])
    (source / "zz.tif").write_text("no picture")
    result = colorize(source, tmp_path / "out")
    assert result.code == 2
    assert "002.png" in result.error
    result = colorize(source, tmp_path / "out", "--skip-bad", "--resume")
    assert (result.code, "written" in result.out) == (0, True)
    told = [line for line in caplog.messages if line.startswith("skipped:")]
    assert sorted(name for name in ("002.png", "zz.tif") for line in told if name in line) == ["002.png", "zz.tif"]
    assert any(line.startswith("2 of ") and line.endswith(" files left out") for line in caplog.messages)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000.png", "001.png", "003.png", "004.png"]
    shutil.rmtree(tmp_path / "out")
    only_bad = tmp_path / "bad"
    only_bad.mkdir()
    shutil.copy(source / "002.png", only_bad)
    assert colorize(only_bad, tmp_path / "out", "--skip-bad").code == 2


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_folder_holds_whole_files_alone(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    for number in range(150):
        save(source / f"{number:03d}.png", gray((200, 300), seed=number % 7))
    process = start(["colorize", source, target, "--weights", photo_weights(), *FLAGS, "--threads", "2"])
    while process.poll() is None and (not target.is_dir() or len(os.listdir(target)) < 4):
        time.sleep(0.01)
    process.send_signal(sent)
    ended = finish(process)
    assert ended.code == code
    made = sorted(target.iterdir())
    assert 0 < len(made) < 150
    assert all(read_image(path).pixels.shape == (200, 300, 3) for path in made), "no .part files, no halves"


def georeferenced(path: Path) -> Path:
    place = {"crs": "EPSG:32633", "transform": Affine(10, 0, 400_000, 0, -10, 5_000_000)}
    with rasterio.open(path, "w", "GTiff", height=70, width=90, count=1, dtype="uint8", **place) as target:
        target.write(gray((70, 90)), 1)
        target.set_band_description(1, "gray")
    return path


def test_a_georeferenced_raster_is_made_in_tiles(tmp_path: Path, colorize: Command) -> None:
    source = georeferenced(tmp_path / "in.tif")
    assert colorize(source, tmp_path / "whole.tif", "--tile", "0", "--block", "16").code == 0
    assert colorize(source, tmp_path / "tiles.tif", "--tile", "32", "--block", "16").code == 0
    with rasterio.open(tmp_path / "whole.tif") as whole, rasterio.open(tmp_path / "tiles.tif") as tiles:
        assert whole.crs.to_epsg() == 32633
        assert np.abs(whole.read().astype(int) - tiles.read()).max() <= 1
    result = colorize(source, tmp_path / "x.tif", "--size", "64")
    assert result.code == 2
    assert "--size, --upsample" in result.error


def test_a_raster_of_a_network_that_sees_all_of_it(tmp_path: Path, nirtrans: Command) -> None:
    given = ("--weights", photo_weights(bounded=False), "--block", "16", *FLAGS)
    source = georeferenced(tmp_path / "in.tif")
    assert nirtrans("colorize", source, tmp_path / "whole.tif", *given).code == 0
    result = nirtrans("colorize", source, tmp_path / "tiles.tif", "--tile", "32", *given)
    assert result.code == 2
    assert "sees the whole picture" in result.error


def test_flags_of_other_weights(tmp_path: Path, nirtrans: Command, colorize: Command) -> None:
    source = save(tmp_path / "in.png")
    result = nirtrans("colorize", source, tmp_path / "x.png", "--weights", tiny_weights(), "--size", "64", *FLAGS)
    assert result.code == 2
    assert "sees pictures as they are" in result.error
    result = nirtrans("colorize", source, tmp_path / "x.png", "--weights", tiny_weights(), "--max-pixels", "9", *FLAGS)
    assert result.code == 2
    assert "are more than 9" in result.error
    for flags, words in (
        (("--size", "16"), "--size 16: zhang2016 needs at least 32"),
        (("--size", "many"), "--size expects auto or a whole number"),
        (("--tile", "64", "--seam", "blend"), "--seam: for rasters alone"),
        (("--size", "100000"), "--size 100000"),
    ):
        result = colorize(source, tmp_path / "x.png", *flags)
        assert result.code == 2
        assert words in result.error
    assert not (tmp_path / "x.png").exists()
    assert colorize(source, tmp_path / "x.png", "--size", "64").code == 0
