"""Metrics against values by hand, scikit-image, and the laws that they must keep."""

import math

import numpy as np
import pytest
import pytorch_msssim
import torch
from skimage.metrics import structural_similarity

from nirtrans.evaluation import metrics

WINDOWED = {name for name in metrics.METRICS if "ssim" in name}


def picture(seed: int, height: int = 24, width: int = 20) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("grey", [0, 1, 2, 10, 128, 255])
def test_identical_pictures_are_perfect_at_every_grey(grey: int) -> None:
    flat = torch.full((3, 16, 16), grey / 255)
    found = metrics.score(flat, flat)
    assert math.isinf(found["psnr"])
    assert found["ssim"] == pytest.approx(1)
    assert found["ae"] == 0
    assert found["de2000"] == found["de2000_p95"] == 0
    assert found["auc"] == 1
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
    assert metrics.METRICS[name].function(a, b, None) == pytest.approx(expected, abs=1e-6)


def test_ssim_of_vcip_takes_its_range_from_the_prediction() -> None:
    a, b = 0.5 * picture(0), (picture(0) + 0.2 * picture(1)).clamp(max=1)
    _, full = structural_similarity(
        a.movedim(0, -1).numpy(),
        b.movedim(0, -1).numpy(),
        data_range=(a.max() - a.min()).item(),
        channel_axis=-1,
        full=True,
    )
    assert metrics.ssim_vcip(a, b) == pytest.approx(full[3:-3, 3:-3].mean(), abs=1e-6)


@pytest.mark.parametrize("size", [(161, 176), (180, 163)])
def test_ms_ssim_equals_pytorch_msssim(size: tuple[int, int]) -> None:
    a = picture(0, *size)
    b = (a + 0.2 * picture(1, *size)).clamp(max=1)
    expected = pytorch_msssim.ms_ssim(a[None], b[None], data_range=1).item()
    assert metrics.ms_ssim(a, b) == pytest.approx(expected, abs=1e-6)
    assert metrics.ms_ssim(a, a) == pytest.approx(1)


def test_ms_ssim_does_not_see_what_is_masked() -> None:
    a, b, valid = picture(0, 192, 208), picture(1, 192, 208), torch.ones(192, 208, dtype=torch.bool)
    valid[:, 192:] = False
    expected = metrics.ms_ssim(a[..., :192], b[..., :192])
    a[:, ~valid], b[:, ~valid] = math.nan, 3
    assert metrics.ms_ssim(a, b, valid) == pytest.approx(expected)
    valid[::64, ::64] = False  # no window of the coarsest scale is whole
    assert math.isnan(metrics.ms_ssim(a, b, valid))


def test_rows_are_compared_by_direction() -> None:
    a = torch.zeros(3, 2, 2, dtype=torch.float64)
    a[:, 0] = torch.tensor([1.0, 0.0])
    b = torch.full_like(a, 0.5)  # rows at 45 degrees to the first, and one that meets a row of zeros
    assert metrics.cos_rows(a, b) == pytest.approx(0.5**0.5)
    assert metrics.cos_rows(0.3 * picture(0), picture(0)) == pytest.approx(1)


def test_numpy_and_torch_agree() -> None:
    a, b = picture(0), picture(1)
    turned = metrics.score(a.movedim(0, -1).numpy(), b.movedim(0, -1).numpy())
    assert turned == metrics.score(a, b)


@pytest.mark.parametrize("hidden", [0.0, 0.7, math.nan, math.inf])
def test_invalid_pixels_leave_every_metric(hidden: float) -> None:
    a, b, valid = picture(0), picture(1), torch.ones(24, 20, dtype=torch.bool)
    valid[:, 15:] = False
    hole_a, hole_b = a.clone(), b.clone()
    hole_a[:, ~valid] = hidden
    hole_b[:, ~valid] = hidden
    expected = metrics.score(a[..., :15], b[..., :15], names=metrics.PAIRWISE)
    found = metrics.score(hole_a, hole_b, valid, names=metrics.PAIRWISE)
    assert (expected.pop("excluded"), found.pop("excluded")) == (0, 0.25)
    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", sorted(set(metrics.PAIRWISE) - WINDOWED - {"excluded"}))
def test_one_invalid_pixel_leaves_the_rest_as_it_is(name: str) -> None:
    a, b, valid = picture(0), picture(1), torch.ones(24, 20, dtype=torch.bool)
    valid[7, 3] = False
    rest = [p.flatten(1)[:, valid.flatten()][:, None] for p in (a, b)]  # [3, 1, n]: all that remains, in one row
    if name == "cos_rows":  # rows are its unit, so the pixel is dropped from its own row only
        rows = [metrics.cos_rows(a[:, i : i + 1, valid[i]], b[:, i : i + 1, valid[i]]) for i in range(24)]
        expected = sum(rows) / 24
    else:
        expected = metrics.METRICS[name].function(rest[0], rest[1], None)
    a[:, 7, 3], b[:, 7, 3] = math.nan, 0.2
    assert metrics.METRICS[name].function(a, b, valid) == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(WINDOWED - {"ms_ssim"}))
def test_windows_that_touch_an_invalid_pixel_are_dropped(name: str) -> None:
    a, b, valid = picture(0), picture(1), torch.ones(24, 20, dtype=torch.bool)
    valid[:, 0] = False
    expected = metrics.METRICS[name].function(a[..., 1:], b[..., 1:], None)
    assert metrics.METRICS[name].function(a, b, valid) == pytest.approx(expected)


def test_nothing_valid_is_nan() -> None:
    found = metrics.score(picture(0), picture(1), torch.zeros(24, 20, dtype=torch.bool), names=metrics.PAIRWISE)
    assert found.pop("excluded") == 1
    assert all(math.isnan(value) for value in found.values())


@pytest.mark.parametrize("name", sorted(set(metrics.PAIRWISE) - {"excluded", "ae_excluded"}))
def test_a_prediction_that_is_not_a_number_has_no_score(name: str) -> None:
    a, b = picture(0, 176, 176), picture(1, 176, 176)
    a[:, 90, 80] = math.nan
    assert math.isnan(metrics.METRICS[name].function(a, b, None))


def test_small_pictures_have_no_ssim() -> None:
    assert math.isnan(metrics.ssim(torch.rand(3, 8, 8), torch.rand(3, 8, 8)))
    assert math.isnan(metrics.ms_ssim(picture(0, 160, 161), picture(1, 160, 161)))


def test_the_default_set_is_what_is_no_variant() -> None:
    assert tuple(metrics.score(picture(0), picture(1))) == metrics.DEFAULT
    variants = {"ssim_u8", "ssim_vcip", "ae_vcip", "cos_rows", "cos_pixel", "delta_cf_abs", "auc_mean151"}
    assert set(metrics.PAIRWISE) == {*metrics.DEFAULT, *metrics.REFLECTANCE, *variants}
    assert set(metrics.METRICS) == {*metrics.PAIRWISE, *metrics.CONTEXT}
    with pytest.raises(ValueError, match="auc_balanced needs more than two pictures"):
        metrics.score(picture(0), picture(1), names=["auc_balanced"])
    assert metrics.METRICS["psnr"].sign == 1
    assert metrics.METRICS["ae"].sign == -1


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        metrics.psnr(picture(0), picture(0, 12, 12))
    with pytest.raises(ValueError, match="expected one float picture"):
        metrics.psnr(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8))
