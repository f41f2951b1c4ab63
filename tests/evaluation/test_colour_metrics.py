"""Colour metrics: angles, Lab, colourfulness, and the conventions of others under their own names."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000, rgb2lab

from nirtrans.evaluation import metrics
from nirtrans.kernels import rgb_to_lab

UNIT = st.floats(0, 1)
COLOUR = st.tuples(UNIT, UNIT, UNIT)
LAB = st.tuples(st.floats(0, 100), st.floats(-110, 110), st.floats(-110, 110))
# Sharma, Wu, Dalal 2005, table 1: blue, hues on both sides of 0 degrees, opposite hues, greys, small differences.
PUBLISHED = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
    ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def picture(seed: int, height: int = 24, width: int = 20) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def flat(colour: tuple[float, float, float], side: int = 8) -> torch.Tensor:
    return torch.tensor(colour, dtype=torch.float64)[:, None, None].expand(3, side, side)


def test_angle_by_hand() -> None:
    red, yellow = torch.zeros(3, 4, 4), torch.zeros(3, 4, 4)
    red[0], yellow[:2] = 1, 0.5
    assert metrics.ae(red, yellow) == pytest.approx(45)


@given(st.floats(0.01, 1), st.floats(0.01, 1))
@settings(max_examples=20)
def test_two_greys_have_no_angle(first: float, second: float) -> None:
    a, b = torch.full((3, 2, 2), first, dtype=torch.float64), torch.full((3, 2, 2), second, dtype=torch.float64)
    assert metrics.ae(a, b) == pytest.approx(0, abs=1e-9)


def test_all_colourless_predictions_share_one_angle() -> None:
    truth = picture(0).clamp(min=0.1)
    light, dark = torch.full_like(truth, 0.9), torch.full_like(truth, 0.2)
    assert metrics.ae(light, truth) == pytest.approx(metrics.ae(dark, truth))


def test_black_prediction_of_a_bright_truth_has_no_angle() -> None:
    black = torch.zeros(3, 4, 4)
    assert math.isnan(metrics.ae(black, torch.ones(3, 4, 4)))
    assert metrics.ae_excluded(black, torch.ones(3, 4, 4)) == 1


def test_colourfulness_by_hand() -> None:
    assert metrics.colourfulness(torch.full((3, 4, 4), 0.3)) == pytest.approx(0, abs=1e-12)
    red = torch.zeros(3, 4, 4)
    red[0] = 1
    assert metrics.colourfulness(red) == pytest.approx(0.3 * math.hypot(255, 127.5))


@pytest.mark.parametrize(("level", "angle"), [(0, 90), (1, 11.8), (2, 6.0), (5, 2.4), (10, 1.2)])
def test_the_angle_of_vcip_turns_identical_dark_greys(level: int, angle: float) -> None:
    grey = flat((level / 255,) * 3)
    assert metrics.ae_vcip(grey, grey) == pytest.approx(angle, abs=0.06)
    assert metrics.ae(grey, grey) == 0


def test_both_angles_agree_on_bright_pictures() -> None:
    a, b = picture(0).clamp(min=0.3), picture(1).clamp(min=0.3)
    assert metrics.ae_vcip(a, b) == pytest.approx(metrics.ae(a, b), abs=5e-3)
    assert metrics.cos_pixel(flat((1, 0, 0)), flat((0.5, 0.5, 0))) == pytest.approx(0.5**0.5)


@pytest.mark.parametrize(("first", "second", "difference"), PUBLISHED)
def test_ciede2000_of_published_pairs(first: tuple, second: tuple, difference: float) -> None:
    a, b = (torch.tensor(colour, dtype=torch.float64) for colour in (first, second))
    assert metrics.ciede2000(a, b).item() == pytest.approx(difference, abs=5e-5)


def test_ciede2000_equals_scikit_image() -> None:
    random = np.random.default_rng(0)
    a, b = random.uniform((0, -110, -110), (100, 110, 110), (2, 50, 40, 3))
    found = metrics.ciede2000(*(torch.from_numpy(lab).movedim(-1, 0) for lab in (a, b)))
    assert np.abs(found.numpy() - deltaE_ciede2000(a, b)).max() < 1e-9


def test_de2000_starts_from_srgb() -> None:
    a, b = picture(0), picture(1)
    expected = deltaE_ciede2000(*(rgb2lab(p.movedim(0, -1).numpy()) for p in (a, b)))
    assert metrics.de2000(a, b) == pytest.approx(expected.mean(), abs=0.01)  # scikit-image rounds the white point
    assert metrics.de2000_p95(a, b) == pytest.approx(np.percentile(expected, 95), abs=0.01)


@given(LAB, LAB)
@settings(max_examples=50)
def test_ciede2000_is_a_symmetric_difference(first: tuple, second: tuple) -> None:
    a, b = (torch.tensor(colour, dtype=torch.float64) for colour in (first, second))
    found = metrics.ciede2000(a, b).item()
    assert found >= 0
    assert metrics.ciede2000(b, a).item() == pytest.approx(found, abs=1e-9)
    assert metrics.ciede2000(a, a).item() == 0


def test_rmse_ab_by_hand() -> None:
    a, b = (rgb_to_lab(flat(colour)) for colour in ((1.0, 0, 0), (0.2, 0.4, 0.3)))
    expected = math.hypot(*(a - b)[1:, 0, 0].tolist())
    assert metrics.rmse_ab(flat((1, 0, 0)), flat((0.2, 0.4, 0.3))) == pytest.approx(expected)


def test_auc_goes_from_nothing_to_everything() -> None:
    assert metrics.auc(picture(0), picture(0)) == 1
    far = flat((0, 0, 1)), flat((0, 1, 0))  # more than 250 apart in ab
    assert metrics.auc(*far) == 0
    assert metrics.auc_mean151(*far) == 0
    one = flat((0.5, 0.5, 0.5)), flat((0.2, 0.4, 0.3))
    distance = metrics.rmse_ab(*one)
    assert metrics.auc(*one) == pytest.approx((150 - math.ceil(distance) + 0.5) / 150)


@given(COLOUR, COLOUR, st.integers(0, 1000))
@settings(max_examples=20)
def test_both_areas_are_tied(first: tuple, second: tuple, seed: int) -> None:
    a = torch.cat([flat(first), picture(seed, 8, 20)], dim=2)
    b = torch.cat([flat(second), picture(seed, 8, 20) ** 1.3], dim=2)
    distance = (rgb_to_lab(a) - rgb_to_lab(b))[1:].norm(dim=0)
    first_share, last_share = ((distance <= top).double().mean().item() for top in (0, 150))
    tied = (151 * metrics.auc_mean151(a, b) - (first_share + last_share) / 2) / 150
    assert metrics.auc(a, b) == pytest.approx(tied)


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_balance_over_equally_common_bins_changes_nothing(seed: int) -> None:
    a, b = picture(seed), picture(seed + 1)
    uniform = torch.full((313,), 1 / 313)
    assert metrics.auc_balanced(a, b, prior=uniform) == pytest.approx(metrics.auc(a, b))


def test_rare_colours_weigh_more() -> None:
    grey, colour = flat((0.5, 0.5, 0.5)), flat((0.9, 0.2, 0.1))
    truth = torch.cat([grey, grey, grey, colour], dim=2)
    shown = torch.cat([grey, grey, grey, grey], dim=2)
    prior = torch.full((313,), 1 / 313)
    prior[120] *= 3  # grey
    colour_alone = metrics.auc(grey, colour)
    assert metrics.auc(shown, truth) == pytest.approx(0.75 + 0.25 * colour_alone)
    assert metrics.auc_balanced(shown, truth, prior=prior) == pytest.approx(0.5 + 0.5 * colour_alone)


def test_a_prior_with_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="expected the shares of 313 bins, all above 0"):
        metrics.auc_balanced(picture(0), picture(0), prior=torch.zeros(313))


@given(UNIT)
@settings(max_examples=20)
def test_greys_have_no_colour_in_either_variant(level: float) -> None:
    grey = flat((level,) * 3)
    assert metrics.colourfulness(grey) == pytest.approx(0, abs=1e-9)
    assert metrics.colourfulness_abs(grey) == pytest.approx(0, abs=1e-9)


def test_absolute_opponents_are_another_quantity() -> None:
    halves = torch.cat([flat((1, 0, 0)), flat((0, 1, 0))], dim=2)
    assert metrics.colourfulness(halves) == pytest.approx(255 + 0.3 * 127.5)  # R - G is +-255
    assert metrics.colourfulness_abs(halves) == pytest.approx(0.3 * math.hypot(255, 127.5))
    assert metrics.delta_cf_abs(halves, flat((0, 0, 0), 16)[:, :8]) == pytest.approx(0.3 * math.hypot(255, 127.5))
