"""Race contestants against each other: same process, same inputs, one round after the other.

Interleaving lets a noisy neighbour hit all alike; the minimum is the figure that ratios are taken from.
"""

import ctypes
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

WARM_UPS = 3
ROUNDS = 15
GPU_ROUNDS = 30
QUICK_ROUNDS = 3
SLOW_ROUNDS = 5
SLOW_S = 1.0
COMPILED = ", compiled"
"""After the name of a peer: the same under torch.compile."""
FLUSH_BYTES = 2 * 2**30

Run = Callable[[], Any]
Clock = Callable[[Run], float]


def _as_it_is(result: Any) -> Any:
    return result


@dataclass(frozen=True)
class Contestant:
    """One way to compute the same thing; `run` returns its result so that nothing can be optimised away."""

    name: str
    run: Run
    compare: Callable[[Any], Any] | None = _as_it_is
    """Brings the result into the form of ours, outside the measurement; None where it is something else."""


@dataclass(frozen=True)
class Timing:
    """What a race found out about one contestant."""

    name: str
    median_ms: float
    min_ms: float
    rounds: int
    peak_mb: float
    """Largest memory in use above what was there before, result included."""


def race(contestants: list[Contestant], clock: Clock, *, rounds: int = ROUNDS, on_cuda: bool = False) -> list[Timing]:
    """Time all contestants in turn, after warm-ups; those above one second run fewer rounds.

    Measuring the memory takes two runs: with one more, a slow contestant is warm.
    """
    peaks = [peak_memory_mb(contestant.run, on_cuda=on_cuda) for contestant in contestants]
    warm = [_warm_up(contestant.run, clock) for contestant in contestants]
    seconds: list[list[float]] = [[] for _ in contestants]
    for turn in range(rounds):
        for contestant, usual, times in zip(contestants, warm, seconds, strict=True):
            if usual < SLOW_S or turn < SLOW_ROUNDS:
                times.append(clock(contestant.run))
    return [
        Timing(contestant.name, 1e3 * statistics.median(times), 1e3 * min(times), len(times), peak)
        for contestant, times, peak in zip(contestants, seconds, peaks, strict=True)
    ]


def _warm_up(run: Run, clock: Clock) -> float:
    first = clock(run)
    return first if first > SLOW_S else min(clock(run) for _ in range(WARM_UPS))


def cpu_clock(threads: int) -> Clock:
    """Measure CPU time for one thread, since other processes do not count there, and wall time for more."""
    now = time.process_time if threads == 1 else time.perf_counter

    def measure(run: Run) -> float:
        start = now()
        run()
        return now() - start

    return measure


def cuda_clock() -> Clock:
    """Measure between two events on the current stream, with the second-level cache flushed before.

    The flush lasts long enough for the run to be queued behind it: the time is the GPU's, not that of launching.
    """
    flush = torch.empty(FLUSH_BYTES, dtype=torch.uint8, device="cuda")

    def measure(run: Run) -> float:
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        flush.zero_()
        begin.record()
        run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1e3

    return measure


def peak_memory_mb(run: Run, *, on_cuda: bool) -> float:
    """Return the high-water mark of memory in a run, above the start, in MB (1e6 bytes); NaN where unknown."""
    run()  # what is loaded or cached once is not the run's
    if on_cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    try:
        _reset_high_water_mark()
    except OSError:  # not Linux, or a sealed /proc
        run()
        return float("nan")
    before = status_kb("VmRSS")
    run()
    return (status_kb("VmHWM") - before) * 1024 / 1e6


def _reset_high_water_mark() -> None:
    with suppress(AttributeError):  # musl has no malloc_trim
        ctypes.CDLL(None).malloc_trim(0)  # memory kept by the allocator would hide what the run needs
    Path("/proc/self/clear_refs").write_text("5")


def status_kb(field: str) -> int:
    """Return a line of /proc/self/status that counts kibibytes: VmRSS, VmHWM."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))
