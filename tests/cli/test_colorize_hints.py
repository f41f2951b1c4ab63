"""`nirtrans colorize` with points, strokes and palettes: what they do, and what is said where they cannot be used."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import nirtrans as package
from nirtrans.errors import DataError, InputError
from nirtrans.io.images import read_image, write_image
from nirtrans.io.orientation import show, unshow
from nirtrans.kernels import rgb_to_lab
from nirtrans.models import build_system
from nirtrans.models.weights import ModelInfo, inference_tensors, save_weights
from tests.models.tiny import tiny_run

Command = Callable[..., Any]
RED = {"x": 12, "y": 20, "color": "#c04040", "radius": 0}
BLUE = {"x": 40, "y": 20, "color": [120, 150, 210], "radius": 0}


@pytest.fixture
def gray(tmp_path: Path) -> Path:
    """A picture of two even halves, 64 x 48 px."""
    pixels = np.full((48, 64), 110, np.uint8)
    pixels[:, 30:] = 160
    write_image(tmp_path / "photo.png", pixels)
    return tmp_path / "photo.png"


def hint_file(folder: Path, *points: object, name: str = "hints.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(points))
    return path


def guided(folder: Path, **network: object) -> Path:
    """Weights of zhang2017 that nobody trained, strong enough to colour."""
    run = tiny_run("zhang2017", **network)
    run = run.model_copy(update={"data": run.data.model_copy(update={"short_side_px": 48, "crop_px": 48})})
    system = build_system(run)
    torch.nn.init.normal_(system.to_ab.model_out[0].weight)
    path = folder / f"guided{len(network)}.safetensors"
    save_weights(path, inference_tensors(system), ModelInfo(model="zhang2017", run=run, halo_px=8, stride_px=8))
    return path


def ab_at(path: Path, x: int, y: int) -> np.ndarray:
    pixels = torch.tensor(read_image(path).pixels).permute(2, 0, 1)[None] / 255
    return rgb_to_lab(pixels)[0, 1:, y, x].numpy()


def lab_of(color: tuple[int, int, int]) -> np.ndarray:
    return rgb_to_lab(torch.tensor(color).view(1, 3, 1, 1) / 255)[0, 1:, 0, 0].numpy()


@pytest.mark.parametrize("name", ["levin2004", "athi"])
def test_points_colour_their_regions(nirtrans: Command, gray: Path, name: str) -> None:
    hints, out = hint_file(gray.parent, RED, BLUE), gray.parent / "out.png"
    done = nirtrans("colorize", gray, out, "--weights", name, "--hints", hints)
    assert (done.code, done.out) == (0, f"{out}: written\n"), done.err
    for place, other, color in (((12, 20), (3, 40), (192, 64, 64)), ((40, 20), (60, 3), (120, 150, 210))):
        tolerance = 4 if name == "levin2004" else 16  # athi keeps Cb and Cr, not a and b
        assert np.abs(ab_at(out, *place) - ab_at(out, *other)).max() < 6
        assert np.abs(ab_at(out, *place) - lab_of(color)).max() < tolerance
    assert np.abs(read_image(out).pixels @ [0.299, 0.587, 0.114] - read_image(gray).pixels[..., 0]).max() < 12


def test_all_formats_say_the_same(nirtrans: Command, gray: Path) -> None:
    folder = gray.parent
    (folder / "a.csv").write_text("x,y,r,g,b,radius\n12,20,192,64,64,0\n40,20,120,150,210,0\n")
    (folder / "b.txt").write_text("2\n12 20 192 64 64\n40 20 120 150 210\n")
    files = [hint_file(folder, RED, BLUE), folder / "a.csv", folder / "b.txt"]
    pictures = []
    for number, file in enumerate(files):
        assert nirtrans("colorize", gray, folder / f"{number}.png", "--weights", "levin2004", "--hints", file).code == 0
        pictures.append((folder / f"{number}.png").read_bytes())
    assert pictures[0] == pictures[1] == pictures[2]


def test_strokes_on_a_copy_and_on_a_layer_say_the_same(nirtrans: Command, gray: Path) -> None:
    folder, marked = gray.parent, np.repeat(read_image(gray).pixels, 3, axis=2)
    marked[20:23, 5:15] = (192, 64, 64)
    marked[20:23, 40:50] = (120, 150, 210)
    drawn = np.zeros((48, 64), np.uint8)
    drawn[20:23, 5:15] = drawn[20:23, 40:50] = 255
    write_image(folder / "marked.png", marked)
    write_image(folder / "layer.png", marked, alpha=drawn)
    outs = []
    for name in ("marked", "layer"):
        out = folder / f"{name}-out.png"
        done = nirtrans("colorize", gray, out, "--weights", "levin2004", "--scribbles", folder / f"{name}.png")
        assert done.code == 0, done.err
        outs.append(out)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert np.abs(ab_at(outs[0], 3, 40) - lab_of((192, 64, 64))).max() < 4


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_hints_belong_to_the_picture_as_it_is_shown(nirtrans: Command, gray: Path, orientation: int) -> None:
    folder, block = gray.parent, Pillow.Exif()
    block[274] = orientation
    write_image(folder / "turned.png", unshow(read_image(gray).pixels, orientation), exif=block.tobytes())
    marked = np.repeat(read_image(gray).pixels, 3, axis=2)
    marked[20, 12], marked[20, 40] = (192, 64, 64), (120, 150, 210)
    write_image(folder / "baked.png", marked)
    write_image(folder / "tagged.png", unshow(marked, orientation), exif=block.tobytes())
    hints = ("--hints", hint_file(folder, RED, BLUE))
    assert nirtrans("colorize", gray, folder / "upright.png", "--weights", "levin2004", *hints).code == 0
    expected = read_image(folder / "upright.png").pixels
    for number, flags in enumerate((hints, *(("--scribbles", folder / f"{name}.png") for name in ("baked", "tagged")))):
        out = folder / f"out{number}.png"
        done = nirtrans("colorize", folder / "turned.png", out, "--weights", "levin2004", *flags)
        assert done.code == 0, done.err
        assert np.abs(show(read_image(out).pixels, orientation).astype(int) - expected).max() <= 1


def test_a_network_follows_hints_and_palette(nirtrans: Command, gray: Path) -> None:
    folder = gray.parent
    weights = guided(folder, palette=True)
    write_image(folder / "warm.png", np.full((8, 8, 3), (230, 120, 20), np.uint8))
    options = {
        "automatic": (),
        "hinted": ("--hints", hint_file(folder, RED | {"radius": 4})),
        "palette": ("--palette", folder / "warm.png"),
        "both": ("--hints", folder / "hints.json", "--palette", folder / "warm.png"),
    }
    found = set()
    for name, flags in options.items():
        done = nirtrans("colorize", gray, folder / f"{name}.png", "--weights", weights, *flags)
        assert done.code == 0, done.err
        found.add((folder / f"{name}.png").read_bytes())
    assert len(found) == 4


def test_a_folder_takes_hints_of_the_same_names(
    nirtrans: Command, gray: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, hints = tmp_path / "in", tmp_path / "hints"
    source.mkdir()
    hints.mkdir()
    for name in ("a", "b"):
        (source / f"{name}.png").write_bytes(gray.read_bytes())
    hint_file(hints, RED, BLUE, name="a.json")
    run = ("colorize", source, tmp_path / "out", "--weights", "levin2004", "--hints")
    missing = nirtrans(*run, hints)
    assert missing.code == 2
    assert "expected one file b (.json, .csv, .txt)" in missing.error
    assert "one file for 2 pictures; give a folder" in nirtrans(*run, hints / "a.json", "--overwrite").error
    skipping = nirtrans(*run, hints, "--skip-bad", "--overwrite")
    assert skipping.code == 0
    assert f"{source / 'b.png'}, got none" in caplog.text
    hint_file(hints, BLUE, name="b.csv").write_text("x,y,r,g,b\n40,20,120,150,210\n")
    assert nirtrans(*run, hints, "--overwrite").code == 0
    assert ab_at(tmp_path / "out" / "b.png", 3, 3)[1] < -15 < ab_at(tmp_path / "out" / "a.png", 3, 3)[1]
    hint_file(hints, BLUE, name="b.json")
    assert "got b.json and b.csv" in nirtrans(*run, hints, "--overwrite").error


def refusals(folder: Path) -> dict[str, tuple[tuple[object, ...], str]]:
    """Return arguments behind `--weights` and what is said of them."""
    write_image(folder / "small.png", np.zeros((4, 4, 3), np.uint8))
    write_image(folder / "noise.png", np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8))
    write_image(folder / "gray.png", np.full((48, 64), 30, np.uint8))
    copied = np.repeat(read_image(folder / "photo.png").pixels, 3, axis=2)
    write_image(folder / "unmarked.png", copied)
    write_image(folder / "clear.png", copied, alpha=np.zeros((48, 64), np.uint8))
    (folder / "broken.json").write_text('[{"x": 1,}]')
    hints, far = hint_file(folder, RED), hint_file(folder, RED | {"x": 64}, name="far.json")
    return {
        "none": (("levin2004",), "colour from hints alone; give --hints or --scribbles"),
        "palette alone": (("athi", "--palette", folder / "noise.png"), "take no palette.*: zhang2017"),
        "absent": (("athi", "--hints", folder / "absent.json"), "No such file"),
        "broken": (("athi", "--hints", folder / "broken.json"), r"broken\.json: line 1, column"),
        "far": (("athi", "--hints", far), r"far\.json: point 1 at x 64, y 20 lies outside the picture of 64 x 48 px"),
        "picture": (("athi", "--hints", folder / "noise.png"), "no text.*--scribbles takes pictures"),
        "points": (("athi", "--scribbles", hints), "not a picture"),
        "small": (("athi", "--scribbles", folder / "small.png"), "has 4 x 4 px, the source 64 x 48"),
        "noise": (("athi", "--scribbles", folder / "noise.png"), "100% of its pixels differ"),
        "gray": (("athi", "--scribbles", folder / "gray.png"), "no coloured strokes"),
        "unmarked": (("athi", "--scribbles", folder / "unmarked.png"), "no strokes found"),
        "clear": (("athi", "--scribbles", folder / "clear.png"), "no strokes found"),
        "no palette": ((guided(folder), "--palette", folder / "noise.png"), "take no palette.*zhang2017"),
        "gray palette": ((guided(folder, palette=True), "--palette", folder / "gray.png"), "has no palette"),
    }


def test_what_cannot_be_used_is_told_in_one_line_and_nothing_is_written(nirtrans: Command, gray: Path) -> None:
    out = gray.parent / "result.png"
    for name, (arguments, message) in refusals(gray.parent).items():
        done = nirtrans("colorize", gray, out, "--weights", *arguments)
        assert done.code == 2, (name, done)
        assert re.search(message, done.error), (name, done.error)
        assert not out.exists()


def test_other_models_and_rasters_take_no_hints(nirtrans: Command, gray: Path) -> None:
    run = tiny_run("pix2pix", domain="gray")
    weights = gray.parent / "pix2pix.safetensors"
    info = ModelInfo(model="pix2pix", run=run, halo_px=16, stride_px=16)
    save_weights(weights, inference_tensors(build_system(run)), info)
    hints, out = hint_file(gray.parent, RED), gray.parent / "out.png"
    done = nirtrans("colorize", gray, out, "--weights", weights, "--hints", hints)
    assert done.code == 2
    assert "take no hints" in done.error
    assert "vidar, zhang2017, athi, levin2004" in done.error


def test_python_takes_points(gray: Path) -> None:
    model, pixels = package.load("levin2004", device="cpu"), read_image(gray).pixels
    points = [(12, 20, 192, 64, 64, 0), (40, 20, 120, 150, 210, 0)]
    rgb = model.colorize(pixels[..., 0], hints=points)
    assert rgb.shape == (48, 64, 3)
    assert rgb[40, 3, 0] > rgb[40, 3, 2]
    assert np.array_equal(rgb, model.colorize(pixels, hints=hint_file(gray.parent, RED, BLUE)))
    batch = model.colorize(torch.tensor(pixels).permute(2, 0, 1)[None], hints=points)
    assert np.array_equal(batch[0].permute(1, 2, 0).numpy(), rgb)
    for wrong, error in (([(64, 0, 1, 2, 3)], DataError), ([], DataError), ([(1, 2)], DataError), (None, InputError)):
        with pytest.raises(error):
            model.colorize(pixels, hints=wrong)


@pytest.mark.parametrize("name", ["levin2004", "athi"])
def test_formulas_are_not_trained(nirtrans: Command, name: str) -> None:
    assert f"{name} has no networks" in nirtrans("train", "--model", name, "--domain", "gray").error
    assert name in nirtrans("models").out
    assert f"--weights {name} --hints FILE" in nirtrans("models", name).out
    assert name not in nirtrans("models", "--domain", "nir").out
