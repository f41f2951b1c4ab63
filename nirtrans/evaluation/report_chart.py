"""The spread over pictures, drawn for the report."""

import math
from html import escape

import numpy as np

from nirtrans.evaluation.results import Evaluation

WIDTH, LEFT, ROW = 1060, 150, 26


def strip_chart(evaluation: Evaluation) -> str:
    """Draw one dot per picture and model along a PSNR axis, and the mean as a line."""
    values = {
        model: [found["psnr"] for found in scores.values() if math.isfinite(found["psnr"])]
        for model, scores in evaluation.scores.items()
    }
    everything = [value for row in values.values() for value in row]
    if not everything:
        return ""
    low, high = math.floor(min(everything)), math.ceil(max(everything) + 0.1)
    scale = (WIDTH - LEFT - 20) / (high - low)
    height = ROW * len(values) + 30
    parts = [_axis(low, high, scale, height)]
    for row, (model, found) in enumerate(values.items()):
        y = ROW * row + 16
        dots = "".join(f"<circle class=dot cx={_x(v, low, scale)} cy={y} r=4.5 />" for v in found)
        mean = _x(float(np.mean(found)), low, scale) if found else "-9"
        kind = "model" if model in evaluation.weights else ""
        parts.append(f"<g class='{kind}'><text x=0 y={y + 4}>{escape(model)}</text>{dots}")
        parts.append(f"<line class=mean x1={mean} x2={mean} y1={y - 9} y2={y + 9} /></g>")
    return (
        "<h2>Spread over pictures</h2><p class=soft>PSNR in dB, one dot per picture; the line is the mean.</p>"
        f"<div class=scroll><svg class=strip viewBox='0 0 {WIDTH} {height}' role=img aria-label='PSNR of each picture'>"
        f"{''.join(parts)}</svg></div>"
    )


def _axis(low: int, high: int, scale: float, height: int) -> str:
    step = max(1, round((high - low) / 8))
    ticks = [(value, _x(value, low, scale)) for value in range(low, high + 1, step)]
    return "".join(
        f"<line x1={x} x2={x} y1=0 y2={height - 20} /><text x={x} y={height - 4} text-anchor=middle>{value}</text>"
        for value, x in ticks
    )


def _x(value: float, low: float, scale: float) -> str:
    return f"{LEFT + (value - low) * scale:.1f}"
