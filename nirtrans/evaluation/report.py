"""report.html: one page that needs nothing else, with the table, the spread over pictures, and pictures to look at."""

import html
import math
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from nirtrans import __version__
from nirtrans.data.collection import Collection
from nirtrans.evaluation.baselines import ORACLES
from nirtrans.evaluation.metrics import METRICS, Metric
from nirtrans.evaluation.pairs import Pair, read_pairs
from nirtrans.evaluation.panels import ERROR_TOP, data_uri, error_map, ramp_css
from nirtrans.evaluation.results import Evaluation
from nirtrans.inference.colorizer import Colorizer
from nirtrans.io.atomic import write_text

PAGE = Path(__file__).with_suffix(".html")
COLUMNS = {name: metric for name, metric in METRICS.items() if metric.headline}
CASES = 4
"""Pictures shown of the best and of the worst."""
MAX_COLUMNS = 6
STRIP_WIDTH, STRIP_LEFT, STRIP_ROW = 1060, 150, 26


def write_report(evaluation: Evaluation, part: Collection, colorizers: Mapping[str, Colorizer], folder: Path) -> None:
    """Write report.html beside the numbers.

    Args:
        evaluation: The numbers.
        part: The pictures that they belong to, in their order.
        colorizers: The models; the first one's best and worst pictures are shown.
        folder: Where to write.

    Raises:
        InputError: If the folder cannot be written.
        IOFailure: If writing breaks off.
    """
    summary = evaluation.summary
    sections = [_heading(evaluation), _table(summary, evaluation), _strip(evaluation)]
    sections += _cases(evaluation, part, colorizers)
    page = Template(PAGE.read_text(encoding="utf-8"))
    write_text(folder / "report.html", page.substitute(ramp=ramp_css(), body="\n".join(sections)))


def _heading(evaluation: Evaluation) -> str:
    data = evaluation.data
    lines = [f"<h1>Evaluation of {_text(', '.join(evaluation.weights))}</h1>"]
    lines.append(f"<p class=soft>{data['count']} pictures of {_text(data['source'])}, split {_text(data['split'])}. ")
    lines.append(f"nirtrans {__version__}.</p>")
    for name, known in evaluation.weights.items():
        lines.append(
            f"<p class=soft>{_text(name)}: {_text(known['model'])}, trained on {_text(known['training_data'])}, "
            f"sha256 {known['sha256'][:12]}</p>"
        )
    return "".join(lines)


