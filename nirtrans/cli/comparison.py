"""The tables that `nirtrans evaluate` prints."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from nirtrans.evaluation.columns import columns
from nirtrans.evaluation.metrics import METRICS
from nirtrans.evaluation.reference import ORACLE_NAMES
from nirtrans.evaluation.results import Evaluation
from nirtrans.evaluation.wording import FACTS, best, facts, interval, number, protocol, signed

WIDTH = 132
"""Of output that goes to no terminal."""
SIGNS = {"better": "green", "worse": "red", "undecided": "dim"}


def print_comparison(evaluation: Evaluation) -> None:
    """Print means with intervals, and the differences to the first weights where there are others."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(_means(evaluation))
    if len(evaluation.weights) > 1:
        console.print(_differences(evaluation))
    if columns(evaluation).guesses:
        console.print(_guesses(evaluation))


def _table(title: str, *heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="")
    table.add_column("", overflow="fold", min_width=13)
    for head in heads:
        table.add_column(head, justify="right", min_width=max(map(len, head.split())))
    return table


def _means(evaluation: Evaluation) -> Table:
    data = evaluation.data
    kind = protocol(data)
    title = f"means over {data['count']} pictures of {data['scenes']} scenes{kind}, with 95 % intervals; best in bold"
    metrics = columns(evaluation).terminal
    table = _table(title, *FACTS.values(), *(_title(metric) for metric in metrics))
    winners = {metric: best(evaluation.summary, metric) for metric in metrics}
    for model, found in evaluation.summary.items():
        known = evaluation.weights.get(model)
        words = facts(known).values() if known else [""] * len(FACTS)
        cells = [_cell(found[m], METRICS[m].digits, bold=winners[m] == model) for m in metrics]
        table.add_row(model, *words, *cells)
    return table


def _differences(evaluation: Evaluation) -> Table:
    title = f"difference to {evaluation.first}, picture by picture; decided where the 95 % interval leaves out 0"
    metrics = columns(evaluation).terminal
    table = _table(title, *(_title(metric) for metric in metrics))
    for model, found in evaluation.differences.items():
        if model not in ORACLE_NAMES:
            table.add_row(model, *(_difference(found[metric], METRICS[metric].digits) for metric in metrics))
    return table


def _guesses(evaluation: Evaluation) -> Table:
    metrics = columns(evaluation).guesses
    table = _table("guesses that are right, of 1, with 95 % intervals", *(_title(metric) for metric in metrics))
    for model, found in evaluation.summary.items():
        if any(found[metric]["n"] for metric in metrics):
            table.add_row(model, *(_cell(found[m], METRICS[m].digits, bold=False) for m in metrics))
    return table


def _title(metric: str) -> str:
    return f"{METRICS[metric].title} {METRICS[metric].unit}".strip()


def _cell(found: dict[str, Any], digits: int, *, bold: bool) -> str:
    mean = number(found["mean"], digits)
    return f"{f'[bold]{mean}[/bold]' if bold else mean}\n[dim]{interval(found, digits)}[/dim]"


def _difference(found: dict[str, Any], digits: int) -> str:
    if not found["n"]:
        return "-"
    style = SIGNS[found["verdict"]]
    return f"[{style}]{signed(found, digits)} {found['verdict']}[/{style}]\n[dim]{interval(found, digits)}[/dim]"
