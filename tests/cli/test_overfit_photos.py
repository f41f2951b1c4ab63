"""Small presets learn eight photographs by heart: the whole way from folder to colours works."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nirtrans.evaluation.metrics import colourfulness, rmse_ab
from nirtrans.io.images import read_image, to_unit

Command = Callable[..., Any]
PICTURES = 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "steps"), [("zhang2016-small", 800), ("koalarization-small", 300), ("iizuka2016-small", 300)]
)
def test_eight_photographs_by_heart(
    nirtrans: Command, tmp_path: Path, shared_data: Path, config: str, steps: int
) -> None:
    folder = tmp_path / "eight"
    folder.mkdir()
    for path in sorted((shared_data / "rgb" / "bsds500" / "train").glob("*.jpg"))[:PICTURES]:
        shutil.copy(path, folder)
    with (folder / "splits.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("id", "scene", "split"), *((p.stem, p.stem, "train") for p in folder.glob("*.jpg"))]
        )
    flags = ["data.short_side_px=128", "data.crop_px=128", "data.flip=false", "data.workers=0", "train.ema=0.98"]
    flags += ["train.optimizer.lr=1e-3", "train.constant_share=0.7"]
    sets = [part for flag in flags for part in ("--set", flag)]
    run = tmp_path / "run"
    done = nirtrans("train", "--config", config, "--data", folder, "--steps", steps, *sets, "--out", run)
    assert done.code == 0, done.err
    done = nirtrans("colorize", folder, tmp_path / "out", "--weights", run / "last.safetensors")
    assert done.code == 0, done.err
    errors, shares = [], []
    for path in sorted(folder.glob("*.jpg")):
        truth, found = (to_unit(read_image(place).pixels) for place in (path, tmp_path / "out" / path.name))
        errors.append(rmse_ab(found, truth))
        shares.append(colourfulness(found) / colourfulness(truth))
    assert sum(errors) / PICTURES < 5, errors
    assert min(shares) > 0.5, shares