def _table(summary: Mapping[str, Mapping[str, Any]], evaluation: Evaluation) -> str:
    """Return the table of means with their intervals; the best that is no oracle is marked."""
    head = "".join(
        f"<th>{metric.title}{_arrow(metric)}<br>{metric.unit or '&nbsp;'}</th>" for metric in COLUMNS.values()
    )
    best = {name: _best(summary, name) for name in COLUMNS}
    rows = []
    for model, found in summary.items():
        kind = "model" if model in evaluation.weights else "oracle" if model in ORACLES else ""
        cells = "".join(_cell(found[name], metric.digits, best[name] == model) for name, metric in COLUMNS.items())
        rows.append(f"<tr class='{kind}'><td>{_text(model)}</td>{cells}</tr>")
    return (
        "<h2>Means over pictures</h2><p class=soft>Small: 95 % interval by bootstrap. Oracles look at the truth; a "
        "colourless picture with the right luminance scores high in PSNR and SSIM and fails in angle. "
        f"The lookup table and the mean colour learned from {_text(evaluation.data['baselines_learned_from'])}.</p>"
        f"<div class=scroll><table><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(found: Mapping[str, Any], digits: int, best: bool) -> str:
    low, high = (_number(value, digits) for value in found["ci95"])
    mark = " class=best" if best else ""
    return f"<td{mark}>{_number(found['mean'], digits)}<small>{low} to {high}</small></td>"


def _best(summary: Mapping[str, Mapping[str, Any]], metric: str) -> str:
    sign = COLUMNS[metric].sign
    known = {model: sign * found[metric]["mean"] for model, found in summary.items() if model not in ORACLES}
    return max(known, key=lambda model: -math.inf if math.isnan(known[model]) else known[model])


def _strip(evaluation: Evaluation) -> str:
    """Draw one dot per picture and model along a PSNR axis, and the mean as a line."""
    values = {
        model: [found["psnr"] for found in scores.values() if math.isfinite(found["psnr"])]
        for model, scores in evaluation.scores.items()
    }
    everything = [value for row in values.values() for value in row]
    if not everything:
        return ""
    low, high = math.floor(min(everything)), math.ceil(max(everything) + 0.1)
    scale = (STRIP_WIDTH - STRIP_LEFT - 20) / (high - low)
    height = STRIP_ROW * len(values) + 30
    parts = [_axis(low, high, scale, height)]
    for row, (model, found) in enumerate(values.items()):
        y = STRIP_ROW * row + 16
        dots = "".join(f"<circle class=dot cx={_x(v, low, scale)} cy={y} r=4.5 />" for v in found)
        mean = _x(float(np.mean(found)), low, scale) if found else "-9"
        kind = "model" if model in evaluation.weights else ""
        parts.append(f"<g class='{kind}'><text x=0 y={y + 4}>{_text(model)}</text>{dots}")
        parts.append(f"<line class=mean x1={mean} x2={mean} y1={y - 9} y2={y + 9} /></g>")
    return (
        "<h2>Spread over pictures</h2><p class=soft>PSNR in dB, one dot per picture; the line is the mean.</p>"
        f"<svg class=strip viewBox='0 0 {STRIP_WIDTH} {height}' role=img aria-label='PSNR of each picture'>"
        f"{''.join(parts)}</svg>"
    )


def _axis(low: int, high: int, scale: float, height: int) -> str:
    step = max(1, round((high - low) / 8))
    ticks = [(value, _x(value, low, scale)) for value in range(low, high + 1, step)]
    return "".join(
        f"<line x1={x} x2={x} y1=0 y2={height - 20} /><text x={x} y={height - 4} text-anchor=middle>{value}</text>"
        for value, x in ticks
    )


def _x(value: float, low: float, scale: float) -> str:
    return f"{STRIP_LEFT + (value - low) * scale:.1f}"


def _cases(evaluation: Evaluation, part: Collection, colorizers: Mapping[str, Colorizer]) -> list[str]:
    """Show the pictures on which the first model is best and worst, without showing one twice."""
    first = next(iter(colorizers))
    psnr = [found["psnr"] for found in evaluation.scores[first].values()]
    order = sorted(range(len(psnr)), key=lambda index: -psnr[index] if not math.isnan(psnr[index]) else math.inf)
    best = order[: min(CASES, (len(order) + 1) // 2)]
    worst = order[len(best) :][-CASES:][::-1]
    legend = f"Error map: mean over channels, 0 <span class=legend></span> {ERROR_TOP:g} and more of full scale."
    sections = []
    for title, indices in (("Best", best), ("Worst", worst)):
        if indices:
            sections.append(f"<h2>{title} pictures by PSNR of {_text(first)}</h2><p class=soft>{legend}</p>")
            sections += [_case(pair, evaluation, colorizers) for pair in read_pairs(part, indices=indices)]
    return sections


def _case(pair: Pair, evaluation: Evaluation, colorizers: Mapping[str, Colorizer]) -> str:
    panels = [
        ("source", data_uri(pair.source.pixels[:1], pair.source.valid)),
        ("truth", data_uri(pair.truth, pair.valid)),
    ]
    words = []
    for name, colorizer in colorizers.items():
        colours = colorizer.colorize_array(pair.source)
        panels.append((name, data_uri(colours, pair.valid)))
        panels.append((f"error of {name}", data_uri(error_map(colours, pair.truth), pair.valid)))
        found = evaluation.scores[name][pair.id]
        words.append(f"{name}: " + ", ".join(_worded(metric, found[metric]) for metric in ("psnr", "ssim", "ae")))
    figures = "".join(
        f"<figure><img src='{uri}' alt='{_text(name)}' loading=lazy><figcaption>{_text(name)}</figcaption></figure>"
        for name, uri in panels
    )
    scores = "".join(f"<span class=soft>{_text(line)}</span>" for line in words)
    header = f"<header><b>{_text(pair.id)}</b>{scores}</header>"
    columns = min(len(panels), MAX_COLUMNS)
    return f"<section class=case>{header}<div class=panels style='--columns: {columns}'>{figures}</div></section>"


def _worded(name: str, value: float) -> str:
    metric = COLUMNS[name]
    return f"{metric.title} {_number(value, metric.digits)} {metric.unit}".strip()


def _number(value: float, digits: int) -> str:
    if math.isnan(value):
        return "-"
    return "&infin;" if math.isinf(value) else f"{value:.{digits}f}"


def _arrow(metric: Metric) -> str:
    return " &uarr;" if metric.better == "higher" else " &darr;"


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)
