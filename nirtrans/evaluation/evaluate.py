"""Judge weights and baselines on the same pictures."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.color.bins import AB313, BinSpec
from nirtrans.data.collection import Collection, Part
from nirtrans.errors import InputError
from nirtrans.evaluation.baselines import COPIES, Predictor
from nirtrans.evaluation.classifier import Classifier, class_labels, recognition
from nirtrans.evaluation.groups import Place, find_places
from nirtrans.evaluation.hinting import HintsFor, check_hints, colours_of, guidance_of
from nirtrans.evaluation.judges import BinAccuracy, Judge, Ranking, balanced
from nirtrans.evaluation.metrics import TOP, find_variants
from nirtrans.evaluation.pairs import Pair, choose_split, read_pairs
from nirtrans.evaluation.reference import TRUTH, Reference, learn_reference
from nirtrans.evaluation.results import Evaluation, Scores
from nirtrans.evaluation.scoring import score_pair
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.distribution import rank_bins
from nirtrans.inference.photo import keeps_lightness
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.progress import SILENT, Progress

Keep = Callable[[str, Pair, NDArray[np.float32]], None]
"""What else happens to the colours that a model, by its name, gives a pair."""


@dataclass(frozen=True)
class Terms:
    """On what terms weights are judged.

    Attributes:
        seed: Of the bootstrap.
        metrics: Conventions of others to compute as well, of `VARIANTS`.
        hints_for: What weights that understand hints are told of each picture.
        classifier: What shall recognise the pictures.
        labels: Their classes by id; those that the pictures belong to if None.
        said: What else belongs into the record of the data.
    """

    seed: int = 0
    metrics: Sequence[str] = ()
    hints_for: HintsFor | None = None
    classifier: Classifier | None = None
    labels: Mapping[str, str] | None = None
    said: Mapping[str, Any] = field(default_factory=dict)


DEFAULT_TERMS = Terms()


def evaluate(
    colorizers: Mapping[str, Colorizer],
    collection: Collection,
    *,
    source: str,
    split: Part | None = None,
    terms: Terms = DEFAULT_TERMS,
    keep: Keep | None = None,
    progress: Progress = SILENT,
) -> tuple[Evaluation, Collection]:
    """Score every model and baseline on every picture of a split.

    Args:
        colorizers: Weights by the name that they shall have in the result.
        collection: Pairs.
        source: Where they come from, for the record.
        split: train, val, test or all; test, else val, else all if None.
        terms: What else is asked for.
        keep: Called with the colours that each of the weights gives each pair.
        progress: Shows the pictures done.

    Returns:
        The numbers, and the pictures that they belong to.

    Raises:
        DataError: If there is no pair to judge on, or a file is unreadable.
        InputError: If weights are called like a baseline, or need hints that there are not.
        UnknownNameError: If a metric does not exist.
    """
    also = find_variants(terms.metrics)
    check_hints(colorizers, given=terms.hints_for is not None)
    chosen, part = choose_split(collection, split)
    training = part if chosen in ("train", "all") else collection.part("train")
    places = find_places(part.sources)
    models = {name: _Timed(colorizer, name, terms.hints_for, keep) for name, colorizer in colorizers.items()}
    rankings = _rankings(colorizers, terms.hints_for)
    reference = learn_reference(
        _domain(colorizers), read_pairs(training), specs=[spec for spec, _ in rankings.values()]
    )
    references = reference.predictors(truth=reference.domain == "gray" or terms.classifier is not None)
    for name in models.keys() & references.keys():
        raise InputError(f"weights called {name} would be mistaken for the baseline of that name; rename the file")
    judges = [*_judges(reference, rankings), *_recognition(reference, terms, places, list(models))]
    scores = _score(part, {**models, **references}, judges, also, progress)
    learned = f"{len(training.sources)} pictures of {'the same' if training is part else 'train'}"
    data = {
        **{"source": source, "split": chosen, "count": len(part.sources)},
        **{"scenes": len({picture.scene for picture in part.sources}), "baselines_learned_from": learned},
    }
    weights = {name: _describe(model.colorizer) | model.speed() for name, model in models.items()}
    return Evaluation(weights, data | _context(reference, terms), scores, places, terms.seed), part


def _score(
    part: Collection,
    predictors: Mapping[str, Predictor],
    judges: Sequence[Judge],
    variants: Sequence[str],
    progress: Progress,
) -> dict[str, Scores]:
    scores: dict[str, Scores] = {name: {} for name in predictors}
    with progress.task("evaluate", len(part.sources), unit="picture") as task:
        for pair in read_pairs(part):
            for name, predict in predictors.items():
                colours = predict(pair)
                scores[name][pair.id] = score_pair(name, colours, pair, variants=variants)
                for judge in judges:
                    scores[name][pair.id] |= judge(name, colours, pair)
            task.advance()
    return scores


def _context(reference: Reference, terms: Terms) -> dict[str, Any]:
    """Return what else decided the numbers."""
    known: dict[str, Any] = {"domain": reference.domain, **terms.said}
    if reference.prior is not None:
        known["prior"] = {"bins": AB313.name, "shares": reference.prior.tolist()}
    if terms.classifier is not None:
        known["classifier"] = terms.classifier.describe()
    return known


def _domain(colorizers: Mapping[str, Colorizer]) -> str:
    return next(iter(colorizers.values())).info.run.domain


def _rankings(colorizers: Mapping[str, Colorizer], hints_for: HintsFor | None) -> dict[str, tuple[BinSpec, Ranking]]:
    """Return, of the weights that predict a distribution, its bins and how to ask for them."""
    found: dict[str, tuple[BinSpec, Ranking]] = {}
    for name, colorizer in colorizers.items():
        system = colorizer.system
        if isinstance(system, ChromaSystem) and system.bins is not None and keeps_lightness(system, colorizer.info):
            found[name] = system.bins, partial(_rank, colorizer, hints_for)
    return found


def _rank(colorizer: Colorizer, hints_for: HintsFor | None, pair: Pair) -> NDArray[np.int64]:
    told = guidance_of(colorizer, pair, hints_for)
    return rank_bins(colorizer, pair.source, most=max(TOP), guidance_for=told)


def _judges(reference: Reference, rankings: Mapping[str, tuple[BinSpec, Ranking]]) -> list[Judge]:
    if reference.prior is None:
        return []
    return [balanced(reference.prior), BinAccuracy(rankings, reference.counts)]


def _recognition(reference: Reference, terms: Terms, places: Mapping[str, Place], models: Sequence[str]) -> list[Judge]:
    """Return who asks the classifier about gray, colorized and true pictures."""
    if terms.classifier is None:
        return []
    labels = terms.labels or class_labels({id_: place.group for id_, place in places.items()})
    return [recognition(terms.classifier, labels, [*models, COPIES[reference.domain], TRUTH])]


class _Timed:
    """A model that counts the seconds it takes per megapixel, and hands its colours on."""

    def __init__(self, colorizer: Colorizer, name: str, hints_for: HintsFor | None, keep: Keep | None) -> None:
        self.colorizer, self.name, self.hints_for, self.keep = colorizer, name, hints_for, keep
        self.seconds_per_megapixel: list[float] = []

    def __call__(self, pair: Pair) -> NDArray[np.float32]:
        start = time.perf_counter()
        colours = colours_of(self.colorizer, pair, self.hints_for)
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
