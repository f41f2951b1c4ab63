"""The race itself: turns, clocks, memory. No figure is ever asserted against another."""

import time

import torch

from nirtrans.bench.timing import ROUNDS, SLOW_ROUNDS, Contestant, cpu_clock, peak_memory_mb, race


def test_contestants_take_turns() -> None:
    order: list[str] = []
    contestants = [Contestant(name, lambda name=name: order.append(name)) for name in ("a", "b")]
    timings = race(contestants, cpu_clock(2))
    assert order[-2 * ROUNDS :] == ["a", "b"] * ROUNDS
    assert [timing.rounds for timing in timings] == [ROUNDS, ROUNDS]
    assert all(0 <= timing.min_ms <= timing.median_ms for timing in timings)


def test_slow_contestants_run_fewer_rounds() -> None:
    turns = iter([2.0] * 100)
    (timing,) = race([Contestant("slow", lambda: None)], lambda run: next(turns))
    assert (timing.rounds, timing.min_ms) == (SLOW_ROUNDS, 2000)


def test_one_thread_is_timed_by_the_processor() -> None:
    assert cpu_clock(1)(lambda: time.sleep(0.05)) < 0.04
    assert cpu_clock(2)(lambda: time.sleep(0.05)) > 0.04


def test_peak_memory_counts_what_a_run_needs() -> None:
    assert peak_memory_mb(lambda: torch.ones(10_000_000) + 1, on_cuda=False) > 60
    assert peak_memory_mb(lambda: None, on_cuda=False) < 20
