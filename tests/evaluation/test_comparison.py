"""The comparison: its numbers, its files, and what it refuses."""

import base64
import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_weights import tiny_weights

from nirtrans.config import Preprocessing
from nirtrans.data.collection import Collection, InMemory
from nirtrans.errors import DataError
from nirtrans.evaluation.evaluate import evaluate
from nirtrans.evaluation.groups import Place
from nirtrans.evaluation.metrics import DEFAULT
from nirtrans.evaluation.pairs import choose_split
from nirtrans.evaluation.panels import angle_error, data_uri, luma_error
from nirtrans.evaluation.report import write_report
from nirtrans.evaluation.report_cases import MOST_PICTURES, choose_cases, show_cases
from nirtrans.evaluation.report_tables import scenes as scene_table
from nirtrans.evaluation.results import Evaluation, write_results
from nirtrans.inference.colorizer import Colorizer, load_colorizer

BASELINES = ["nir-copy", "lut", "mean-colour", "oracle-grey", "oracle-mean", "shift1", "shift2"]


def collection(splits: list[str], aligned: bool = True) -> Collection:
    random = np.random.default_rng(0)
    sources, targets = [], []
    for number, split in enumerate(splits):
        nir = random.random((1, 24, 30), dtype=np.float32)
        name = f"<{number}>"
        sources.append(InMemory(name, name, nir, split))
        targets.append(InMemory(name, name, np.concatenate([nir * 0.5, nir * 0.8, 1 - nir]), split))
    return Collection(tuple(sources), tuple(targets), aligned, Preprocessing(), "test")


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return load_colorizer(tiny_weights(), device="cpu")


@pytest.fixture(scope="module")
def judged(colorizer: Colorizer) -> tuple[Evaluation, Collection]:
    pictures = collection(["train", "train", "val", "val", "val"])
    return evaluate({"tiny": colorizer}, pictures, source="<here>", split="val")


def test_every_model_and_baseline_is_judged_on_every_picture(judged: tuple[Evaluation, Collection]) -> None:
    evaluation, part = judged
    assert list(evaluation.scores) == ["tiny", *BASELINES]
    assert [picture.id for picture in part.sources] == ["<2>", "<3>", "<4>"]
    for scores in evaluation.scores.values():
        assert list(scores) == ["<2>", "<3>", "<4>"]
    assert evaluation.scores["lut"]["<2>"]["psnr"] > 40  # colours follow from the level here
    assert evaluation.data["split"] == "val"
    assert evaluation.data["count"] == 3


def test_files_hold_what_is_promised(judged: tuple[Evaluation, Collection], tmp_path: Path) -> None:
    evaluation, _ = judged
    undefined = dict.fromkeys(DEFAULT, math.nan)
    endless = {"<2>": undefined | {"psnr": math.inf}, "<3>": undefined, "<4>": undefined}
    write_results(replace(evaluation, scores={**evaluation.scores, "perfect": endless}), tmp_path)
    text = (tmp_path / "metrics.json").read_text()
    found = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert set(found) == {"weights", "data", "models", "images", "differences", "groups", "scenes"}
    unknown = {"median": None, "ci95": [None, None]}
    assert found["models"]["perfect"]["psnr"] == {"mean": "inf", **unknown, "median": "inf", "n": 1, "scenes": 1}
    assert found["models"]["perfect"]["ae"] == {"mean": None, **unknown, "n": 0, "scenes": 0}
    known = found["models"]["tiny"]["ssim"]
    assert known["ci95"][0] <= known["mean"] <= known["ci95"][1]
    assert known["n"] == 3
    assert set(found["images"][0]) == {"id", "scene", "class", "model", *DEFAULT}
    rows = list(csv.DictReader((tmp_path / "metrics.csv").open()))
    assert len(rows) == len(found["images"]) == 9 * 3
    assert float(rows[0]["psnr"]) == found["images"][0]["psnr"]
    assert rows[-3]["psnr"] == "inf"
    assert rows[-1]["psnr"] == ""
    assert rows[0]["scene"] == "<2>"


