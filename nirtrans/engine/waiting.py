"""How long a training waits for its data, and a warning when that is much of its time."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger("nirtrans")

WINDOW = 50
"""Steps over which the share of waiting is judged; the first window, in which reading processes start, is not."""
MUCH = 0.1
"""Share of the time of the steps above which waiting is told, once."""


class Waiting:
    """Clock of the steps and of what they wait for data.

    Args:
        workers: Reading processes of the run, for the remedy.
        clock: Seconds that only grow.
    """

    def __init__(self, workers: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.workers, self.clock = workers, clock
        self._logged = _Span()
        self._judged = _Span()
        self._windows = 0
        self._told = False

    @contextmanager
    def step(self) -> Iterator[None]:
        """Measure one step, its waiting included."""
        began = self.clock()
        yield
        for span in (self._logged, self._judged):
            span.steps += 1
            span.total_s += self.clock() - began

    @contextmanager
    def data(self) -> Iterator[None]:
        """Measure one wait for data within a step."""
        began = self.clock()
        yield
        for span in (self._logged, self._judged):
            span.waited_s += self.clock() - began

    def take(self) -> dict[str, float]:
        """Return the mean wait per step since the last call, as a line of metrics.jsonl names it."""
        span, self._logged = self._logged, _Span()
        return {"data_wait_s": round(span.waited_s / span.steps, 6)} if span.steps else {}

    def judge(self, step: int) -> None:
        """Warn once if a whole window after the first waited much; `step` counts steps done."""
        span = self._judged
        if span.steps < WINDOW:
            return
        share = span.waited_s / span.total_s
        if share > MUCH and self._windows and not self._told:
            self._told = True
            remedy = f"raise data.workers above {self.workers}, or give --threads fewer processors"
            logger.warning("step %d: %.0f %% of the time went in waiting for data; %s", step, 100 * share, remedy)
        self._windows += 1
        self._judged = _Span()


class _Span:
    """Sums over some steps."""

    def __init__(self) -> None:
        self.steps, self.total_s, self.waited_s = 0, 0.0, 0.0
