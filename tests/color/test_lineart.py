"""Canny is that of scikit-image; XDoG follows its formula; both draw black on white."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter
from skimage.feature import canny as reference_canny

from nirtrans.color.lineart import blur, canny, xdog
from nirtrans.data.synthetic import synthetic_scene
from nirtrans.io.images import read_image, to_unit

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (3, 3), (5, 64), (40, 33)]


def edges(gray: np.ndarray, **options: float) -> np.ndarray:
    drawn = canny(gray, **options)
    assert set(np.unique(drawn)) <= {0.0, 1.0}
    return drawn == 0


def disc(side: int = 64) -> np.ndarray:
    """Return a dark disc on light ground."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.where(np.hypot(y, x) < side / 4, 0.2, 0.9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5])
def test_canny_equals_scikit_image_on_scenes_and_noise(seed: int, sigma: float) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.random((70, 53))
    for gray in (synthetic_scene(seed, (96, 80)).rgb_picture()[1].astype(np.float64), noise, np.round(noise)):
        assert np.array_equal(edges(gray, sigma=sigma), reference_canny(gray, sigma=sigma))


@pytest.mark.parametrize("thresholds", [(0.0, 0.0), (0.05, 0.9), (0.3, 0.3), (2.0, 3.0)])
def test_canny_equals_scikit_image_at_other_thresholds(thresholds: tuple[float, float]) -> None:
    low, high = thresholds
    gray = np.random.default_rng(1).random((60, 60))
    expected = reference_canny(gray, low_threshold=low, high_threshold=high)
    assert np.array_equal(edges(gray, low=low, high=high), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_canny_takes_pictures_of_any_size(shape: tuple[int, int]) -> None:
    gray = np.random.default_rng(2).random(shape)
    assert np.array_equal(edges(gray), reference_canny(gray))


def test_canny_equals_scikit_image_on_photographs(shared_data: Path) -> None:
    for path in sorted((shared_data / "rgb" / "bsds500" / "train").glob("*.jpg"))[:4]:
        gray = to_unit(read_image(path).pixels).astype(np.float64).mean(axis=2)
        assert np.array_equal(edges(gray), reference_canny(gray))


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(0, 1, width=16)))
@settings(max_examples=50)
def test_canny_on_pictures_of_few_levels(gray: np.ndarray) -> None:
    """Ties are decided by rounding, so only what is stronger than its neighbours by a margin must agree."""
    found, expected = edges(gray), reference_canny(gray)
    assert (found != expected).sum() <= max(2, 0.1 * gray.size)
    assert not found[[0, -1]].any()
    assert not found[:, [0, -1]].any()


@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.0])
def test_blur_equals_scipy_divided_by_what_falls_inside(sigma: float) -> None:
    gray = np.random.default_rng(3).random((20, 31))
    inside = gaussian_filter(np.ones_like(gray), sigma, mode="constant")
    np.testing.assert_allclose(blur(gray, sigma), gaussian_filter(gray, sigma, mode="constant") / inside, atol=1e-12)


def test_blur_of_a_picture_smaller_than_its_kernel() -> None:
    np.testing.assert_allclose(blur(np.full((2, 3), 0.7), 5.0), 0.7)


def test_xdog_follows_its_formula() -> None:
    gray = np.random.default_rng(4).random((30, 40))
    sigma, k, p, epsilon, phi = 1.1, 2.0, 7.0, 0.4, 3.0
    sharp = (1 + p) * blur(gray, sigma) - p * blur(gray, k * sigma)
    expected = np.where(sharp >= epsilon, 1, 1 + np.tanh(phi * (sharp - epsilon)))
    drawn = xdog(gray, sigma=sigma, k=k, p=p, epsilon=epsilon, phi=phi)
    np.testing.assert_allclose(drawn, expected, atol=1e-4)
    assert 0 <= drawn.min() <= drawn.max() <= 1


@pytest.mark.parametrize("level", [0.0, 0.05, 0.5, 1.0])
def test_even_ground_is_paper(level: float) -> None:
    for draw in (canny, xdog):
        assert (draw(np.full((20, 20), level)) == 1).all()


def test_xdog_draws_the_dark_side_of_an_edge() -> None:
    gray = disc()
    drawn = xdog(gray)
    assert drawn[gray == 0.9].min() > 0.9
    assert drawn[gray == 0.2].min() < 0.05
    assert drawn[32, 32] == 1, "the inside of the disc is paper again"


def test_a_larger_epsilon_fills_what_is_dark() -> None:
    assert xdog(disc(), epsilon=0.5)[32, 32] < 0.3


def test_a_thick_stroke_stays_dark_at_its_rim_and_a_thin_one_throughout() -> None:
    paper = np.ones((40, 40))
    paper[:, 19:21] = 0
    drawn = xdog(paper)
    assert drawn[:, 19:21].max() < 0.01
    assert drawn[:, [10, 30]].min() == 1


def test_both_give_float32() -> None:
    for gray in (disc().astype(np.float32), disc()):
        assert canny(gray).dtype == xdog(gray).dtype == np.float32
