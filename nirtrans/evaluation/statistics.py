"""Means over pictures and how far they can be trusted: a bootstrap that draws scenes.

Scenes are independent of each other, pictures of one scene are not: they share light, camera and content. Drawing them
one by one would promise more certainty than there is, so all pictures of a scene are drawn together. Where every
picture is a scene of its own, this is the usual bootstrap over pictures. Source: Field and Welsh 2007 (clusters), Efron
and Tibshirani 1993, chapter 13 (percentiles).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
LOW, HIGH = int(0.025 * RESAMPLES), int(0.975 * RESAMPLES) - 1


def aggregate(values: Sequence[float], scenes: Sequence[str], *, seed: int) -> dict[str, Any]:
    """Return mean, median, 95 % interval of the mean, and how many pictures and scenes have a value.

    Args:
        values: One per picture; NaN where a metric is undefined, which leaves the picture out.
        scenes: The scene of each picture.
        seed: Of the bootstrap; equal seeds draw equal scenes.

    Returns:
        mean, median, ci95 as [low, high], n and scenes. The interval of fewer than two scenes is NaN: one scene says
        nothing about others.
    """
    array = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(array)
    found, names = array[known], np.asarray(scenes, dtype=str)[known]
    if not found.size:
        return {"mean": math.nan, "median": math.nan, "ci95": [math.nan, math.nan], "n": 0, "scenes": 0}
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean, which NaN says
        average, middle = float(found.mean()), float(np.median(found))
    index = np.unique(names, return_inverse=True)[1]
    interval = _interval(found, index, seed)
    return {"mean": average, "median": middle, "ci95": interval, "n": int(found.size), "scenes": int(index.max()) + 1}


def _interval(values: NDArray[np.float64], index: NDArray[np.intp], seed: int) -> list[float]:
    """Return the percentiles 2.5 and 97.5 of the mean over drawn scenes; `index` is the scene's number per value."""
    sums, sizes = np.bincount(index, weights=values), np.bincount(index)
    if len(sizes) < 2:
        return [math.nan, math.nan]
    drawn = _draws(len(sizes), seed)
    with np.errstate(invalid="ignore"):
        means = np.sort(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return [float(means[LOW]), float(means[HIGH])]


@lru_cache(maxsize=32)
def _draws(scenes: int, seed: int) -> NDArray[np.int64]:
    """Draw scenes with replacement, [RESAMPLES, scenes]."""
    return np.random.default_rng(seed).integers(scenes, size=(RESAMPLES, scenes))


def differences(values: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Subtract picture by picture; equal values differ by 0 even where both are infinite."""
    return [0.0 if a == b else a - b for a, b in zip(values, reference, strict=True)]


def verdict(difference: dict[str, Any], *, better: str | None) -> str | None:
    """Judge a difference.

    Args:
        difference: With its ci95.
        better: higher or lower; None for what has no direction.

    Returns:
        better, worse, or undecided where the interval holds 0 or does not exist; None without a direction.
    """
    low, high = difference["ci95"]
    if better is None:
        return None
    if low > 0 or high < 0:
        return "better" if (low > 0) == (better == "higher") else "worse"
    return "undecided"
