"""Known shifts are found again, between colour and near infrared too."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nirtrans.cli.data import data_app
from nirtrans.config import DataSettings
from nirtrans.data.collection import open_collection
from nirtrans.data.derive import luma
from nirtrans.data.registration import check_registration, phase_shift
from nirtrans.data.synthetic import synthetic_scene, write_synthetic_pairs
from nirtrans.errors import DataError
from nirtrans.io.images import read_image, write_image

SCENE = synthetic_scene(1, (128, 144))
NIR, LUMA = SCENE.nir_picture()[0], luma(SCENE.rgb_picture())[0]


def shifted(image: np.ndarray, down: float, right: float) -> np.ndarray:
    """Shift by a fraction of pixels, wrapping around."""
    rows, columns = np.fft.fftfreq(image.shape[0])[:, None], np.fft.rfftfreq(image.shape[1])[None]
    turn = np.exp(-2j * np.pi * (rows * down + columns * right))
    return np.fft.irfft2(np.fft.rfft2(image) * turn, s=image.shape).astype(np.float32)


@given(st.floats(-8, 8), st.floats(-8, 8))
@settings(max_examples=15, deadline=None)
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
    report = json.loads(CliRunner().invoke(data_app, [*arguments, "--json"]).output)
    assert report["off"] == 1
    assert len(report["pairs"]) == 4


def test_real_pairs_with_known_residuals(shared_data: Path) -> None:
    """Pairs that were registered by a ground-truth projection: the rest is below 0.9 px, 0.4 px in the median."""
    folder = shared_data / "nir/ground/nirscene-starainj"
    lengths = [s.length_px for s in check_registration(open_collection(DataSettings(sources=[str(folder)]), "nir"))]
    assert max(lengths) < 0.9
    assert np.median(lengths) == pytest.approx(0.4, abs=0.1)
