"""`nirtrans data prior` from a folder to a file that training takes, and the lines that refuse what is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nirtrans.data.synthetic import write_synthetic_pairs
from nirtrans.io.images import image_size, write_image

Command = Callable[..., Any]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    write_synthetic_pairs(tmp_path / "made", scenes=3, size=(32, 32))
    return tmp_path / "made" / "rgb"


def test_a_folder_becomes_a_file_and_a_picture(nirtrans: Command, tmp_path: Path, pictures: Path) -> None:
    outcome = nirtrans("data", "prior", pictures, "--out", tmp_path / "prior.json", "--progress", "plain")
    assert outcome.code == 0, outcome.err
    content = json.loads((tmp_path / "prior.json").read_text())
    assert content.keys() >= {"bins", "frequencies", "counts", "smoothing", "source", "version"}
    assert sum(content["counts"]) == 3 * 32 * 32
    assert (content["source"], content["pictures"], content["smoothing"]) == ("made/rgb", 3, 5.0)
    assert image_size(tmp_path / "prior.png")[2] == 3
    assert "colour prior 3/3" in outcome.err
    assert "3 pictures, 3,072 pixels" in outcome.out
    assert f"--set data.prior={tmp_path / 'prior.json'}" in outcome.out


def test_without_out_it_only_tells(nirtrans: Command, tmp_path: Path, pictures: Path) -> None:
    before = sorted(tmp_path.iterdir())
    outcome = nirtrans("data", "prior", pictures, "--smoothing", 0, "--progress", "none")
    assert outcome.code == 0
    occupied = next(line for line in outcome.out.splitlines() if "occupied" in line)
    assert "of 313 bins; smoothed by 0" in occupied
    assert "frequent" in outcome.out
    assert "bits" in outcome.out
    assert sorted(tmp_path.iterdir()) == before


def test_one_colour_has_no_entropy(nirtrans: Command, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((8, 8, 3), [200, 40, 40], np.uint8))
    outcome = nirtrans("data", "prior", tmp_path, "--smoothing", 0, "--picture", tmp_path / "p.png")
    assert "1 of 313 bins" in outcome.out
    assert "100.0%" in outcome.out
    assert "entropy    0.00 bits, as 1 equally" in outcome.out
    assert (tmp_path / "p.png").is_file()


def test_gray_pictures_are_left_out_on_request(nirtrans: Command, pictures: Path) -> None:
    write_image(pictures / "gray.png", np.zeros((8, 8, 1), np.uint8))
    refused = nirtrans("data", "prior", pictures)
    assert refused.code == 2
    assert "gray.png" in refused.error
    outcome = nirtrans("data", "prior", pictures, "--skip-bad", "--progress", "none")
    assert outcome.code == 0
    assert "3 pictures" in outcome.out


def test_what_cannot_be_done_is_one_line(nirtrans: Command, tmp_path: Path, pictures: Path) -> None:
    for arguments, words in (
        (["no/such"], "no such file"),
        ([pictures, "--out", tmp_path / "p.png"], "give the picture as --picture"),
        ([pictures, "--out", tmp_path / "no" / "p.json"], "cannot write"),
        ([pictures, "--smoothing", -1], "smoothing"),
        ([pictures, "--smoothing", "nan"], "smoothing"),
        ([pictures, "--domain", "infra"], "unknown domain"),
    ):
        outcome = nirtrans("data", "prior", *arguments, "--progress", "none")
        assert outcome.code == 2, arguments
        assert words in outcome.error


def test_training_takes_the_file_and_tells_its_faults(nirtrans: Command, tmp_path: Path, pictures: Path) -> None:
    path = tmp_path / "prior.json"
    assert nirtrans("data", "prior", pictures, "--out", path, "--progress", "none").code == 0
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"frequencies": [0.5 * share for share in content["frequencies"]]}))
    small = ("--set", "network.width=2", "--set", "data.workers=0", "--set", "data.crop_px=32", "--steps", 1)
    tiny = ("train", "--config", "zhang2016-small", *small, "--data", pictures, "--out", tmp_path / "run")
    tiny = (
        *tiny,
        "--set",
        "data.short_side_px=32",
        "--set",
        f"data.prior={path}",
        "--device",
        "cpu",
        "--progress",
        "none",
    )
    outcome = nirtrans(*tiny)
    assert outcome.code == 2
    assert "expected frequencies that sum to 1, got 0.5" in outcome.error
    path.write_text(json.dumps(content))
    outcome = nirtrans(*tiny)
    assert outcome.code == 0, outcome.err
