"""Functions of the step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nirtrans.engine.schedules import average_decay, rate_factor


def test_rate_is_constant_then_falls_to_zero() -> None:
    factors = [rate_factor(step, length=10, constant_share=0.5) for step in range(12)]
    assert factors[:6] == [1.0] * 6
    assert factors[6:] == pytest.approx([0.8, 0.6, 0.4, 0.2, 0, 0])


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.floats(0, 1))
def test_rate_stays_within_bounds_and_never_rises(step: int, length: int, constant_share: float) -> None:
    now, later = (rate_factor(n, length=length, constant_share=constant_share) for n in (step, step + 1))
    assert 0 <= later <= now <= 1


def test_average_forgets_the_initial_weights() -> None:
    assert average_decay(0, 0.999) == pytest.approx(0.1)
    assert average_decay(10**6, 0.999) == 0.999
    assert average_decay(5, 0.0) == 0
