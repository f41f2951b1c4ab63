"""Tables of figures and goals, for what no race describes: JSON to keep, Markdown to read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nirtrans.io.atomic import make_folder, write_text


@dataclass(frozen=True)
class Table:
    """Figures of several ways to do one thing.

    Attributes:
        title: What was done.
        note: How to read it.
        columns: What the figures are, with units.
        rows: Way to figures, as many as columns; None where there is none.
    """

    title: str
    note: str
    columns: list[str]
    rows: dict[str, list[float | None]]


@dataclass(frozen=True)
class Goal:
    """A figure that should not exceed a limit.

    Attributes:
        name: What is compared with what.
        figure: What was measured.
        limit: What was aimed at.
    """

    name: str
    figure: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether the figure keeps the limit; NaN does not."""
        return self.figure <= self.limit


Findings = tuple[Table, list[Goal]]
"""A table, and the goals that it decides."""


def tables_markdown(tables: list[Table], goals: list[Goal]) -> list[str]:
    """Render the goals, then the tables."""
    lines = ["| goal | measured | at most | |", "|---|--:|--:|---|"] if goals else []
    for goal in goals:
        lines.append(
            f"| {goal.name} | {told(goal.figure)} | {told(goal.limit)} | {'met' if goal.met else '**missed**'} |"
        )
    for table in tables:
        lines += ["", f"**{table.title}**", "", *([table.note, ""] if table.note else [])]
        lines += [f"| | {' | '.join(table.columns)} |", "|---|" + "--:|" * len(table.columns)]
        lines += [f"| {name} | {' | '.join(map(told, figures))} |" for name, figures in table.rows.items()]
    return lines


def told(figure: float | None) -> str:
    """Write a figure with about three digits; nothing for None."""
    if figure is None:
        return ""
    return f"{figure:.0f}" if abs(figure) >= 100 else f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"


def keep_tables(
    folder: Path, name: str, found: tuple[list[Table], list[Goal]], about: Mapping[str, Any], text: str
) -> None:
    """Write NAME.json and NAME.md into the folder."""
    make_folder(folder)
    tables, goals = found
    kept = [asdict(goal) | {"met": goal.met} for goal in goals]
    record = {"environment": dict(about), "goals": kept, "tables": [asdict(table) for table in tables]}
    write_text(folder / f"{name}.json", json.dumps(record, indent=1) + "\n")
    write_text(folder / f"{name}.md", text)


def collect(found: Iterator[Findings], about: Mapping[str, Any], out: Path | None, name: str) -> str:
    """Render all tables; they are written after each, so that a run cut short leaves what it has.

    Args:
        found: Tables as they come.
        about: The environment, with `command`, `threads` and the names of peers that are `absent`.
        out: Folder for NAME.json and NAME.md; nothing is written if None.
        name: Of both files.
    """
    tables: list[Table] = []
    goals: list[Goal] = []
    text = ""
    for table, reached in found:
        tables.append(table)
        goals += reached
        text = "\n".join([*_head(about), *tables_markdown(tables, goals)]) + "\n"
        if out is not None:
            keep_tables(out, name, (tables, goals), about, text)
    return text


def _head(about: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    machine = f"{about['device']}, {about['processors']} processors, {about['threads']} threads"
    load = f"load average {about['load_average'][0]:.1f} at the start"
    missing = [f"Not installed, hence not measured: {', '.join(about['absent'])}.", ""] if about["absent"] else []
    return [f"`{about['command']}` on {machine}, {load}, commit {about['commit']}; {versions}.", "", *missing]


def recorded_tables(file: Path) -> tuple[list[Table], list[Goal]]:
    """Read back the tables and goals of a JSON file that `keep_tables` wrote."""
    record = json.loads(file.read_text())
    goals = [Goal(goal["name"], goal["figure"], goal["limit"]) for goal in record["goals"]]
    return [Table(**table) for table in record["tables"]], goals
