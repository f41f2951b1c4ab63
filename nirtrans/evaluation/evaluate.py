"""Judge weights and baselines on the same pictures."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.color.bins import AB313, BinSpec
from nirtrans.data.collection import Collection, Part
from nirtrans.errors import InputError
from nirtrans.evaluation.baselines import Predictor
from nirtrans.evaluation.groups import find_places
from nirtrans.evaluation.judges import BinAccuracy, Judge, Ranking, balanced
from nirtrans.evaluation.metrics import TOP, find_variants
from nirtrans.evaluation.pairs import Pair, choose_split, read_pairs
from nirtrans.evaluation.reference import Reference, learn_reference
from nirtrans.evaluation.results import Evaluation, Scores
from nirtrans.evaluation.scoring import score_pair
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.distribution import rank_bins
from nirtrans.inference.photo import keeps_lightness
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.progress import SILENT, Progress

Keep = Callable[[str, Pair, NDArray[np.float32]], None]
"""What else happens to the colours that a model, by its name, gives a pair."""


def evaluate(
    colorizers: Mapping[str, Colorizer],
    collection: Collection,
    *,
    source: str,
    split: Part | None = None,
    seed: int = 0,
    metrics: Sequence[str] = (),
    keep: Keep | None = None,
    progress: Progress = SILENT,
) -> tuple[Evaluation, Collection]:
    """Score every model and baseline on every picture of a split.

    Args:
        colorizers: Weights by the name that they shall have in the result.
        collection: Pairs.
        source: Where they come from, for the record.
        split: train, val, test or all; test, else val, else all if None.
        seed: Of the bootstrap.
        metrics: Conventions of others to compute as well, of `VARIANTS`.
        keep: Called with the colours that each of the weights gives each pair.
        progress: Shows the pictures done.

    Returns:
        The numbers, and the pictures that they belong to.

    Raises:
        DataError: If there is no pair to judge on, or a file is unreadable.
        InputError: If weights are called like a baseline.
        UnknownNameError: If a metric does not exist.
    """
    also = find_variants(metrics)
    chosen, part = choose_split(collection, split)
    training = part if chosen in ("train", "all") else collection.part("train")
    models = {name: _Timed(colorizer, name, keep) for name, colorizer in colorizers.items()}
    rankings = _rankings(colorizers)
    reference = learn_reference(
        _domain(colorizers), read_pairs(training), specs=[spec for spec, _ in rankings.values()]
    )
    references = reference.predictors(truth=reference.domain == "gray")
    judges = _judges(reference, rankings)
    for name in models.keys() & references.keys():
        raise InputError(f"weights called {name} would be mistaken for the baseline of that name; rename the file")
    predictors: dict[str, Predictor] = {**models, **references}
    scores: dict[str, Scores] = {name: {} for name in predictors}
    with progress.task("evaluate", len(part.sources), unit="picture") as task:
        for pair in read_pairs(part):
            for name, predict in predictors.items():
                colours = predict(pair)
                found = score_pair(name, colours, pair, variants=also)
                for judge in judges:
                    found |= judge(name, colours, pair)
                scores[name][pair.id] = found
            task.advance()
    data = {"source": source, "split": chosen, "count": len(part.sources)}
    data["scenes"] = len({picture.scene for picture in part.sources})
    data["domain"] = reference.domain
    data["baselines_learned_from"] = (
        f"{len(training.sources)} pictures of {'the same' if training is part else 'train'}"
    )
    if reference.prior is not None:
        data["prior"] = {"bins": AB313.name, "shares": reference.prior.tolist()}
    weights = {name: _describe(model.colorizer) | model.speed() for name, model in models.items()}
    return Evaluation(weights, data, scores, find_places(part.sources), seed), part


def _domain(colorizers: Mapping[str, Colorizer]) -> str:
    return next(iter(colorizers.values())).info.run.domain


def _rankings(colorizers: Mapping[str, Colorizer]) -> dict[str, tuple[BinSpec, Ranking]]:
    """Return, of the weights that predict a distribution, its bins and how to ask for them."""
    found: dict[str, tuple[BinSpec, Ranking]] = {}
    for name, colorizer in colorizers.items():
        if isinstance(colorizer.system, ChromaSystem) and colorizer.system.bins is not None:
            if keeps_lightness(colorizer.system, colorizer.info):
                found[name] = colorizer.system.bins, partial(_rank, colorizer)
    return found


def _rank(colorizer: Colorizer, pair: Pair) -> NDArray[np.int64]:
    return rank_bins(colorizer, pair.source, most=max(TOP))


def _judges(reference: Reference, rankings: Mapping[str, tuple[BinSpec, Ranking]]) -> list[Judge]:
    if reference.prior is None:
        return []
    return [balanced(reference.prior), BinAccuracy(rankings, reference.counts)]


class _Timed:
    """A model that counts the seconds it takes per megapixel, and hands its colours on."""

    def __init__(self, colorizer: Colorizer, name: str, keep: Keep | None) -> None:
        self.colorizer, self.name, self.keep = colorizer, name, keep
        self.seconds_per_megapixel: list[float] = []

    def __call__(self, pair: Pair) -> NDArray[np.float32]:
        start = time.perf_counter()
        colours = self.colorizer.colorize_array(pair.source)
        self.seconds_per_megapixel.append((time.perf_counter() - start) / (colours[0].size / 1e6))
        if self.keep is not None:
            self.keep(self.name, pair, colours)
        return colours

    def speed(self) -> dict[str, Any]:
        """Return the median over pictures; the first, which warms up, counts only if it is the only one."""
        timed = self.seconds_per_megapixel[1:] or self.seconds_per_megapixel
        return {"seconds_per_megapixel": float(np.median(timed)), "device": str(self.colorizer.device)}


def _describe(colorizer: Colorizer) -> dict[str, Any]:
    info = colorizer.info
    known = {"sha256": colorizer.digest, "model": info.model, "version": info.version, "licence": info.licence}
    steps = {"steps": info.step, "steps_planned": info.run.train.steps}
    parameters = sum(parameter.numel() for parameter in colorizer.system.parameters())
    size = {"parameters": parameters, "file_bytes": colorizer.file_bytes}
    return {**known, "training_data": info.training_data, **steps, **size}
