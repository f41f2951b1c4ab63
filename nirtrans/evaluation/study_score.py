"""Score the answers of a human study: how often raters took made pictures for true ones.

The interval draws raters and pictures with replacement, each on their own, and counts an answer as often as its rater
times as often as its picture was drawn: answers of one rater, and answers about one picture, are not independent.
Source: Owen 2007, "The pigeonhole bootstrap".
"""

import json
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from nirtrans.config import Settings
from nirtrans.config_files import validate
from nirtrans.errors import ConfigError, DataError, InputError
from nirtrans.evaluation.statistics import HIGH, LOW, RESAMPLES
from nirtrans.evaluation.study_page import KEY
from nirtrans.evaluation.study_plan import FORMAT, Mode, StudyKey

LARGEST_BYTES = 16 * 2**20
CHOICES: dict[Mode, tuple[str, str]] = {"2afc": ("left", "right"), "naturalness": ("yes", "no")}
CHANCE = 0.5
"""Fool rate of a system that nobody can tell from the truth."""


class Answer(Settings):
    """What a rater said in one trial."""

    trial: str
    """Its number."""
    choice: Literal["left", "right", "yes", "no"]
    """left or right is the picture taken for true; yes or no whether one looked natural."""
    milliseconds: Annotated[float, Field(ge=0)]
    """From the end of the showing to the answer."""
    shown_ms: Annotated[float, Field(ge=0)]
    """How long it was shown."""


class Result(Settings):
    """The file that a rater hands back."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)]
    """Version of this file."""
    page: str
    """Number of the page."""
    rater: Annotated[str, Field(min_length=1, max_length=200)]
    """What the rater calls himself or herself."""
    started: str
    """Time, for the record."""
    finished: str
    """Time, for the record."""
    answers: tuple[Answer, ...]
    """In the order of showing."""


@dataclass(frozen=True)
class Judged:
    """One answer that counts: who gave it about which picture of which system, and whether it was fooled."""

    rater: str
    picture: str
    system: str
    fooled: bool


def read_key(path: Path) -> StudyKey:
    """Read the truth of a study: key.json, or the folder that holds it.

    Raises:
        DataError: If it cannot be read or is no key.
    """
    return _read(
        path / KEY if path.is_dir() else path, StudyKey, f"expected the {KEY} that `nirtrans study make` wrote"
    )


def find_key(result: Path) -> Path:
    """Return the key in the folder of an answer or in the one above.

    Raises:
        InputError: If there is none.
    """
    for folder in result.resolve().parents[:2]:
        if (folder / KEY).is_file():
            return folder / KEY
    raise InputError(f"no {KEY} in the folder of {result} or the one above; give --key FILE")


def read_results(paths: Sequence[Path], key: StudyKey) -> list[Result]:
    """Read the answers of raters, each once.

    Of a rater who answered twice the first file counts; that is told.

    Raises:
        DataError: If a file is damaged, belongs to another page, or answers what was not asked.
    """
    found: dict[str, Result] = {}
    for path in paths:
        result = _read(path, Result, "expected the file that the page of a study saves")
        if result.page != key.page:
            raise DataError(f"{path}: answers page {result.page}, the key is of page {key.page}; score them apart")
        _check(path, result, key)
        name = " ".join(result.rater.split()).casefold()
        if name in found:
            logging.getLogger("nirtrans").warning(
                "%s: %s has answered already; only the first file counts", path, result.rater
            )
        else:
            found[name] = result
    return list(found.values())


def judge_answers(results: Iterable[Result], key: StudyKey) -> list[Judged]:
    """Compare answers with the truth; practice does not count."""
    judged = []
    for result in results:
        for answer in result.answers:
            trial = key.trials[answer.trial]
            if not trial.practice:
                fooled = answer.choice == ("yes" if key.mode == "naturalness" else trial.fake)
                judged.append(Judged(result.rater, trial.picture, trial.system, fooled))
    return judged


def score_study(results: Sequence[Result], key: StudyKey, *, seed: int = 0) -> dict[str, Any]:
    """Return the share of each system that was taken for true, or called natural, with its interval.

    Args:
        results: Of at least one rater.
        key: The truth.
        seed: Of the bootstrap.
    """
    judged = judge_answers(results, key)
    systems = {name: fool_rate([one for one in judged if one.system == name], seed=seed) for name in key.systems}
    known: dict[str, Any] = {"page": key.page, "mode": key.mode, "raters": [result.rater for result in results]}
    return known | {"chance": CHANCE if key.mode == "2afc" else None, "systems": systems}


def fool_rate(judged: Sequence[Judged], *, seed: int = 0) -> dict[str, Any]:
    """Return rate, ci95 as [low, high], answers, raters and pictures; NaN where nothing is known.

    With a single rater the interval is that over pictures, with a single picture that over raters.
    """
    raters, who = np.unique([one.rater for one in judged], return_inverse=True)
    pictures, which = np.unique([one.picture for one in judged], return_inverse=True)
    counts = {"answers": len(judged), "raters": len(raters), "pictures": len(pictures)}
    if not judged:
        return {"rate": math.nan, "ci95": [math.nan, math.nan], **counts}
    fooled = np.array([one.fooled for one in judged], dtype=np.float64)
    random = np.random.default_rng(seed)
    weights = _drawn(random, len(raters))[:, who] * _drawn(random, len(pictures))[:, which]  # [RESAMPLES, answers]
    weights = weights[weights.any(axis=1)]
    rates = np.sort(weights @ fooled / weights.sum(axis=1))
    unknown = len(raters) < 2 and len(pictures) < 2
    low, high = (int(share / RESAMPLES * len(rates)) for share in (LOW, HIGH))
    interval = [math.nan, math.nan] if unknown else [float(rates[low]), float(rates[high])]
    return {"rate": float(fooled.mean()), "ci95": interval, **counts}


def _drawn(random: np.random.Generator, count: int) -> Any:
    """Return how often each of `count` is drawn in `count` draws, [RESAMPLES, count]."""
    return random.multinomial(count, np.full(count, 1 / count), size=RESAMPLES).astype(np.float64)


def _check(path: Path, result: Result, key: StudyKey) -> None:
    seen = set()
    for number, answer in enumerate(result.answers, start=1):
        if answer.trial not in key.trials:
            raise DataError(f"{path}: answer {number} is about trial {answer.trial!r}, which the page does not have")
        if answer.trial in seen:
            raise DataError(f"{path}: answer {number} repeats trial {answer.trial}; the file has been changed")
        if answer.choice not in CHOICES[key.mode]:
            expected = " or ".join(CHOICES[key.mode])
            raise DataError(f"{path}: answer {number} is {answer.choice!r}, expected {expected}")
        seen.add(answer.trial)
    shown = [(trial.picture, trial.practice) for trial in map(key.trials.__getitem__, seen)]
    if len(set(shown)) < len(shown):
        raise DataError(
            f"{path}: answers two trials of one picture, which no rater is shown; the file has been changed"
        )
    if all(key.trials[name].practice for name in seen):
        raise DataError(f"{path}: holds no answer that counts; leave it out")


def _read(path: Path, kind: Any, expected: str) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        values = json.loads(content) if len(content) <= LARGEST_BYTES else None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {expected}") from None
    except (ValueError, RecursionError):
        raise DataError(f"{path}: no JSON; {expected}") from None
    if not isinstance(values, dict):
        raise DataError(f"{path}: {expected}")
    try:
        return validate(kind, values, origin=str(path))
    except ConfigError as error:
        raise DataError(f"{error}; {expected}") from None
