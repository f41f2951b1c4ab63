"""How a comparison is put into words, the same in the terminal and in the report."""

import math
from collections.abc import Mapping
from typing import Any

from nirtrans.evaluation.metrics import METRICS
from nirtrans.evaluation.reference import ORACLE_NAMES
from nirtrans.evaluation.results import Table

FACTS = {"parameters": "parameters", "size": "file", "steps": "steps", "speed": "s / megapixel"}
"""What is told of weights beside metrics, and how tables head it."""


def number(value: float, digits: int) -> str:
    """Write a value; - if it is undefined."""
    if math.isnan(value):
        return "-"
    return str(value) if math.isinf(value) else f"{value:.{digits}f}"


def interval(found: Mapping[str, Any], digits: int) -> str:
    """Write the 95 % interval; nothing if there is none."""
    low, high = found["ci95"]
    return "" if math.isnan(low) else f"{number(low, digits)} to {number(high, digits)}"


def signed(found: Mapping[str, Any], digits: int) -> str:
    """Write a mean difference with its sign."""
    mean = found["mean"]
    return number(mean, digits) if math.isnan(mean) else f"{mean:+.{digits}f}"


def facts(known: Mapping[str, Any]) -> dict[str, str]:
    """Tell the parameters, file size, steps and speed of weights; see `FACTS`."""
    size, steps = known["file_bytes"], known["steps"]
    return {
        "parameters": _count(known["parameters"]),
        "size": "-" if size is None else f"{size / 1e6:.1f} MB",
        "steps": f"up to {known['steps_planned']}" if steps is None else str(steps),
        "speed": f"{known['seconds_per_megapixel']:.2f}",
    }


def best(table: Table, metric: str) -> str | None:
    """Return the model or baseline with the best mean; oracles, which look at the truth, do not compete.

    None where no value is known, or the metric has no direction.
    """
    if METRICS[metric].better is None:
        return None
    sign = METRICS[metric].sign
    means = {model: sign * found[metric]["mean"] for model, found in table.items() if model not in ORACLE_NAMES}
    known = {model: value for model, value in means.items() if not math.isnan(value)}
    return max(known, key=known.__getitem__, default=None)


def protocol(data: Mapping[str, Any]) -> str:
    """Say by which protocol pictures were judged; nothing if by none."""
    known = data.get("protocol")
    if known is None:
        return ""
    drawn = f", seed {known['seed']}" if known["name"].endswith("track2") else ""
    without = ", ".join(known["judged_without_hints"])
    return f", as {known['name']}{drawn}{f' ({without} without hints)' if without else ''}"


def _count(parameters: int) -> str:
    return f"{parameters / 1e6:.2f} M" if parameters >= 1e6 else f"{parameters / 1e3:.0f} k"
