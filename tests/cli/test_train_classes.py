"""Classes of pictures on the command line: counted before anything is written, and named in the weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nirtrans.config_files import dump_run
from nirtrans.io.images import write_image
from nirtrans.models.weights import read_info
from tests.models.tiny import tiny_run

Command = Callable[..., Any]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Six pictures of 32 px in a folder per class."""
    rng = np.random.default_rng(0)
    for name in ("sea/a", "sea/b", "town/a", "town/b", "wood/a", "wood/b"):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, rng.integers(0, 255, (32, 32, 3), dtype=np.uint8))
    return tmp_path / "pictures"


@pytest.fixture
def train(nirtrans: Command, pictures: Path, tmp_path: Path) -> Command:
    """Train iizuka2016 for a step on the pictures."""
    config = tmp_path / "run.yaml"
    config.write_text(dump_run(tiny_run("iizuka2016", train={"steps": 1, "batch": 2})))

    def start(*flags: object) -> Any:
        data = ("--config", config, "--data", pictures, "--set", "data.crop_px=32", "--set", "data.workers=0")
        return nirtrans("train", *data, "--out", tmp_path / "run", "--device", "cpu", "--progress", "none", *flags)

    return start


def test_the_weights_name_the_classes_in_order(train: Command, tmp_path: Path) -> None:
    outcome = train("--set", "network.classes=3")
    assert outcome.code == 0, outcome.err
    assert read_info(tmp_path / "run" / "last.safetensors").classes == ("sea", "town", "wood")
    assert "generator/class" in (tmp_path / "run" / "metrics.jsonl").read_text()


def test_without_classes_none_are_learnt_or_named(train: Command, tmp_path: Path) -> None:
    assert train("--set", "network.classes=0").code == 0
    assert read_info(tmp_path / "run" / "last.safetensors").classes == ()
    assert "generator/class" not in (tmp_path / "run" / "metrics.jsonl").read_text()


def test_another_number_of_classes_is_refused_before_anything_is_written(train: Command, tmp_path: Path) -> None:
    outcome = train("--set", "network.classes=205")
    assert outcome.code == 2
    assert "network.classes is 205, but the training pictures have 3 classes (sea, town, wood)" in outcome.err
    assert "use --set network.classes=3" in outcome.err
    assert not (tmp_path / "run").exists()


def test_pictures_without_classes_say_how_to_name_them(train: Command, pictures: Path) -> None:
    for folder in list(pictures.iterdir()):
        for file in folder.iterdir():
            file.rename(pictures / f"{folder.name}_{file.name}")
        folder.rmdir()
    outcome = train()
    assert outcome.code == 2
    assert "have 0 classes; use --set network.classes=0; a column class in scenes.csv" in outcome.err
