"""Judging gray colorizers: baselines that keep lightness, the balanced area, and accuracies of distributions."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from gray_stub import stub_colorizer
from numpy.typing import NDArray

from nirtrans.cli.comparison import print_comparison
from nirtrans.color.bins import AB313, AB529, AB625, BinSpec
from nirtrans.color.chroma import chroma, lightness
from nirtrans.config import Preprocessing
from nirtrans.data.collection import Collection, InMemory
from nirtrans.data.derive import luma
from nirtrans.evaluation.chroma_baselines import CHROMA_ORACLES, oracle_chroma, oracle_mean_chroma, true_chroma
from nirtrans.evaluation.columns import columns
from nirtrans.evaluation.evaluate import evaluate
from nirtrans.evaluation.judges import accuracy, balanced
from nirtrans.evaluation.metrics import DEFAULT, auc, auc_balanced, colourfulness, rmse_ab
from nirtrans.evaluation.pairs import Pair
from nirtrans.evaluation.reference import ORACLE_NAMES, learn_reference
from nirtrans.evaluation.report import write_report
from nirtrans.evaluation.results import write_results
from nirtrans.inference.distribution import rank_bins
from nirtrans.inference.scene import ArrayScene

NAMES = ["grey-copy", "lut", "mean-colour", "prior-mode", "oracle-chroma", "oracle-mean", "truth"]


def photograph(seed: int = 0, size: tuple[int, int] = (20, 28)) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0.2, 0.8, (3, *size)).astype(np.float32)


def gray_pair(seed: int = 0, valid: NDArray[np.bool_] | None = None) -> Pair:
    truth = photograph(seed)
    return Pair("p", ArrayScene(luma(truth), valid), truth, valid)


def collection(*splits: str) -> Collection:
    targets = tuple(InMemory(f"{n}", f"{n}", photograph(n), split) for n, split in enumerate(splits))
    sources = tuple(InMemory(t.id, t.scene, luma(t.pixels), t.split) for t in targets)
    return Collection(sources, targets, True, Preprocessing(bands=("gray",)), "test")


def test_every_baseline_keeps_the_lightness_of_the_source() -> None:
    given = gray_pair()
    expected = lightness(torch.from_numpy(given.source.pixels)[None])
    found = learn_reference("gray", [gray_pair(1), gray_pair(2)]).predictors(truth=True)
    assert list(found) == NAMES
    for name in NAMES[:-1]:
        shown = torch.from_numpy(np.array(found[name](given)))[None]
        assert shown.shape == (1, 3, 20, 28)
        assert (lightness_of(shown) - expected).abs().max() < 0.1, name
    assert np.array_equal(found["truth"](given), given.truth)


def lightness_of(rgb: torch.Tensor) -> torch.Tensor:
    from nirtrans.kernels import rgb_to_lab

    return rgb_to_lab(rgb)[:, :1]


def test_the_learned_baselines_are_what_they_say() -> None:
    training = [gray_pair(1), gray_pair(2)]
    reference = learn_reference("gray", training)
    ab = np.concatenate([true_chroma(pair).reshape(2, -1) for pair in training], axis=1)
    assert np.allclose(reference.palette.mean, ab.mean(axis=1), atol=1e-4)
    assert reference.counts["ab313"].sum() == ab.shape[1]
    level = np.round(training[0].source.pixels[0, 3, 4] * 255)
    same = np.concatenate([np.round(pair.source.pixels[0] * 255).ravel() == level for pair in training])
    assert np.allclose(reference.palette.table[:, int(level)], ab[:, same].mean(axis=1), atol=1e-3)
    assert reference.prior is not None
    mode = AB313.centres[reference.prior.argmax()]
    shown = chroma(torch.from_numpy(reference.predictors()["prior-mode"](gray_pair()))[None])
    assert torch.allclose(shown.flatten(2).mean(2), mode, atol=0.5)


def test_invalid_pixels_teach_nothing() -> None:
    valid = np.zeros((20, 28), dtype=bool)
    valid[:7] = True
    holed, whole = gray_pair(1, valid), gray_pair(1)
    holed.truth[:, ~valid] = np.nan
    holed.source.pixels[:, ~valid] = np.nan
    part = Pair("q", ArrayScene(whole.source.pixels[:, :7]), whole.truth[:, :7], None)
    found, expected = learn_reference("gray", [holed]), learn_reference("gray", [part])
    assert np.allclose(found.palette.table, expected.palette.table, atol=1e-4)
    assert torch.equal(found.counts["ab313"], expected.counts["ab313"])
    assert np.isfinite(oracle_mean_chroma(holed)).all()
    assert np.allclose(oracle_mean_chroma(holed)[:, :7], oracle_mean_chroma(part), atol=1e-5)
    assert found.prior is not None
    scored = balanced(found.prior)("model", learn_reference("gray", []).predictors()["grey-copy"](part), part)
    grey = np.broadcast_to(holed.source.pixels, holed.truth.shape)
    assert balanced(found.prior)("model", grey, holed)["auc_balanced"] == pytest.approx(scored["auc_balanced"])


def test_nothing_to_learn_from_is_grey_and_balances_nothing() -> None:
    reference = learn_reference("gray", [])
    assert reference.prior is not None
    assert torch.allclose(reference.prior, torch.full((313,), 1 / 313, dtype=torch.float64), rtol=0.8)
    given = gray_pair()
    for name in ("lut", "mean-colour"):
        shown = torch.from_numpy(reference.predictors()[name](given))[None]
        assert chroma(shown).abs().max() < 0.1
    assert learn_reference("nir", [given]).prior is None
    assert learn_reference("lineart", [given]).prior is not None


def test_the_oracle_is_the_best_of_those_that_keep_lightness() -> None:
    given = gray_pair()
    truth = np.moveaxis(given.truth, 0, -1)
    best = rmse_ab(np.moveaxis(oracle_chroma(given), 0, -1), truth)
    mean = rmse_ab(np.moveaxis(oracle_mean_chroma(given), 0, -1), truth)
    grey = rmse_ab(np.repeat(np.moveaxis(given.source.pixels, 0, -1), 3, axis=2), truth)
    assert best < 1 < mean < grey
    assert set(CHROMA_ORACLES) < ORACLE_NAMES


def test_rare_colours_weigh_more() -> None:
    """Nine pixels of ten are grey, the tenth is red; grey everywhere is nearly perfect until colours count alike."""
    truth = np.full((3, 10, 10), 0.5, dtype=np.float32)
    truth[:, 0] = np.array([0.9, 0.1, 0.1], dtype=np.float32)[:, None]
    given = Pair("p", ArrayScene(luma(truth)), truth, None)
    reference = learn_reference("gray", [given])
    assert reference.prior is not None
    grey = np.repeat(np.moveaxis(given.source.pixels, 0, -1), 3, axis=2)
    wide = np.moveaxis(truth, 0, -1)
    plain, fair = auc(grey, wide), auc_balanced(grey, wide, prior=reference.prior)
    red = reference.prior[AB313.nearest(torch.from_numpy(true_chroma(given))[None])[0, 0, 0]]
    middle = reference.prior[AB313.nearest(torch.zeros(1, 2, 1, 1)).item()]
    lost = 10 / red / (10 / red + 90 / middle)
    assert (1 - fair) / (1 - plain) == pytest.approx(float(lost) / 0.1, rel=1e-3)
    assert fair < plain
    perfect = auc_balanced(wide, wide, prior=reference.prior)
    assert perfect == pytest.approx(1)


def test_every_bin_has_a_share() -> None:
    """A colour that no training pixel has would otherwise outweigh everything."""
    prior = learn_reference("gray", [gray_pair()]).prior
    assert prior is not None
    assert prior.min() > 0
    assert prior.sum() == pytest.approx(1)


def test_accuracy_by_hand() -> None:
    """Three pixels of one colour, one of another, one invalid: the first two guesses find three, then all."""
    truth = np.full((3, 1, 5), 0.5, dtype=np.float32)
    truth[:, 0, 3] = (0.9, 0.1, 0.1)
    valid = np.array([[True, True, True, True, False]])
    given = Pair("p", ArrayScene(luma(truth), valid), truth, valid)
    grey, red = (AB313.nearest(torch.from_numpy(true_chroma(given))[None])[0, 0, i].item() for i in (0, 3))
    ranked = np.array([grey, 7, red, 8, 9]).reshape(5, 1, 1)
    assert accuracy(ranked, given, AB313) == {"acc@1_ab313": 0.75, "acc@5_ab313": 1.0}
    apart = np.array([[5, 5, 5, 5, 5], [grey, grey, 6, 6, grey]])[:, None]  # [2 guesses, 1, 5 pixels]
    apart = np.concatenate([apart, np.full((3, 1, 5), 300)])
    assert accuracy(apart, given, AB313) == {"acc@1_ab313": 0.0, "acc@5_ab313": 0.5}
    nothing = Pair("p", given.source, truth, np.zeros((1, 5), dtype=bool))
    assert all(math.isnan(value) for value in accuracy(ranked, nothing, AB313).values())


@pytest.mark.parametrize("size", [(20, 28), (17, 41), (8, 8), (3, 50)])
def test_each_pixel_has_the_distribution_of_its_cell(size: tuple[int, int]) -> None:
    colorizer = stub_colorizer(favourite=9)
    found = rank_bins(colorizer, ArrayScene(np.zeros((1, *size), np.float32)), most=5)
    assert found.shape == (5, *size)
    assert found[:, 0, 0].tolist() == found[:, -1, -1].tolist() == [9, 0, 1, 2, 3]


def test_cells_lie_where_the_network_saw_them() -> None:
    """Left half one bin, right half another, at any size and with mirrored borders: the border stays in the middle."""
    colorizer = stub_colorizer(side_px=18)

    def halves(source: torch.Tensor, guidance: object = None) -> torch.Tensor:
        logits = source.new_zeros(1, 313, source.shape[2] // 4, source.shape[3] // 4)
        dark = torch.nn.functional.avg_pool2d(source, 4)[:, 0] < 0.5
        logits[:, 3][dark], logits[:, 5][~dark] = 1.0, 1.0
        return logits

    colorizer.system.predict_logits = halves  # type: ignore[method-assign]
    pixels = np.zeros((1, 90, 144), np.float32)
    pixels[..., 72:] = 1
    found = rank_bins(colorizer, ArrayScene(pixels), most=1)[0]
    assert (found[:, :62] == 3).all()
    assert (found[:, 82:] == 5).all()


@pytest.mark.parametrize("spec", [AB313, AB529, AB625])
def test_models_and_frequencies_are_ranked_in_the_same_bins(spec: BinSpec, tmp_path: Path) -> None:
    pictures = collection("train", "train", "val", "val")
    counts = learn_reference("gray", [gray_pair(0), gray_pair(1)], specs=[spec]).counts[spec.name]
    favourite = int(counts.argmax())
    colorizer = stub_colorizer(bins=spec, favourite=favourite)
    evaluation, part = evaluate({"stub": colorizer, "mute": stub_colorizer(bins=None)}, pictures, source="x")
    first, fifth = f"acc@1_{spec.name}", f"acc@5_{spec.name}"
    for picture in ("2", "3"):
        found = evaluation.scores["stub"][picture]
        assert found[first] == evaluation.scores["prior-mode"][picture][first] > 0
        assert evaluation.scores["prior-mode"][picture][fifth] >= found[first]
        assert first not in evaluation.scores["mute"][picture]
        assert first not in evaluation.scores["grey-copy"][picture]
    write_results(evaluation, tmp_path)
    stored = json.loads((tmp_path / "metrics.json").read_text())
    assert stored["models"]["mute"][first] == {"mean": None, "median": None, "ci95": [None, None], "n": 0, "scenes": 0}
    assert first in (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert len(part.sources) == 2


def test_tables_show_chroma_beside_the_grey_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = collection("train", "train", "val", "val")
    colorizer = stub_colorizer()
    evaluation, part = evaluate({"stub": colorizer}, pictures, source="x")
    assert list(evaluation.scores) == ["stub", *NAMES]
    assert set(evaluation.scores["stub"]["2"]) == {*DEFAULT, "auc_balanced", "acc@1_ab313", "acc@5_ab313"}
    assert evaluation.scores["grey-copy"]["2"]["colourfulness"] == pytest.approx(0, abs=1e-4)
    truth = colourfulness(np.moveaxis(photograph(2), 0, -1))
    assert evaluation.scores["truth"]["2"]["colourfulness"] == pytest.approx(truth)
    assert evaluation.scores["truth"]["2"]["auc_balanced"] == pytest.approx(1)
    prior = evaluation.data["prior"]
    assert prior["bins"] == "ab313"
    assert sum(prior["shares"]) == pytest.approx(1)
    assert evaluation.data["domain"] == "gray"
    print_comparison(evaluation)
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("balanced", "grey-copy", "prior-mode", "313 bins"))
    assert "Angle" not in printed
    write_report(evaluation, part, {"stub": colorizer}, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "AuC balanced &uarr;" in page
    assert "Colourfulness</button>" in page, "no direction"
    assert "<br>grey-copy" in page, "per scene as well"


def test_line_art_is_balanced_beside_its_own_baselines() -> None:
    """Lines are not lightness: the baselines are those of near infrared, the copy has its own name."""
    colorizer = stub_colorizer()
    colorizer.info = colorizer.info.model_copy(
        update={"run": colorizer.info.run.model_copy(update={"domain": "lineart"})}
    )
    evaluation, _ = evaluate({"stub": colorizer}, collection("train", "val", "val"), source="x")
    names = ["line-copy", "lut", "mean-colour", "oracle-grey", "oracle-mean", "shift1", "shift2"]
    assert list(evaluation.scores) == ["stub", *names]
    for name in ("stub", *names):
        assert 0 < evaluation.scores[name]["1"]["auc_balanced"] <= 1
    assert evaluation.scores["shift1"]["1"]["auc_balanced"] < 1
    assert "auc_balanced" in columns(evaluation).report
