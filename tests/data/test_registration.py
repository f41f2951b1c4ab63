"""Known shifts are found again, between colour and near infrared too."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from nirtrans.cli.data import data_app
from nirtrans.config import DataSettings
from nirtrans.data.collection import open_collection
from nirtrans.data.derive import luma
from nirtrans.data.registration import check_registration, phase_shift
from nirtrans.data.registration_picture import FINE, OFF, UNCERTAIN, _overlay
from nirtrans.data.synthetic import synthetic_scene, write_synthetic_pairs
from nirtrans.errors import DataError, InputError
from nirtrans.io.images import read_image, write_image

SCENE = synthetic_scene(1, (128, 144))
NIR, LUMA = SCENE.nir_picture()[0], luma(SCENE.rgb_picture())[0]


def shifted(image: np.ndarray, down: float, right: float) -> np.ndarray:
    """Shift by a fraction of pixels, wrapping around."""
    rows, columns = np.fft.fftfreq(image.shape[0])[:, None], np.fft.rfftfreq(image.shape[1])[None]
    turn = np.exp(-2j * np.pi * (rows * down + columns * right))
    return np.fft.irfft2(np.fft.rfft2(image) * turn, s=image.shape).astype(np.float32)


@given(st.floats(-8, 8), st.floats(-8, 8))
@settings(max_examples=15)
def test_fractional_shifts_between_bands_are_found(down: float, right: float) -> None:
    found_down, found_right, certainty = phase_shift(shifted(NIR, down, right), LUMA)
    assert found_down == pytest.approx(down, abs=0.3)
    assert found_right == pytest.approx(right, abs=0.3)
    assert certainty > 10


def test_unrelated_pictures_give_no_certainty() -> None:
    other = synthetic_scene(9, (128, 144)).nir_picture()[0]
    assert phase_shift(other, LUMA)[2] < 8


def test_tiny_and_flat_pictures_do_not_fail() -> None:
    flat = np.full((8, 8), 0.5, np.float32)
    assert np.isfinite(phase_shift(flat, flat)).all()


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """Four pairs of which the third is 5 px off."""
    write_synthetic_pairs(tmp_path / "moved", scenes=4, size=(112, 112))
    path = tmp_path / "moved" / "rgb" / "scene0002.png"
    write_image(path, np.roll(read_image(path).pixels, 5, axis=0))
    return tmp_path / "moved"


def test_the_worst_pair_comes_first(moved: Path) -> None:
    collection = open_collection(DataSettings(sources=[str(moved)]), "nir")
    shifts = check_registration(collection)
    assert shifts[0].id == "scene0002"
    assert shifts[0].down_px == pytest.approx(-5, abs=0.3)
    assert shifts[1].length_px < 1
    with pytest.raises(DataError, match="only pairs"):
        check_registration(replace(collection, aligned=False))


def test_the_command_lists_and_writes(moved: Path, tmp_path: Path) -> None:
    arguments = ["check-registration", str(moved), "--limit-px", "2"]
    words = (
        CliRunner().invoke(data_app, [*arguments, "--out", str(tmp_path / "off.csv")], catch_exceptions=False).output
    )
    assert "1 of 4 pairs are off by more than 2 px" in words
    assert "over 4 px (1)" in words
    assert (tmp_path / "off.csv").read_text().startswith("id,down_px,right_px,certainty\nscene0002,-")
    assert "--set data.exclude=" in words
    with Image.open(tmp_path / "off.png") as drawn:
        assert drawn.size == (1040, 756)  # one row of numbers, one of edges
    report = json.loads(CliRunner().invoke(data_app, [*arguments, "--json"]).output)
    assert (report["off"], report["uncertain"]) == (1, 0)
    assert len(report["pairs"]) == 4


def test_the_list_leaves_pairs_out_of_training(moved: Path, tmp_path: Path) -> None:
    off = tmp_path / "off.csv"
    CliRunner().invoke(data_app, ["check-registration", str(moved), "--out", str(off)], catch_exceptions=False)
    kept = open_collection(DataSettings(sources=[str(moved)], exclude=str(off)), "nir")
    assert [picture.id for picture in kept.sources] == ["scene0000", "scene0001", "scene0003"]
    assert [picture.id for picture in kept.targets] == [picture.id for picture in kept.sources]


def test_guesses_are_not_listed_as_facts(moved: Path, tmp_path: Path) -> None:
    """The colours of another place: a shift is found, but it is nothing to go by."""
    other = synthetic_scene(77, (112, 112)).rgb_picture()
    write_image(moved / "rgb" / "scene0001.png", (255 * other).astype(np.uint8).transpose(1, 2, 0))
    arguments = ["check-registration", str(moved), "--out", str(tmp_path / "off.csv")]
    words = CliRunner().invoke(data_app, [*arguments, "--picture", str(tmp_path / "p.png")]).output
    assert "uncertain  1 pairs" in words
    assert "scene0001" not in (tmp_path / "off.csv").read_text()
    assert "scene0002" in (tmp_path / "off.csv").read_text()
    assert not (tmp_path / "off.png").exists()
    with Image.open(tmp_path / "p.png") as drawn:
        colours = {colour for _, colour in drawn.getcolors(1 << 20)}
    assert {FINE, OFF, UNCERTAIN} <= colours


def test_the_edges_of_the_worst_pair_are_drawn_apart(moved: Path) -> None:
    collection = open_collection(DataSettings(sources=[str(moved)]), "nir")
    shifts = {shift.id: shift for shift in check_registration(collection)}
    fine, off = (np.asarray(_overlay(shifts[f"scene000{number}"], collection), float) for number in (1, 2))
    agreement = [np.corrcoef(edges[..., 0].ravel(), edges[..., 1].ravel())[0, 1] for edges in (fine, off)]
    assert agreement[0] > 2 * agreement[1]


def test_the_picture_does_not_replace_the_list(moved: Path, tmp_path: Path) -> None:
    arguments = ["check-registration", str(moved), "--out", str(tmp_path / "off.png")]
    with pytest.raises(InputError, match="give the picture as --picture"):
        CliRunner().invoke(data_app, arguments, catch_exceptions=False)
    assert not (tmp_path / "off.png").exists()


def test_real_pairs_with_known_residuals(shared_data: Path) -> None:
    """Pairs that were registered by a ground-truth projection: the rest is below 0.9 px, 0.4 px in the median."""
    folder = shared_data / "nir/ground/nirscene-starainj"
    lengths = [s.length_px for s in check_registration(open_collection(DataSettings(sources=[str(folder)]), "nir"))]
    assert max(lengths) < 0.9
    assert np.median(lengths) == pytest.approx(0.4, abs=0.1)
