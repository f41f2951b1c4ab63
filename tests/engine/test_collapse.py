"""Warnings of a collapse: simulated critics that win, that struggle, that are of another kind; colour that vanishes."""

import logging
import math
import random
from collections.abc import Callable

import pytest

from nirtrans.engine.collapse import WINDOW, CollapseWatch


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "nirtrans")


def train(watch: CollapseWatch, steps: int, loss: Callable[[int], float], name: str = "rgb", **others: float) -> None:
    for step in range(1, steps + 1):
        terms = {f"discriminator/{name}": loss(step)} | {f"discriminator/{key}": v for key, v in others.items()}
        watch.see_losses({"generator/gan": 0.0, "generator/l1": 0.001} | terms)
        watch.judge(step)


def test_a_critic_that_wins_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    train(CollapseWatch(), 8 * WINDOW, lambda step: 0.25 * math.exp(-step / 50), nir=0.2)
    assert len(caplog.messages) == 1
    assert f"step {3 * WINDOW}: discriminator/rgb is " in caplog.messages[0]
    assert "train.phases={discriminator: {lr: ...}}" in caplog.messages[0]


def test_healthy_critics_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(0)
    for level in (0.05, 0.12, 0.25, 0.69, 1.0):
        train(CollapseWatch(), 6 * WINDOW, lambda step, level=level: level * chance.lognormvariate(0, 0.8))
    assert not caplog.messages


def test_a_short_win_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    train(CollapseWatch(), 6 * WINDOW, lambda step: 0.001 if step <= WINDOW else 0.2)
    assert not caplog.messages


@pytest.mark.parametrize("level", [-3.0, 0.0])
def test_wasserstein_critics_are_not_judged(caplog: pytest.LogCaptureFixture, level: float) -> None:
    train(CollapseWatch(), 4 * WINDOW, lambda step: level, rgb_penalty=0.001)
    assert not caplog.messages


def test_rare_phases_are_averaged_over_their_own_steps(caplog: pytest.LogCaptureFixture) -> None:
    watch = CollapseWatch()
    for step in range(1, 4 * WINDOW + 1):
        watch.see_losses({"discriminator/rgb": 0.02} if step % 5 == 0 else {"generator/gan": 0.0})
        watch.judge(step)
    assert not caplog.messages


def test_colour_that_vanishes_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = CollapseWatch()
    for step, spread in enumerate([0.05, 0.4, 0.8, 0.15, 0.1]):
        watch.see_spread(step, spread)
    assert len(caplog.messages) == 1
    assert "step 3: the output has lost its colour: its spread fell from 0.80 to 0.15" in caplog.messages[0]


def test_colour_that_grows_or_wavers_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    watch = CollapseWatch()
    for step, spread in enumerate([0.19, 0.0, 0.01, 0.3, 0.6, 0.4, 0.9, 0.5]):
        watch.see_spread(step, spread)
    assert not caplog.messages
