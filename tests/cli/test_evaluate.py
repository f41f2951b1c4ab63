"""`nirtrans evaluate` as a user sees it."""

import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_weights import gray_weights, tiny_weights

from nirtrans.config import Preprocessing
from nirtrans.evaluation.baselines import ORACLES
from nirtrans.inference.colorizer import load_colorizer

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


def test_pictures_that_are_no_pairs_leave_no_folder_behind(tmp_path: Path, nirtrans: Command, pairs: Path) -> None:
    (pairs / "nir").rename(pairs / "trainA")
    (pairs / "rgb").rename(pairs / "trainB")
    result = nirtrans("evaluate", "--weights", tiny_weights(), "--data", pairs, "--out", tmp_path / "out", *FLAGS)
    assert result.code == 2
    assert "evaluation needs pairs" in result.error
    assert not (tmp_path / "out").exists()


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


def test_runs_are_compared_in_one_table_by_their_folders(tmp_path: Path, nirtrans: Command, pairs: Path) -> None:
    for run, weights in (("one", tiny_weights()), ("two", tiny_weights("batch"))):
        (tmp_path / run).mkdir()
        (tmp_path / run / "best.safetensors").write_bytes(weights.read_bytes())
    flags = ("--weights", tmp_path / "one", "--weights", tmp_path / "two" / "best.safetensors", "--data", pairs)
    result = nirtrans("evaluate", *flags, "--out", tmp_path / "out", "--split", "all", *FLAGS)
    assert (result.code, result.err) == (0, "")
    assert "means over 4 pictures of 4 scenes" in result.out
    assert "difference to one" in result.out
    assert re.search(r"two .*(better|worse|undecided)", result.out)
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert list(found["models"])[:2] == ["one", "two"]
    known = found["weights"]["two"]
    assert known["file_bytes"] == tiny_weights("batch").stat().st_size
    assert known["parameters"] > 100
    assert known["seconds_per_megapixel"] > 0
    assert known["steps"] is None
    assert found["differences"]["to"] == "one"
    assert set(found["differences"]["models"]) == set(found["models"]) - {"one"}


def test_pictures_are_kept_on_demand(tmp_path: Path, nirtrans: Command, pairs: Path) -> None:
    flags = ("--weights", tiny_weights(), "--data", pairs, "--out", tmp_path / "out", "--split", "all", *FLAGS)
    assert nirtrans("evaluate", *flags, "--save-pictures").code == 0
    folder = tmp_path / "out" / "pictures" / "tiny"
    assert sorted(path.name for path in folder.iterdir()) == [f"{number}.png" for number in range(4)]
    stored = np.asarray(Image.open(folder / "2.png"))
    source = np.asarray(Image.open(pairs / "nir" / "2.png"))
    expected = load_colorizer(tiny_weights(), device="cpu").colorize(source)
    np.testing.assert_allclose(stored / 255, expected, atol=0.51 / 255)


def test_conventions_of_others_are_computed_on_demand(tmp_path: Path, nirtrans: Command, pairs: Path) -> None:
    flags = ("--weights", tiny_weights(), "--data", pairs, "--out", tmp_path / "out", "--split", "all", *FLAGS)
    assert nirtrans("evaluate", *flags, "--metric", "ae_vcip", "--metric", "psnr").code == 0
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert found["models"]["tiny"]["ae_vcip"]["n"] == 4
    assert "ssim_vcip" not in found["models"]["tiny"]
    result = nirtrans("evaluate", *flags, "--metric", "ssim_vcp")
    assert result.code == 2
    assert "unknown metric 'ssim_vcp'; did you mean ssim_vcip?" in result.error


