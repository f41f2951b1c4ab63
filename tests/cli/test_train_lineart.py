"""Line art from a folder of colour pictures to a coloured drawing, by the commands of a user."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nirtrans.data.derive import draw, luma
from nirtrans.data.synthetic import synthetic_scene
from nirtrans.io.images import read_image, to_unit, write_image
from nirtrans.models.weights import read_info

Command = Callable[..., Any]

TINY = ("--set", "network.width=2", "--set", "network.depth=2", "--set", "data.crop_px=32", "--set", "data.workers=0")
QUIET = ("--device", "cpu", "--threads", 1, "--progress", "none")


def colours(seed: int, side: int = 40) -> np.ndarray:
    return (255 * synthetic_scene(seed, (side, side)).rgb_picture()).round().astype(np.uint8).transpose(1, 2, 0)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    for seed in range(3):
        write_image(tmp_path / "pictures" / f"p{seed}.png", colours(seed))
    return tmp_path / "pictures"


def train(nirtrans: Command, out: Path, *flags: object) -> Path:
    outcome = nirtrans("train", "--out", out, "--steps", 2, *flags, *TINY, *QUIET)
    assert outcome.code == 0, outcome.err
    return out


def test_a_drawing_is_coloured_and_its_lines_stay(nirtrans: Command, tmp_path: Path, pictures: Path) -> None:
    flags = ("--domain", "lineart", "--model", "nirtrans-base", "--set", "train.batch=2")
    run = train(nirtrans, tmp_path / "run", *flags, "--data", pictures)
    info = read_info(run / "best.safetensors")
    assert (info.run.domain, info.run.data.lineart, info.run.network["luma"]) == ("lineart", "xdog", "lines")
    assert "lines drawn by xdog" in info.training_data
    drawing = np.full((37, 45), 255, np.uint8)
    drawing[:, 20:22], drawing[10:12] = 128, 0
    alpha = np.where(np.arange(45) < 30, 255, 90).astype(np.uint8) * np.ones((37, 1), np.uint8)
    for name, pixels in (("gray", drawing), ("rgb", np.dstack([drawing] * 3))):
        write_image(tmp_path / f"{name}.png", pixels, alpha=alpha)
        outcome = nirtrans("colorize", tmp_path / f"{name}.png", tmp_path / f"{name}-out.png", "--weights", run)
        assert outcome.code == 0, outcome.err
    one, other = (read_image(tmp_path / f"{name}-out.png") for name in ("gray", "rgb"))
    assert np.array_equal(one.pixels, other.pixels), "a colour file that is gray is a drawing"
    assert one.pixels.shape == (37, 45, 3)
    assert np.array_equal(one.alpha, alpha)
    assert not one.pixels[10:12].any(), "lines stay black"
    assert one.pixels[0, 0].any(), "paper has a colour"


def test_a_colour_picture_is_no_drawing(nirtrans: Command, tmp_path: Path, pictures: Path) -> None:
    run = train(nirtrans, tmp_path / "run", "--config", "nirtrans-base-lineart-small", "--data", pictures)
    outcome = nirtrans("colorize", pictures / "p0.png", tmp_path / "out.png", "--weights", run)
    assert outcome.code == 2
    assert "these weights translate lineart" in outcome.error


@pytest.mark.parametrize("domain", ["gray", "lineart"])
def test_both_domains_train_without_data(nirtrans: Command, tmp_path: Path, domain: str) -> None:
    flags = ("--config", "nirtrans-base-small", "--domain", domain, "--set", "data.synthetic_scenes=3")
    run = train(nirtrans, tmp_path / "run", *flags, "--set", "data.lineart=canny")
    luma_kind = {"gray": "copy", "lineart": "lines"}[domain]
    assert read_info(run / "best.safetensors").run.network["luma"] == luma_kind


def test_an_unknown_way_of_drawing_is_refused(nirtrans: Command, tmp_path: Path, pictures: Path) -> None:
    flags = ("--domain", "lineart", "--model", "nirtrans-base", "--data", pictures, "--set", "data.lineart=sobel")
    outcome = nirtrans("train", *flags, "--out", tmp_path / "run")
    assert outcome.code == 2
    assert "data.lineart" in outcome.error
    assert "xdog" in outcome.error


@pytest.mark.parametrize("kind", ["gray", "xdog", "canny"])
def test_what_is_derived_can_be_looked_at(nirtrans: Command, tmp_path: Path, pictures: Path, kind: str) -> None:
    outcome = nirtrans("data", "derive", pictures, tmp_path / "out", "--kind", kind, "--progress", "none")
    assert outcome.code == 0, outcome.err
    assert "3 pictures written" in outcome.out
    rgb = to_unit(colours(1)).transpose(2, 0, 1)
    expected = (luma(rgb) * 255).round().astype(np.uint8) if kind == "gray" else draw(rgb, by=kind)
    assert np.array_equal(read_image(tmp_path / "out" / "p1.png").pixels[..., 0], expected[0])


def test_a_single_file_keeps_its_alpha(nirtrans: Command, tmp_path: Path) -> None:
    alpha = np.random.default_rng(0).integers(0, 2, (40, 40), dtype=np.uint16) * 65535
    write_image(tmp_path / "deep.png", colours(0).astype(np.uint16) * 257, alpha=alpha)
    outcome = nirtrans("data", "derive", tmp_path / "deep.png", tmp_path / "out.png", "--kind", "gray")
    assert outcome.code == 0, outcome.err
    made = read_image(tmp_path / "out.png")
    assert np.array_equal(made.alpha, alpha // 257)
    assert made.pixels.dtype == np.uint8


def test_what_cannot_be_derived_is_one_line(nirtrans: Command, tmp_path: Path, pictures: Path) -> None:
    for arguments, words in (
        ((tmp_path / "none.png", tmp_path / "out.png"), "no such file"),
        ((pictures, pictures), "is the source"),
        ((pictures / "p0.png", pictures / "p0.png"), "is the source"),
        ((tmp_path, tmp_path / "out"), "no pictures in it"),
        ((pictures / "p0.png", tmp_path / "out.gif"), "unknown format"),
        ((pictures, tmp_path / "out", "--kind", "pencil"), "pencil"),
    ):
        outcome = nirtrans("data", "derive", *arguments)
        assert outcome.code == 2, arguments
        assert words in outcome.error
