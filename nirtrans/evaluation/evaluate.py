"""Judge weights and baselines on the same pictures, and keep the numbers."""

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.data.collection import Collection, Part
from nirtrans.evaluation.baselines import baselines, learn_palette
from nirtrans.evaluation.metrics import METRICS
from nirtrans.evaluation.pairs import Pair, choose_split, read_pairs
from nirtrans.evaluation.scoring import filled, score_pair
from nirtrans.inference.colorizer import Colorizer
from nirtrans.io.atomic import make_folder, write_text
from nirtrans.progress import SILENT, Progress

RESAMPLES = 1000
Predictor = Callable[[Pair], NDArray[np.float32]]
"""From a pair to colours [3, H, W] in [0, 1]."""
Scores = dict[str, dict[str, float]]
"""Picture -> metric -> value."""


@dataclass(frozen=True)
class Evaluation:
    """All numbers of one comparison.

    Attributes:
        weights: What is known of each weights file, by the name that it has here.
        data: Source, split and count of the pictures, and what the baselines learned from.
        scores: Model or baseline -> picture -> metric -> value.
        seed: Of the bootstrap.
    """

    weights: dict[str, dict[str, Any]]
    data: dict[str, Any]
    scores: dict[str, Scores]
    seed: int

    def summary(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return model -> metric -> mean, 95 % confidence interval, and number of pictures that have a value."""
        metrics = self.metrics()
        return {
            model: {
                name: _aggregate([found.get(name, math.nan) for found in scores.values()], self.seed)
                for name in metrics
            }
            for model, scores in self.scores.items()
        }

    def metrics(self) -> list[str]:
        """Return the names of the metrics that at least one picture was scored by, in the order of `METRICS`."""
        known = {name for scores in self.scores.values() for found in scores.values() for name in found}
        return [name for name in METRICS if name in known]


def evaluate(
    colorizers: Mapping[str, Colorizer],
    collection: Collection,
    *,
    source: str,
    split: Part | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> tuple[Evaluation, Collection]:
    """Score every model and baseline on every picture of a split.

    Args:
        colorizers: Weights by the name that they shall have in the result.
        collection: Pairs.
        source: Where they come from, for the record.
        split: train, val, test or all; test, else val, else all if None.
        seed: Of the bootstrap.
        progress: Shows the pictures done.

    Returns:
        The numbers, and the pictures that they belong to.

    Raises:
        DataError: If there is no pair to judge on, or a file is unreadable.
    """
    chosen, part = choose_split(collection, split)
    training = part if chosen in ("train", "all") else collection.part("train")
    predictors: dict[str, Predictor] = {name: _predictor(colorizer) for name, colorizer in colorizers.items()}
    predictors |= baselines(learn_palette(read_pairs(training)))
    scores: dict[str, Scores] = {name: {} for name in predictors}
    with progress.task("evaluate", len(part.sources), unit="picture") as task:
        for pair in read_pairs(part):
            for name, predict in predictors.items():
                scores[name][pair.id] = score_pair(name, predict(pair), pair)
            task.advance()
    data = {"source": source, "split": chosen, "count": len(part.sources)}
    data["baselines_learned_from"] = (
        f"{len(training.sources)} pictures of {'the same' if training is part else 'train'}"
    )
    scores = {name: filled(found) for name, found in scores.items()}
    return Evaluation({name: _describe(c) for name, c in colorizers.items()}, data, scores, seed), part


def _predictor(colorizer: Colorizer) -> Predictor:
    return lambda pair: colorizer.colorize_array(pair.source)


def _describe(colorizer: Colorizer) -> dict[str, Any]:
    info = colorizer.info
    known = {"sha256": colorizer.digest, "model": info.model, "version": info.version, "licence": info.licence}
    return {**known, "training_data": info.training_data}


def _aggregate(values: list[float], seed: int) -> dict[str, Any]:
    """Return mean, bootstrap interval of the mean, and count; pictures without a value are left out."""
    known = np.array([value for value in values if not math.isnan(value)])
    if not known.size:
        return {"mean": math.nan, "ci95": [math.nan, math.nan], "n": 0}
    drawn = np.random.default_rng(seed).integers(known.size, size=(RESAMPLES, known.size))
    low, high = np.sort(known[drawn].mean(axis=1))[[int(0.025 * RESAMPLES), int(0.975 * RESAMPLES) - 1]]
    return {"mean": float(known.mean()), "ci95": [float(low), float(high)], "n": int(known.size)}


def write_results(evaluation: Evaluation, folder: Path) -> None:
    """Write metrics.json and metrics.csv.

    Raises:
        InputError: If the folder cannot be written.
        IOFailure: If writing breaks off.
    """
    make_folder(folder)
    images = [
        {"id": picture, "model": model, **found}
        for model, scores in evaluation.scores.items()
        for picture, found in scores.items()
    ]
    content = {"weights": evaluation.weights, "data": evaluation.data, "models": evaluation.summary(), "images": images}
    write_text(folder / "metrics.json", json.dumps(_plain(content), indent=1, allow_nan=False) + "\n")
    table = io.StringIO()
    writer = csv.DictWriter(table, ["id", "model", *evaluation.metrics()], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_plain(images))
    write_text(folder / "metrics.csv", table.getvalue())


def _plain(value: Any) -> Any:
    """Replace infinities by words and undefined values by null, which JSON can hold."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
