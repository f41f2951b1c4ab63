"""Metrics against values by hand, scikit-image, and the laws that they must keep."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from nirtrans.evaluation import metrics


def picture(seed: int, height: int = 24, width: int = 20) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("grey", [0, 1, 2, 10, 128, 255])
def test_identical_pictures_are_perfect_at_every_grey(grey: int) -> None:
    flat = torch.full((3, 16, 16), grey / 255)
    found = metrics.score(flat, flat)
    assert math.isinf(found["psnr"])
    assert found["ssim"] == pytest.approx(1)
    assert found["ae"] == 0
    assert found["delta_cf"] == 0


def test_psnr_by_hand() -> None:
    a, b = torch.full((3, 12, 12), 0.5), torch.full((3, 12, 12), 0.4)
    assert metrics.psnr(a, b) == pytest.approx(20, abs=1e-5)
    assert metrics.psnr_y(a, b) == pytest.approx(20, abs=1e-5)
    assert metrics.psnr_u8(a, b) == pytest.approx(-20 * math.log10(26 / 255))  # 128 against 102


@pytest.mark.parametrize(
    ("name", "options"),
    [("ssim", {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}), ("ssim_u7", {})],
)
def test_ssim_equals_scikit_image(name: str, options: dict) -> None:
    a, b = picture(0), (picture(0) + 0.2 * picture(1)).clamp(max=1)
    _, full = structural_similarity(
        a.movedim(0, -1).numpy(), b.movedim(0, -1).numpy(), data_range=1, channel_axis=-1, full=True, **options
    )
    edge = 5 if name == "ssim" else 3
    expected = full[edge:-edge, edge:-edge].mean()
    assert metrics.METRICS[name](a, b, None) == pytest.approx(expected, abs=1e-6)


def test_numpy_and_torch_agree() -> None:
    a, b = picture(0), picture(1)
    turned = metrics.score(a.movedim(0, -1).numpy(), b.movedim(0, -1).numpy())
    assert turned == metrics.score(a, b)


def test_angle_by_hand() -> None:
    red, yellow = torch.zeros(3, 4, 4), torch.zeros(3, 4, 4)
    red[0], yellow[:2] = 1, 0.5
    assert metrics.ae(red, yellow) == pytest.approx(45)


@given(st.floats(0.01, 1), st.floats(0.01, 1))
@settings(max_examples=20, deadline=None)
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


@pytest.mark.parametrize("hidden", [0.0, 0.7, math.nan, math.inf])
def test_invalid_pixels_leave_every_metric(hidden: float) -> None:
    a, b, valid = picture(0), picture(1), torch.ones(24, 20, dtype=torch.bool)
    valid[:, 15:] = False
    hole_a, hole_b = a.clone(), b.clone()
    hole_a[:, ~valid] = hidden
    hole_b[:, ~valid] = hidden
    expected = metrics.score(a[..., :15], b[..., :15])
    assert metrics.score(hole_a, hole_b, valid) == pytest.approx(expected)


def test_nothing_valid_is_nan() -> None:
    found = metrics.score(picture(0), picture(1), torch.zeros(24, 20, dtype=torch.bool))
    assert all(math.isnan(value) for value in found.values())


def test_colourfulness_by_hand() -> None:
    assert metrics.colourfulness(torch.full((3, 4, 4), 0.3)) == pytest.approx(0, abs=1e-12)
    red = torch.zeros(3, 4, 4)
    red[0] = 1
    assert metrics.colourfulness(red) == pytest.approx(0.3 * math.hypot(255, 127.5))


def test_small_pictures_have_no_ssim() -> None:
    assert math.isnan(metrics.ssim(torch.rand(3, 8, 8), torch.rand(3, 8, 8)))


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        metrics.psnr(picture(0), picture(0, 12, 12))
    with pytest.raises(ValueError, match="expected one float picture"):
        metrics.psnr(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8))