def test_the_report_needs_nothing_else(
    judged: tuple[Evaluation, Collection], colorizer: Colorizer, tmp_path: Path
) -> None:
    evaluation, part = judged
    write_report(evaluation, part, {"tiny": colorizer}, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert "<link" not in page
    assert page.count("<script") == page.count("<script>") == 1
    assert "src='data:image/jpeg" in page
    assert "src=/" not in page
    assert "&lt;2&gt;" in page
    assert "<2>" not in page
    assert page.count("<figure>") == 3 * (2 + 3), "source, truth, colours and two error maps of each picture"
    for name in ("tiny", *BASELINES):
        assert f"<td>{name}</td>" in page
    assert "Difference to tiny" in page
    assert "$" not in page


def test_the_report_stays_small_for_many_weights(judged: tuple[Evaluation, Collection], colorizer: Colorizer) -> None:
    evaluation, part = judged
    models = {f"m{number}": colorizer for number in range(15)}
    scores = dict.fromkeys(models, evaluation.scores["tiny"])
    many = replace(evaluation, weights=dict.fromkeys(models, evaluation.weights["tiny"]), scores=scores)
    shown = "".join(show_cases(many, part, models)).count("<img")
    assert 3 * (2 + 3 * 12) == shown <= MOST_PICTURES


def test_long_tables_are_cut() -> None:
    names = [str(number) for number in range(700)]
    values = {name: {"psnr": float(name), "ssim": 0.0, "ae": math.nan} for name in names}
    places = {name: Place(f"scene{name}") for name in names}
    page = scene_table(Evaluation({"m": {}}, {}, {"m": values}, places, seed=0))
    assert page.count("<tr class") == 500
    assert "scene0<" in page
    assert "scene699<" not in page, "the best are left out"


@pytest.mark.parametrize(
    ("psnr", "expected"),
    [
        ([5.0, 1.0, 3.0, 2.0, 4.0], {"Worst": [1], "Median": [2], "Best": [0]}),
        ([2.0, math.nan, 1.0], {"Worst": [2], "Median": [], "Best": [0]}),
        ([7.0], {"Worst": [0], "Median": [], "Best": []}),
        ([math.nan], {"Worst": [], "Median": [], "Best": []}),
        ([1.0, 2.0, 3.0, 4.0, 5.0, math.inf], {"Worst": [0, 1], "Median": [2, 3], "Best": [5, 4]}),
    ],
)
def test_cases_are_worst_median_and_best(psnr: list[float], expected: dict[str, list[int]]) -> None:
    assert choose_cases(psnr, most=2) == expected


def test_pictures_become_jpeg_data() -> None:
    valid = np.ones((8, 400), dtype=bool)
    valid[:, :200] = False
    uri = data_uri(np.ones((1, 8, 400), np.float32), valid)
    image = Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))
    assert image.size == (320, 6)
    assert image.getpixel((40, 3)) == pytest.approx((135, 135, 135), abs=6), "grey where nothing is known"
    assert image.getpixel((300, 3)) == pytest.approx((255, 255, 255), abs=6)


def test_noise_becomes_jpeg_data() -> None:
    noise = np.random.default_rng(0).random((3, 256, 256), dtype=np.float32)
    assert 10**5 < len(data_uri(noise)) < 2 * 10**5, "the largest that a picture can be"


def test_error_maps_go_from_dark_to_bright() -> None:
    truth = np.full((3, 1, 4), 0.4, np.float32)
    grey = truth + np.array([0.0, 0.05, 0.2, np.nan], np.float32)
    brightness = luma_error(grey, truth).sum(axis=0)[0]
    assert brightness[0] < brightness[1] < brightness[2]
    assert np.isnan(brightness[3])
    assert np.ptp(angle_error(grey, truth)[:, 0, :3], axis=1).max() < 1e-3, "greys have one direction"
    tinted = truth * np.array([[1.0, 1.0, 1.0, 0.0], [1.0, 0.8, 0.3, 0.0], [1.0, 1.0, 1.0, 0.0]], np.float32)[:, None]
    turned = angle_error(tinted, truth).sum(axis=0)[0]
    assert turned[0] < turned[1] < turned[2]
    assert np.isnan(turned[3]), "black has no direction"


@pytest.mark.parametrize(
    ("splits", "asked", "expected"),
    [(["train", "val", "test"], None, "test"), (["train", "val"], None, "val"), (["train"], None, "all"),
     (["train", "test"], "train", "train"), (["train", "test"], "all", "all")],
)  # fmt: skip
def test_split_is_test_else_val_else_all(splits: list[str], asked: str | None, expected: str) -> None:
    name, part = choose_split(collection(splits), asked)
    assert name == expected
    assert len(part.sources) == (len(splits) if expected == "all" else 1)


def test_no_pairs_are_refused() -> None:
    with pytest.raises(DataError, match="unpaired"):
        choose_split(collection(["train"], aligned=False), None)
    with pytest.raises(DataError, match=r"no picture in the split test \(1 in train, 0 in val, 0 in test\)"):
        choose_split(collection(["train"]), "test")
