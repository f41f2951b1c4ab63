"""What a run tells of itself: metrics.jsonl, one line per step that has something to say, and TensorBoard."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from nirtrans.io.atomic import write_failure, write_text

METRICS = "metrics.jsonl"
EVENTS = "tensorboard"


class RunningMeans:
    """Means of the losses since the last line; its content is part of the training state.

    Args:
        sums: Sum and count per name, as a state holds them.
    """

    def __init__(self, sums: Mapping[str, tuple[float, int]] | None = None) -> None:
        self.sums: dict[str, tuple[float, int]] = dict(sums or {})

    def add(self, values: Mapping[str, float]) -> None:
        """Add one value per name."""
        for name, value in values.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, count + 1

    def present(self) -> dict[str, float]:
        """Return the means so far."""
        return {name: total / count for name, (total, count) in self.sums.items()}

    def take(self) -> dict[str, float]:
        """Return the means and begin anew."""
        means, self.sums = self.present(), {}
        return means


class Log:
    """A clock that writes nothing: the log of all processes but the main one.

    Args:
        elapsed_s: Seconds of training before this start.
    """

    def __init__(self, *, elapsed_s: float = 0.0) -> None:
        self._began = time.monotonic() - elapsed_s

    def elapsed_s(self) -> float:
        """Seconds of training, earlier starts included."""
        return time.monotonic() - self._began

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write one line and one point per value; `step` counts steps done."""

    def flush(self) -> None:
        """Hand everything to the operating system."""

    def close(self) -> None:
        """Close all files."""


class RunLog(Log):
    """Append to metrics.jsonl and to TensorBoard.

    Args:
        out: Folder of the run.
        step: Steps already done; later lines are cut off, so that no step appears twice.
        elapsed_s: Seconds of training before this start.

    Raises:
        InputError: If the folder is not writable.
        IOFailure: If the disk is full.
    """

    def __init__(self, out: Path, *, step: int, elapsed_s: float = 0.0) -> None:
        super().__init__(elapsed_s=elapsed_s)
        self._path = out / METRICS
        cut_back(self._path, step)
        try:
            self._file = self._path.open("a", encoding="utf-8")
            self._events = SummaryWriter(str(out / EVENTS), purge_step=step + 1)
        except OSError as error:
            raise write_failure(self._path, error) from error

    def write(self, step: int, values: Mapping[str, float]) -> None:
        line: dict[str, Any] = {"step": step, "time_s": round(self.elapsed_s(), 3)}
        line |= {name: value if math.isfinite(value) else str(value) for name, value in values.items()}
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            for name, value in values.items():
                self._events.add_scalar(name, value, step)
        except OSError as error:
            raise write_failure(self._path, error) from error

    def flush(self) -> None:
        try:
            self._events.flush()
        except OSError as error:
            raise write_failure(self._path, error) from error

    def close(self) -> None:
        try:
            self._events.close()
            self._file.close()
        except OSError as error:
            raise write_failure(self._path, error) from error


def cut_back(path: Path, step: int) -> None:
    """Remove lines after `step` and a last line that was never finished."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if _step_of(line) <= step]
    if kept != lines:
        write_text(path, "".join(kept))


def _step_of(line: str) -> float:
    """Return the step of a line, infinity for one that broke off."""
    try:
        return float(json.loads(line)["step"]) if line.endswith("\n") else math.inf
    except (ValueError, KeyError, TypeError):
        return math.inf
