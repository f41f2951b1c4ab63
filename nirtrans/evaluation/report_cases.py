"""Pictures to look at: the same cases by all models, where the first of them is worst, median and best."""

import math
from collections.abc import Mapping
from functools import partial
from html import escape

import numpy as np
from numpy.typing import NDArray

from nirtrans.data.collection import Collection
from nirtrans.evaluation.baselines import Colours, Predictor
from nirtrans.evaluation.columns import columns
from nirtrans.evaluation.hinting import HintsFor, colours_of
from nirtrans.evaluation.metrics import METRICS
from nirtrans.evaluation.pairs import Pair, read_pairs
from nirtrans.evaluation.panels import ANGLE_TOP_DEG, LUMA_TOP, angle_error, data_uri, luma_error
from nirtrans.evaluation.results import Evaluation
from nirtrans.evaluation.wording import number
from nirtrans.inference.colorizer import Colorizer

MOST_PICTURES = 120
"""Pictures in the whole page, of at most 320 px: a few megabytes."""
MOST_CASES = 3
"""Cases of each kind."""
MOST_MODELS = 12
FEWEST_COLUMNS, MOST_COLUMNS = 4, 6


def show_cases(
    evaluation: Evaluation,
    part: Collection,
    colorizers: Mapping[str, Colorizer],
    hints_for: HintsFor | None = None,
) -> list[str]:
    """Return one section per kind of case.

    Args:
        evaluation: Decides by PSNR of the first model which pictures are shown.
        part: The pictures that were judged, in their order.
        colorizers: The models; the first twelve are shown.
        hints_for: What they were told.
    """
    shown: dict[str, Predictor] = {
        name: partial(colours_of, colorizer, hints_for=hints_for)
        for name, colorizer in list(colorizers.items())[:MOST_MODELS]
    }
    sections = []
    psnr = [found["psnr"] for found in evaluation.scores[evaluation.first].values()]
    for title, indices in choose_cases(psnr, most=_cases_per_kind(len(shown))).items():
        if indices:
            sections.append(f"<h2>{title} pictures by PSNR of {escape(evaluation.first)}</h2>")
            sections += [_case(pair, evaluation, shown) for pair in read_pairs(part, indices=indices)]
    return sections


def choose_cases(psnr: list[float], *, most: int) -> dict[str, list[int]]:
    """Return the indices of the worst, median and best pictures, none twice; undefined ones are never shown.

    Example:
        >>> choose_cases([20.0, 10.0, 30.0], most=1)
        {'Worst': [1], 'Median': [0], 'Best': [2]}
    """
    order = sorted((index for index, value in enumerate(psnr) if not math.isnan(value)), key=psnr.__getitem__)
    each = min(most, max(1, len(order) // 3))
    worst, rest = order[:each], order[each:]
    best, middle = rest[-each:], rest[:-each]
    start = max(0, (len(middle) - each) // 2)
    return {"Worst": worst, "Median": middle[start : start + each], "Best": best[::-1]}


def _cases_per_kind(models: int) -> int:
    return min(MOST_CASES, max(1, MOST_PICTURES // (3 * (2 + 3 * models))))


def _case(pair: Pair, evaluation: Evaluation, predictors: Mapping[str, Predictor]) -> str:
    """Return source and truth beside a column of colours and error maps per model."""
    place = evaluation.places[pair.id]
    said = ", ".join(word for word in (place.group, None if place.scene == pair.id else place.scene) if word)
    inputs = _figure("source", pair.source.pixels[:1], pair.source.valid) + _figure("truth", pair.truth, pair.valid)
    columns = [f"<div>{inputs}{_legend()}</div>"]
    columns += [_column(name, predict(pair), pair, evaluation) for name, predict in predictors.items()]
    header = f"<header><b>{escape(pair.id)}</b><span class=soft>{escape(said)}</span></header>"
    width = min(max(len(columns), FEWEST_COLUMNS), MOST_COLUMNS)
    panels = f"<div class=panels style='--columns: {width}'>{''.join(columns)}</div>"
    return f"<section class=case>{header}{panels}</section>"


def _column(name: str, colours: Colours, pair: Pair, evaluation: Evaluation) -> str:
    found = evaluation.scores[name][pair.id]
    words = ", ".join(f"{METRICS[m].title} {number(found[m], METRICS[m].digits)}" for m in columns(evaluation).parts)
    figures = [
        _figure(name, colours, pair.valid, words),
        _figure("error of luminance", luma_error(colours, pair.truth), pair.valid),
        _figure("error of angle", angle_error(colours, pair.truth), pair.valid),
    ]
    return f"<div>{''.join(figures)}</div>"


def _figure(caption: str, picture: NDArray[np.float32], valid: NDArray[np.bool_] | None, words: str = "") -> str:
    image = f"<img src='{data_uri(picture, valid)}' alt='{escape(caption)}' loading=lazy>"
    small = f"<small>{words}</small>" if words else ""
    return f"<figure>{image}<figcaption>{escape(caption)}{small}</figcaption></figure>"


def _legend() -> str:
    """Return the ramps of both error maps."""
    luma, angle = f"{LUMA_TOP:g} of full scale", f"{ANGLE_TOP_DEG:g} deg"
    return "".join(
        f"<p class='legend soft'>{title}<br>0 <span class=ramp></span> {top} and more</p>"
        for title, top in (("error of luminance", luma), ("error of angle", angle))
    )