def test_weights_called_like_a_baseline_are_refused(tmp_path: Path, nirtrans: Command, pairs: Path) -> None:
    (tmp_path / "lut.safetensors").write_bytes(tiny_weights().read_bytes())
    flags = ("--weights", tmp_path / "lut.safetensors", "--data", pairs, "--out", tmp_path / "out", *FLAGS)
    assert "mistaken for the baseline" in nirtrans("evaluate", *flags).error


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


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(4):
        pixels = random.integers(0, 256, (36, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{'cat' if number % 2 else 'dog'}_{number}.png")
    return folder


def test_gray_weights_are_judged_by_their_chroma(tmp_path: Path, nirtrans: Command, photographs: Path) -> None:
    flags = ("--weights", gray_weights(), "--data", photographs, "--split", "all", *FLAGS)
    result = nirtrans("evaluate", *flags, "--out", tmp_path / "out")
    assert (result.code, result.err) == (0, "")
    assert "acc@5 of 313 bins" in result.out
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    names = ["grey-copy", "lut", "mean-colour", "prior-mode", "oracle-chroma", "oracle-mean", "truth"]
    assert list(found["models"]) == ["tiny", *names]
    assert len(found["data"]["prior"]["shares"]) == 313
    assert found["models"]["grey-copy"]["auc_balanced"]["n"] == 4
    assert found["models"]["tiny"]["acc@1_ab313"]["n"] == 4


def test_the_tracks_of_ntire(tmp_path: Path, nirtrans: Command, photographs: Path) -> None:
    flags = ("--weights", gray_weights(), "--data", photographs, "--split", "all", *FLAGS)
    out, seeds = tmp_path / "out", tmp_path / "seeds"
    assert nirtrans("evaluate", *flags, "--out", out, "--protocol", "ntire2019-track1").code == 0
    found = json.loads((out / "metrics.json").read_text())
    assert found["data"]["protocol"]["name"] == "ntire2019-track1"
    assert found["models"]["tiny"]["ssim_u8"]["n"] == 4
    track2 = ("--protocol", "ntire2019-track2", "--seed", 7)
    result = nirtrans("evaluate", *flags, "--out", out, *track2, "--save-seeds", seeds)
    assert result.code == 0
    assert "as ntire2019-track2, seed 7 (tiny without hints)" in result.out
    assert "ntire2019-track2, seed 7" in (out / "report.html").read_text()
    assert sorted(path.name for path in seeds.iterdir())[:2] == ["cat_1.json", "cat_1.txt"]
    assert len(list(seeds.iterdir())) == 8
    assert 5 <= len((seeds / "cat_1.txt").read_text().splitlines()) <= 15
    refused = nirtrans("evaluate", *flags, "--out", tmp_path / "no", "--save-seeds", seeds)
    assert (refused.code, "give that as well" in refused.error) == (2, True)
    nir = ("--weights", tiny_weights(), "--data", photographs, "--out", tmp_path / "no", *FLAGS)
    assert nirtrans("evaluate", *nir, *track2).code == 2
    assert not (tmp_path / "no").exists()


def test_formulas_are_judged_beside_weights(tmp_path: Path, nirtrans: Command, photographs: Path) -> None:
    flags = ("--data", photographs, "--split", "all", "--out", tmp_path / "out", *FLAGS)
    alone = nirtrans("evaluate", "--weights", "athi", *flags)
    assert (alone.code, "judge it by --protocol ntire2019-track2" in alone.error) == (2, True)
    weights = ("--weights", "athi", "--weights", gray_weights())
    assert nirtrans("evaluate", *weights, *flags, "--protocol", "ntire2019-track2").code == 0
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert list(found["models"])[:2] == ["tiny", "athi"]
    assert found["data"]["protocol"]["judged_without_hints"] == ["tiny"]
    assert found["weights"]["athi"]["sha256"] == "athi"
    (tmp_path / "athi.safetensors").write_bytes(gray_weights().read_bytes())
    clash = nirtrans("evaluate", "--weights", "athi", "--weights", tmp_path / "athi.safetensors", *flags)
    assert (clash.code, "mistaken for the formula" in clash.error) == (2, True)


def test_a_classifier_by_name(
    tmp_path: Path, nirtrans: Command, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cats_and_dogs.py").write_text(
        "import torch\ndef look(x):\n    return torch.tensor([[2.0, 1.0]]).expand(len(x), -1)\n"
        "look.classes = ['cat', 'dog']\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    flags = ("--weights", gray_weights(), "--data", photographs, "--split", "all", *FLAGS)
    out, look = tmp_path / "out", ("--classifier", "cats_and_dogs:look")
    result = nirtrans("evaluate", *flags, "--out", out, *look)
    assert (result.code, result.err) == (0, "")
    found = json.loads((out / "metrics.json").read_text())
    assert found["data"]["classifier"]["sha256"] == _sha256(tmp_path / "cats_and_dogs.py")
    for name in ("tiny", "grey-copy", "truth"):
        assert found["models"][name]["top1"]["mean"] == 0.5
    (tmp_path / "labels.csv").write_text("id,label\n" + "".join(f"{p.stem},cat\n" for p in photographs.iterdir()))
    assert nirtrans("evaluate", *flags, "--out", out, *look, "--labels", tmp_path / "labels.csv").code == 0
    assert json.loads((out / "metrics.json").read_text())["models"]["tiny"]["top1"]["mean"] == 1
    (tmp_path / "odd.csv").write_text((tmp_path / "labels.csv").read_text().replace("cat_1,cat", "cat_1,cow"))
    odd = nirtrans("evaluate", *flags, "--out", tmp_path / "no", *look, "--labels", tmp_path / "odd.csv")
    assert (odd.code, "cat_1: the classifier has no class 'cow'" in odd.error) == (2, True)
    assert "sha256 " + found["data"]["classifier"]["sha256"][:12] in (out / "report.html").read_text()
    for wrong in (["--classifier", "cats_and_dogs:absent"], ["--labels", tmp_path / "labels.csv"],
                  [*look, "--labels", tmp_path / "none.csv"]):  # fmt: skip
        refused = nirtrans("evaluate", *flags, "--out", tmp_path / "no", *wrong)
        assert refused.code == 2
        assert refused.error
    assert not (tmp_path / "no").exists()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
