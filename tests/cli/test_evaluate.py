"""`nirtrans evaluate` as a user sees it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_weights import tiny_weights

from nirtrans.config import Preprocessing
from nirtrans.evaluation.baselines import ORACLES

Command = Callable[..., Any]
FLAGS = ("--device", "cpu", "--progress", "none")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    folder = tmp_path / "pairs"
    random = np.random.default_rng(0)
    for part, shape in (("nir", (32, 40)), ("rgb", (32, 40, 3))):
        (folder / part).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(folder / part / f"{number}.png")
    return folder


def test_numbers_and_report(tmp_path: Path, nirtrans: Command, pairs: Path) -> None:
    result = nirtrans("evaluate", "--weights", tiny_weights(), "--data", pairs, "--out", tmp_path / "out", *FLAGS)
    assert (result.code, result.err) == (0, "")
    assert "oracle-grey" in result.out
    assert "report.html" in result.out
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert list(found["models"]) == ["tiny", "nir-copy", "lut", "mean-colour", *ORACLES]
    assert found["data"]["source"] == str(pairs)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["metrics.csv", "metrics.json", "report.html"]


def test_several_weights_share_one_table(tmp_path: Path, nirtrans: Command, pairs: Path) -> None:
    weights = [tiny_weights(), tiny_weights("batch")]
    flags = [word for path in weights for word in ("--weights", path)]
    assert nirtrans("evaluate", *flags, "--data", pairs, "--out", tmp_path / "out", "--split", "all", *FLAGS).code == 0
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert len(found["models"]) == 2 + 3 + len(ORACLES)
    assert found["data"] == {**found["data"], "split": "all", "count": 4}
    assert {known["sha256"] for known in found["weights"].values()} == {_sha256(path) for path in weights}


def test_data_of_the_training_run(
    tmp_path: Path, nirtrans: Command, pairs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without --data its own; a part of it is warned about, since the split of a part is another one."""
    other = tmp_path / "other"
    other.mkdir()
    for part in ("nir", "rgb"):
        (other / part).mkdir()
        for number in (7, 8):
            (other / part / f"{number}.png").write_bytes((pairs / part / "1.png").read_bytes())
    weights = tiny_weights(sources=(str(pairs), str(other)))
    assert nirtrans("evaluate", "--weights", weights, "--out", tmp_path / "out", "--split", "all", *FLAGS).code == 0
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert found["data"]["count"] == 6
    assert not caplog.records
    assert nirtrans("evaluate", "--weights", weights, "--data", pairs, "--out", tmp_path / "out", *FLAGS).code == 0
    assert "may have been trained on" in caplog.records[0].message


def test_refusals(tmp_path: Path, nirtrans: Command, pairs: Path) -> None:
    start = ("evaluate", "--weights", tiny_weights())
    assert nirtrans(*start, "--data", tmp_path / "absent", "--out", tmp_path / "out", *FLAGS).code == 2
    assert nirtrans(*start, "--data", pairs, "--out", "/proc/out", *FLAGS).code == 2
    assert nirtrans(*start, "--data", pairs, "--out", tmp_path / "out", "--split", "test", *FLAGS).code == 2
    physical = tiny_weights(rule=Preprocessing(kind="raster", units="percentile"))
    result = nirtrans(*start, "--weights", physical, "--data", pairs, "--out", tmp_path / "out", *FLAGS)
    assert "must take the same input" in result.error
    (pairs / "nir" / "1.png").write_bytes(b"nothing")
    assert "1.png" in nirtrans(*start, "--data", pairs, "--out", tmp_path / "out", *FLAGS).error
    assert nirtrans(*start, "--data", pairs, "--out", tmp_path / "out", "--skip-bad", *FLAGS).code == 0


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
