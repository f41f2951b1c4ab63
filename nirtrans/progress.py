"""Progress of long work: a bar on a terminal, plain lines in a pipe, JSON lines on request; always on stderr."""

import json
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TextIO

Mode = Literal["auto", "json", "plain", "none"]
PLAIN_EVERY_S = 10.0


class Task:
    """One piece of work of `total` units; silent unless a subclass shows it."""

    def __init__(self, label: str, total: int, done: int = 0, unit: str = "it") -> None:
        self.label, self.total, self.done, self.unit = label, total, done, unit
        self._first, self._began = done, time.monotonic()

    def advance(self, count: int = 1, **fields: Any) -> None:
        """Count finished units; `fields` are shown beside them, numbers or words."""
        self.done += count
        self.show(fields)

    def note(self, **fields: Any) -> None:
        """Show fields without counting."""
        self.show(fields)

    def rate(self) -> float:
        """Units per second since this task began, resumed units not counted."""
        return (self.done - self._first) / max(self.spent_s(), 1e-9)

    def spent_s(self) -> float:
        """Seconds since this task began."""
        return time.monotonic() - self._began

    def left_s(self) -> float | None:
        """Seconds left at the present rate; None before the first unit."""
        return (self.total - self.done) / self.rate() if self.done > self._first else None

    def show(self, fields: dict[str, Any]) -> None:
        """Display the present state."""

    def close(self) -> None:
        """End the display."""


class JsonTask(Task):
    """One JSON object per line: event, done, total, rate, left_s and the fields."""

    def __init__(self, stream: TextIO, label: str, total: int, done: int, unit: str) -> None:
        super().__init__(label, total, done, unit)
        self._stream = stream
        self.show({})

    def show(self, fields: dict[str, Any]) -> None:
        left = self.left_s()
        line = {"event": self.label, "done": self.done, "total": self.total, "rate": round(self.rate(), 4)}
        line["left_s"] = None if left is None else round(left, 1)
        print(json.dumps(line | _rounded(fields)), file=self._stream, flush=True)


class PlainTask(Task):
    """A line at the first unit, then at most one per ten seconds, and one at the end."""

    def __init__(self, stream: TextIO, label: str, total: int, done: int, unit: str) -> None:
        super().__init__(label, total, done, unit)
        self._stream, self._last = stream, -PLAIN_EVERY_S
        self._fields: dict[str, Any] = {}

    def show(self, fields: dict[str, Any]) -> None:
        self._fields |= fields
        now = time.monotonic()
        if self.done < self.total and now - self._last < PLAIN_EVERY_S:
            return
        self._last = now
        words = [
            f"{self.label} {self.done}/{self.total}",
            f"{self.rate():.3g} {self.unit}/s",
            f"{clock(self.left_s())} left",
        ]
        words += [f"{name} {value}" for name, value in _rounded(self._fields).items()]
        print("  ".join(words), file=self._stream, flush=True)


class BarTask(Task):
    """A rich progress bar with throughput, time spent, time left and the latest fields."""

    def __init__(self, stream: TextIO, label: str, total: int, done: int, unit: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().__init__(label, total, done, unit)
        columns = (
            "{task.description}",
            BarColumn(bar_width=30),
            "{task.completed:.0f}/{task.total:.0f}",
            "{task.fields[status]}",
        )
        self._bar = Progress(
            *[TextColumn(c) if isinstance(c, str) else c for c in columns], console=Console(file=stream)
        )
        self._fields: dict[str, Any] = {}
        self._bar.start()
        self._id = self._bar.add_task(label, total=total, completed=done, status="")

    def show(self, fields: dict[str, Any]) -> None:
        self._fields |= fields
        words = [f"{self.rate():.3g} {self.unit}/s", f"{clock(self.left_s())} left"]
        words += [f"{name} {value}" for name, value in _rounded(self._fields).items()]
        self._bar.update(self._id, completed=self.done, status="  ".join(words))

    def close(self) -> None:
        self._bar.stop()


class Progress:
    """Make tasks that are shown as `mode` asks.

    Args:
        mode: auto (bar on a terminal, else plain), json, plain or none.
        stream: Where to write; stderr if None.
    """

    def __init__(self, mode: Mode = "auto", stream: TextIO | None = None) -> None:
        self.mode, self.stream = mode, stream or sys.stderr

    @contextmanager
    def task(self, label: str, total: int, *, done: int = 0, unit: str = "it") -> Iterator[Task]:
        """Open a task for the duration of a `with` block."""
        task = self._make(label, total, done, unit)
        try:
            yield task
        finally:
            task.close()

    def _make(self, label: str, total: int, done: int, unit: str) -> Task:
        if self.mode == "none":
            return Task(label, total, done, unit)
        if self.mode == "json":
            return JsonTask(self.stream, label, total, done, unit)
        shown = BarTask if self.mode == "auto" and self.stream.isatty() else PlainTask
        return shown(self.stream, label, total, done, unit)


SILENT = Progress("none")


def clock(seconds: float | None) -> str:
    """Write seconds as 1:02:03, or ? if unknown."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    start = f"{days} d " if days else ""
    return f"{start}{hours}:{minutes:02d}:{rest:02d}" if hours or days else f"{minutes}:{rest:02d}"


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    """Keep four digits; infinities and NaN become words, which JSON can hold."""
    shown = {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in fields.items()}
    return {name: str(v) if isinstance(v, float) and not math.isfinite(v) else v for name, v in shown.items()}
