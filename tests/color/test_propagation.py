"""Spreading of hints: the weights by hand, exactness at hints, edges that hold, and both solvers."""

import numpy as np
import pytest

from nirtrans.color import propagation
from nirtrans.color.propagation import neighbour_weights, propagate

RNG = np.random.default_rng(0)


def weights_by_hand(brightness: np.ndarray) -> np.ndarray:
    """The published rule, pixel by pixel."""
    height, width = brightness.shape
    table = np.zeros((height * width, height * width))
    for y, x in np.ndindex(height, width):
        window = [
            (v, u)
            for v in range(max(0, y - 1), min(height, y + 2))
            for u in range(max(0, x - 1), min(width, x + 2))
            if (v, u) != (y, x)
        ]
        values, own = np.array([brightness[place] for place in window]), brightness[y, x]
        variance = 0.6 * np.mean((np.append(values, own) - np.append(values, own).mean()) ** 2)
        variance = max(variance, -((values - own) ** 2).min() / np.log(0.01), 2e-6)
        weight = np.exp(-((values - own) ** 2) / variance)
        for place, share in zip(window, weight / weight.sum(), strict=True):
            table[y * width + x, place[0] * width + place[1]] = share
    return table


def hinted_at(shape: tuple[int, int], *places: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for place in places:
        mask[place] = True
    return mask


@pytest.mark.parametrize("shape", [(5, 7), (1, 6), (6, 1), (2, 2)])
def test_weights_are_those_of_the_published_code(shape: tuple[int, int]) -> None:
    brightness = RNG.random(shape)
    brightness.flat[:2] = 0.5  # neighbours that are equal
    np.testing.assert_allclose(neighbour_weights(brightness).toarray(), weights_by_hand(brightness), atol=1e-14)


def test_it_solves_the_system_of_the_paper() -> None:
    brightness, colours = RNG.random((6, 8)), RNG.normal(0, 40, (2, 6, 8))
    hinted = hinted_at((6, 8), (0, 0), (3, 4), (5, 7))
    found = propagate(brightness, colours, hinted)
    mean = (weights_by_hand(brightness) @ found.reshape(2, -1).T).T.reshape(found.shape)
    assert (found[:, hinted] == colours[:, hinted]).all(), "hints are kept bit by bit"
    np.testing.assert_allclose(found[:, ~hinted], mean[:, ~hinted], atol=1e-9)


def test_one_hint_colours_all_and_constant_hints_stay_constant() -> None:
    brightness = RNG.random((9, 9))
    colours = np.broadcast_to(np.array([30.0, -20.0])[:, None, None], (2, 9, 9))
    np.testing.assert_allclose(propagate(brightness, colours, hinted_at((9, 9), (4, 4))), colours, atol=1e-9)


def test_colours_stop_at_edges() -> None:
    brightness = np.full((20, 20), 0.2)
    brightness[:, 10:] = 0.8
    colours = np.zeros((2, 20, 20))
    colours[:, :, :10], colours[:, :, 10:] = 50, -50
    found = propagate(brightness, colours, hinted_at((20, 20), (3, 2), (15, 17)))
    assert np.abs(found - colours).max() < 3


def test_everything_may_be_hinted() -> None:
    colours = RNG.random((2, 3, 3))
    for part in (colours, colours[:, :1, :1]):
        everywhere = np.ones(part.shape[1:], bool)
        assert (propagate(RNG.random(part.shape[1:]), part, everywhere) == part).all()


@pytest.mark.parametrize("flat", [True, False])
def test_the_iteration_agrees_with_the_exact_solution(monkeypatch: pytest.MonkeyPatch, flat: bool) -> None:
    brightness = np.full((60, 80), 0.5) if flat else RNG.random((60, 80)).round(1)
    colours, hinted = RNG.normal(0, 40, (2, 60, 80)), RNG.random((60, 80)) < 0.002
    exact = propagate(brightness, colours, hinted)
    monkeypatch.setattr(propagation, "DIRECT_PX", 0)
    near = propagate(brightness, colours, hinted)
    assert np.abs(near - exact).max() < 0.05
    assert (near[:, hinted] == colours[:, hinted]).all()
