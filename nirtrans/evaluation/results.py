"""The numbers of a comparison: totals, differences, classes and scenes, and the files that keep them."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nirtrans.evaluation.groups import Place
from nirtrans.evaluation.metrics import METRICS
from nirtrans.evaluation.statistics import aggregate, differences, verdict
from nirtrans.io.atomic import make_folder, write_text

Scores = dict[str, dict[str, float]]
"""Picture -> metric -> value."""
Table = dict[str, dict[str, dict[str, Any]]]
"""Model or baseline -> metric -> what `aggregate` returns."""


@dataclass(frozen=True)
class Evaluation:
    """All numbers of one comparison.

    Attributes:
        weights: What is known of each weights file, by the name that it has here.
        data: Source, split and count of the pictures, and what the baselines learned from.
        scores: Model or baseline -> picture -> metric -> value; the first model is what others are compared with.
        places: Picture -> scene and class.
        seed: Of the bootstrap.
    """

    weights: dict[str, dict[str, Any]]
    data: dict[str, Any]
    scores: dict[str, Scores]
    places: Mapping[str, Place]
    seed: int

    @cached_property
    def metrics(self) -> list[str]:
        """Names of the metrics that at least one picture was scored by, in the order of `METRICS`."""
        known = {name for scores in self.scores.values() for found in scores.values() for name in found}
        return [name for name in METRICS if name in known]

    @property
    def first(self) -> str:
        """The model that others are compared with."""
        return next(iter(self.scores))

    @cached_property
    def summary(self) -> Table:
        """Model -> metric -> mean, median, interval, pictures and scenes."""
        return self._table(self.places)

    @cached_property
    def differences(self) -> Table:
        """Other model -> metric -> the same of the difference to the first, picture by picture, and a verdict."""
        return {
            model: {metric: self._difference(model, metric) for metric in self.metrics}
            for model in self.scores
            if model != self.first
        }

    @cached_property
    def groups(self) -> dict[str, Table]:
        """Class -> model -> metric -> as in `summary`; empty where there are no classes to compare."""
        members = _gathered((place.group, picture) for picture, place in self.places.items() if place.group)
        return {group: self._table(members[group]) for group in sorted(members)} if len(members) > 1 else {}

    @cached_property
    def scenes(self) -> dict[str, list[str]]:
        """Scene -> its pictures, sorted by scene."""
        return dict(sorted(_gathered((place.scene, picture) for picture, place in self.places.items()).items()))

    def scene_means(self, scene: str) -> dict[str, dict[str, float]]:
        """Return model -> metric -> mean over the pictures of a scene."""
        return {
            model: {m: _mean(self._score(model, p, m) for p in self.scenes[scene]) for m in self.metrics}
            for model in self.scores
        }

    def _table(self, pictures: Iterable[str]) -> Table:
        chosen = list(pictures)
        scenes = [self.places[picture].scene for picture in chosen]
        return {
            model: {
                m: aggregate([self._score(model, p, m) for p in chosen], scenes, seed=self.seed) for m in self.metrics
            }
            for model in self.scores
        }

    def _score(self, model: str, picture: str, metric: str) -> float:
        return self.scores[model][picture].get(metric, math.nan)

    def _difference(self, model: str, metric: str) -> dict[str, Any]:
        values, reference = ([self._score(name, p, metric) for p in self.places] for name in (model, self.first))
        scenes = [place.scene for place in self.places.values()]
        found = aggregate(differences(values, reference), scenes, seed=self.seed)
        return found | {"verdict": verdict(found, better=METRICS[metric].better)}


def _gathered(pairs: Iterable[tuple[str | None, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, picture in pairs:
        found.setdefault(str(name), []).append(picture)
    return found


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def write_results(evaluation: Evaluation, folder: Path) -> None:
    """Write metrics.json and metrics.csv.

    Raises:
        InputError: If the folder cannot be written.
        IOFailure: If writing breaks off.
    """
    make_folder(folder)
    images = [
        {"id": picture, "scene": evaluation.places[picture].scene, "class": evaluation.places[picture].group}
        | {"model": model, **found}
        for model, scores in evaluation.scores.items()
        for picture, found in scores.items()
    ]
    content = {"weights": evaluation.weights, "data": evaluation.data, "models": evaluation.summary, "images": images}
    content |= {
        "differences": {"to": evaluation.first, "models": evaluation.differences},
        "groups": evaluation.groups,
        "scenes": {scene: evaluation.scene_means(scene) for scene in evaluation.scenes},
    }
    write_text(folder / "metrics.json", json.dumps(plain(content), indent=1, allow_nan=False) + "\n")
    table = io.StringIO()
    writer = csv.DictWriter(table, ["id", "scene", "class", "model", *evaluation.metrics], lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain(images))
    write_text(folder / "metrics.csv", table.getvalue())


def plain(value: Any) -> Any:
    """Replace infinities by words and undefined values by null, which JSON can hold."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
