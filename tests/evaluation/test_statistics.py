"""Intervals, differences and classes: what moves together is drawn together."""

import math

import numpy as np
import pytest

from nirtrans.config import Preprocessing
from nirtrans.data.collection import Collection, InMemory
from nirtrans.evaluation.groups import Place, find_places
from nirtrans.evaluation.metrics import METRICS
from nirtrans.evaluation.results import Evaluation
from nirtrans.evaluation.statistics import aggregate, differences, verdict


def names(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_equal_values_have_no_spread_and_seeds_repeat() -> None:
    same = aggregate([3.0] * 4, names(4), seed=0)
    assert same == {"mean": 3.0, "median": 3.0, "ci95": [3.0, 3.0], "n": 4, "scenes": 4}
    values = [float(number) for number in range(9)]
    assert aggregate(values, names(9), seed=5) == aggregate(values, names(9), seed=5)
    low, high = aggregate(values, names(9), seed=5)["ci95"]
    assert 1.5 < low < 4 < high < 6.5


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Of 200 samples of 40 scenes, about 95 % of the intervals hold the true mean 0."""
    random = np.random.default_rng(1)
    samples = (aggregate(random.standard_normal(40).tolist(), names(40), seed=n)["ci95"] for n in range(200))
    assert 0.90 <= np.mean([low <= 0 <= high for low, high in samples]) <= 0.98


def test_pictures_of_one_scene_are_no_new_evidence() -> None:
    values = np.random.default_rng(0).standard_normal(12)
    once = aggregate(values.tolist(), names(12), seed=0)
    tenfold = aggregate(values.repeat(10).tolist(), np.repeat(names(12), 10).tolist(), seed=0)
    alone = aggregate(values.repeat(10).tolist(), names(120), seed=0)
    assert tenfold["ci95"] == pytest.approx(once["ci95"])
    assert tenfold["n"] == 120
    assert tenfold["scenes"] == 12
    assert np.ptp(alone["ci95"]) < 0.5 * np.ptp(once["ci95"])


def test_large_scenes_weigh_as_many_pictures_as_they_have() -> None:
    found = aggregate([0.0, 0.0, 0.0, 4.0], ["a", "a", "a", "b"], seed=0)
    assert found["mean"] == 1.0
    assert found["median"] == 0.0
    assert found["ci95"] == [0.0, 4.0]


def test_one_scene_has_no_interval_and_undefined_pictures_leave() -> None:
    assert all(math.isnan(end) for end in aggregate([1.0, 2.0], ["a", "a"], seed=0)["ci95"])
    found = aggregate([1.0, math.nan, 2.0], names(3), seed=0)
    assert (found["mean"], found["n"]) == (1.5, 2)
    assert math.isnan(aggregate([math.nan], names(1), seed=0)["mean"])
    assert aggregate([math.inf, 1.0, 1.0], names(3), seed=0)["ci95"] == [1.0, math.inf]


def test_equal_infinities_do_not_differ() -> None:
    assert differences([math.inf, 3.0, math.inf], [math.inf, 1.0, 2.0]) == [0.0, 2.0, math.inf]
    assert math.isnan(differences([math.nan], [1.0])[0])


@pytest.mark.parametrize(
    ("ends", "better", "expected"),
    [((0.1, 0.9), "higher", "better"), ((0.1, 0.9), "lower", "worse"), ((-0.9, -0.1), "lower", "better"),
     ((-0.1, 0.9), "higher", "undecided"), ((math.nan, math.nan), "higher", "undecided"),
     ((0.0, 1.0), "higher", "undecided"), ((0.1, 0.9), None, None)],
)  # fmt: skip
def test_verdicts_follow_the_interval(ends: tuple[float, float], better: str | None, expected: str | None) -> None:
    assert verdict({"ci95": list(ends)}, better=better) == expected


def evaluation() -> Evaluation:
    """Three models over forests and towns of very unequal difficulty; `b` is 1 dB better throughout."""
    random = np.random.default_rng(0)
    places = {f"{kind}_{n}": Place(f"scene{n // 2}", kind) for kind in ("forest", "town") for n in range(8)}
    base = {name: 5.0 * random.standard_normal() + 20 for name in places}
    steps = {"a": 0.0, "b": 1.0, "c": 0.0}
    noise = {"a": 0.0, "b": 0.2, "c": 0.2}
    scores = {
        model: {p: dict.fromkeys(METRICS, v + step + noise[model] * random.standard_normal()) for p, v in base.items()}
        for model, step in steps.items()
    }
    return Evaluation({}, {}, scores, places, seed=0)


def test_a_paired_comparison_decides_what_two_intervals_do_not() -> None:
    found = evaluation()
    (_, high), (low, _) = (found.summary[model]["psnr"]["ci95"] for model in ("a", "b"))
    assert low < high, "the intervals overlap"
    assert found.first == "a"
    assert list(found.differences) == ["b", "c"]
    assert found.differences["b"]["psnr"]["verdict"] == "better"
    assert found.differences["b"]["psnr"]["mean"] == pytest.approx(1, abs=0.2)
    assert found.differences["b"]["ae"]["verdict"] == "worse", "of angles less is better"
    assert found.differences["c"]["psnr"]["verdict"] == "undecided"


def test_classes_and_scenes_have_numbers_of_their_own() -> None:
    found = evaluation()
    assert list(found.groups) == ["forest", "town"]
    forest = found.groups["forest"]["a"]["psnr"]
    assert (forest["n"], forest["scenes"]) == (8, 4)
    assert list(found.scenes) == ["scene0", "scene1", "scene2", "scene3"]
    assert found.scenes["scene0"] == ["forest_0", "forest_1", "town_0", "town_1"]
    expected = np.mean([found.scores["b"][picture]["ssim"] for picture in found.scenes["scene0"]])
    assert found.scene_means("scene0")["b"]["ssim"] == pytest.approx(expected)


def pictures(*ids: str, group: str | None = None) -> Collection:
    pixels = np.zeros((1, 4, 4), np.float32)
    sources = tuple(InMemory(name, name, pixels, group=group) for name in ids)
    return Collection(sources, sources, True, Preprocessing(), "test")


def test_classes_come_from_the_source_else_from_names() -> None:
    named = find_places(pictures("x/country_0000", "x/country_0001", "y/field_0000").sources)
    assert [place.group for place in named.values()] == ["country", "country", "field"]
    given = find_places(pictures("country_0", "country_1", "field_0", group="spring").sources)
    assert {place.group for place in given.values()} == {"spring"}
    for ids in (("a_1", "a_2"), ("a_1", "b_1"), ("1", "2", "3"), tuple(f"{n % 21}_{n}" for n in range(42))):
        assert {place.group for place in find_places(pictures(*ids).sources).values()} == {None}, ids
