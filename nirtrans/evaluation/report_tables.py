"""The tables of the report: totals, differences, classes and scenes; a click on a heading sorts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from nirtrans.evaluation.columns import columns
from nirtrans.evaluation.metrics import METRICS
from nirtrans.evaluation.reference import ORACLE_NAMES
from nirtrans.evaluation.results import Evaluation, Table
from nirtrans.evaluation.wording import FACTS, best, facts, interval, number, signed

MOST_ROWS = 500
MOST_MODELS = 12


def totals(evaluation: Evaluation) -> str:
    """Return the means of all models and baselines, beside what the weights cost."""
    metrics = columns(evaluation).report
    winners = {metric: best(evaluation.summary, metric) for metric in metrics}
    rows = []
    for model, found in evaluation.summary.items():
        known = evaluation.weights.get(model)
        kind = "model" if known else "oracle" if model in ORACLE_NAMES else ""
        cells = [_mean(found, metric, bold=winners[metric] == model) for metric in metrics]
        rows.append(_row(escape(model), cells + _fact_cells(known), kind))
    return _table(["", *(_title(metric) for metric in metrics), *FACTS.values()], rows)


def guesses(evaluation: Evaluation) -> str:
    """Return the shares of right guesses of all that make any; "" where nobody does."""
    metrics = columns(evaluation).guesses
    rows = []
    for model, found in evaluation.summary.items():
        if any(found[metric]["n"] for metric in metrics):
            kind = "model" if model in evaluation.weights else "oracle" if model in ORACLE_NAMES else ""
            rows.append(_row(escape(model), [_mean(found, metric, bold=False) for metric in metrics], kind))
    return _table(["", *(_title(metric) for metric in metrics)], rows) if rows else ""


def gaps(evaluation: Evaluation) -> str:
    """Return the differences of other weights and of honest baselines to the first weights."""
    metrics = [name for name in columns(evaluation).report if METRICS[name].better]
    rows = []
    for model, found in evaluation.differences.items():
        if model not in ORACLE_NAMES:
            kind = "model" if model in evaluation.weights else ""
            rows.append(_row(escape(model), [_gap(found[metric], METRICS[metric].digits) for metric in metrics], kind))
    return _table(["", *(_title(metric) for metric in metrics)], rows)


def classes(evaluation: Evaluation) -> str:
    """Return one row per class; "" where there are no classes."""
    models, metrics = _shown(evaluation), columns(evaluation).parts
    rows = []
    for group, table in evaluation.groups.items():
        counts = table[evaluation.first]["psnr"]
        sizes = [_plain(counts["n"]), _plain(counts["scenes"])]
        rows.append(_row(escape(group), [*sizes, *_part_cells(table, models, metrics)]))
    return _table(["class", "pictures", "scenes", *_part_heads(models, metrics)], rows) if rows else ""


def scenes(evaluation: Evaluation) -> str:
    """Return one row per scene, the worst of the first model first; at most 500."""
    models, metrics = _shown(evaluation), columns(evaluation).parts
    means = {scene: evaluation.scene_means(scene) for scene in evaluation.scenes}
    order = sorted(means, key=lambda scene: _last_if_unknown(means[scene][evaluation.first]["psnr"]))
    rows = []
    for scene in order[:MOST_ROWS]:
        pictures = evaluation.scenes[scene]
        groups = {evaluation.places[picture].group for picture in pictures} - {None}
        cells = [f"<td>{escape(', '.join(sorted(map(str, groups))))}</td>", _plain(len(pictures))]
        table = {model: {m: {"mean": means[scene][model][m]} for m in metrics} for model in models}
        rows.append(_row(escape(scene), [*cells, *_part_cells(table, models, metrics)]))
    return _table(["scene", "class", "pictures", *_part_heads(models, metrics)], rows)


def _shown(evaluation: Evaluation) -> list[str]:
    beside = columns(evaluation).beside
    return [*list(evaluation.weights)[:MOST_MODELS], *([beside] if beside in evaluation.scores else [])]


def _part_heads(models: Sequence[str], metrics: Sequence[str]) -> list[str]:
    return [f"{_title(metric)}<br>{escape(model)}" for metric in metrics for model in models]


def _part_cells(table: Table, models: Iterable[str], metrics: Sequence[str]) -> list[str]:
    shown = {model: table[model] for model in models}
    winners = {metric: best(shown, metric) for metric in metrics}
    return [_mean(shown[model], metric, bold=winners[metric] == model) for metric in metrics for model in shown]


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th><button>{head or '&nbsp;'}</button></th>" for head in heads)
    body = "".join(rows)
    return f"<div class=scroll><table class=sort><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _row(name: str, cells: Iterable[str], kind: str = "") -> str:
    return f"<tr class='{kind}'><td>{name}</td>{''.join(cells)}</tr>"


def _mean(found: Mapping[str, Any], metric: str, *, bold: bool) -> str:
    mean, digits = found[metric]["mean"], METRICS[metric].digits
    small = f"<small>{interval(found[metric], digits)}</small>" if "ci95" in found[metric] else ""
    mark = " class=best" if bold else ""
    return f"<td{mark} data-v='{_key(mean)}'>{number(mean, digits)}{small}</td>"


def _gap(found: Mapping[str, Any], digits: int) -> str:
    value = f"{signed(found, digits)}<small>{interval(found, digits)}</small><small>{found['verdict']}</small>"
    return f"<td class={found['verdict']} data-v='{_key(found['mean'])}'>{value}</td>"


def _fact_cells(known: Mapping[str, Any] | None) -> list[str]:
    if known is None:
        return ["<td data-v=''></td>"] * len(FACTS)
    keys = ("parameters", "file_bytes", "steps", "seconds_per_megapixel")
    pairs = zip(keys, facts(known).values(), strict=True)
    return [f"<td data-v='{'' if known[key] is None else known[key]}'>{escape(words)}</td>" for key, words in pairs]


def _plain(count: int) -> str:
    return f"<td data-v='{count}'>{count}</td>"


def _key(value: float) -> str:
    """Write a number as the page's script reads it."""
    return "" if math.isnan(value) else str(value).replace("inf", "Infinity")


def _title(metric: str) -> str:
    known = METRICS[metric]
    arrow = {"higher": " &uarr;", "lower": " &darr;", None: ""}[known.better]
    return f"{escape(f'{known.title} {known.unit}'.strip())}{arrow}"


def _last_if_unknown(value: float) -> float:
    return math.inf if math.isnan(value) else value
