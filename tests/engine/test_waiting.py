"""Waiting for data: the mean per step by hand, and one warning when it is much for long."""

import logging

import pytest

from nirtrans.engine.waiting import WINDOW, Waiting


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def run(waiting: Waiting, clock: Clock, steps: int, *, wait_s: float, work_s: float) -> None:
    for _ in range(steps):
        with waiting.step():
            with waiting.data():
                clock.now_s += wait_s
            clock.now_s += work_s
        waiting.judge(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_mean_wait_per_step(clock: Clock) -> None:
    waiting = Waiting(1, clock)
    assert waiting.take() == {}
    run(waiting, clock, 3, wait_s=0.1, work_s=1.0)
    run(waiting, clock, 1, wait_s=0.5, work_s=1.0)
    assert waiting.take() == {"data_wait_s": pytest.approx(0.2)}
    run(waiting, clock, 2, wait_s=0.0, work_s=1.0)
    assert waiting.take() == {"data_wait_s": 0.0}


def test_much_waiting_is_told_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    waiting = Waiting(1, clock)
    with caplog.at_level(logging.WARNING, "nirtrans"):
        run(waiting, clock, 3 * WINDOW, wait_s=0.3, work_s=0.7)
    assert len(caplog.messages) == 1
    assert "30 % of the time went in waiting for data; raise data.workers above 1" in caplog.messages[0]


def test_the_start_and_a_little_waiting_are_no_reason(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    waiting = Waiting(1, clock)
    with caplog.at_level(logging.WARNING, "nirtrans"):
        run(waiting, clock, WINDOW, wait_s=1.0, work_s=0.1)
        run(waiting, clock, 5 * WINDOW, wait_s=0.05, work_s=0.95)
    assert not caplog.messages
