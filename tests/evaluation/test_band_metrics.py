"""Metrics of bands and seams against values by hand, and the laws that they must keep."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nirtrans.evaluation import metrics

SPECTRUM = st.lists(st.floats(0.01, 1), min_size=4, max_size=4)


def bands(seed: int, count: int = 5) -> torch.Tensor:
    return torch.rand(count, 12, 10, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def flat(values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)[:, None, None].expand(-1, 3, 3)


def test_errors_by_hand() -> None:
    a, b = flat([0.2, 0.3, 0.6]), flat([0.1, 0.5, 0.6])
    assert metrics.rmse_refl(a, b) == pytest.approx(0.1)
    assert metrics.rmse_refl(a, b, band=1) == pytest.approx(0.2)
    assert metrics.mae_refl(a, b, band=0) == pytest.approx(0.1)
    assert metrics.bias_refl(a, b) == pytest.approx(-0.1 / 3)
    assert metrics.bias_refl(a, b, band=1) == pytest.approx(-0.2)
    assert metrics.ergas(a, b) == pytest.approx(100 * math.sqrt((1 + 0.4**2) / 3))
    assert metrics.ergas(a, b, ratio=0.25) == pytest.approx(metrics.ergas(a, b) / 4)


def test_means_over_bands_are_means_of_bands() -> None:
    a, b = bands(0), bands(1)
    for metric in (metrics.rmse_refl, metrics.mae_refl, metrics.bias_refl):
        assert metric(a, b) == pytest.approx(np.mean([metric(a, b, band=band) for band in range(5)]))


@given(SPECTRUM, SPECTRUM)
@settings(max_examples=50)
def test_the_spectral_angle_is_the_arccos_of_the_cosine(first: list[float], second: list[float]) -> None:
    a, b = np.array(first), np.array(second)
    expected = math.degrees(math.acos(min(1, a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))))
    found = metrics.sam(flat(first), flat(second))
    assert found == pytest.approx(expected, abs=2e-6)  # the error of arccos near 1, not ours
    assert metrics.sam(flat(second), flat(first)) == pytest.approx(found, abs=1e-9)
    assert metrics.sam(flat(first), flat([2 * value for value in first])) == pytest.approx(0, abs=1e-9)


def test_three_bands_have_the_angle_of_colours() -> None:
    a, b = bands(0, 3).clamp(min=0.1), bands(1, 3).clamp(min=0.1)
    assert metrics.sam(a, b) == pytest.approx(metrics.ae(a, b), abs=1e-9)
    assert metrics.sam_rad(a, b) == pytest.approx(math.radians(metrics.ae(a, b)), abs=1e-9)


def test_dark_spectra_have_no_direction() -> None:
    a, b = bands(0), bands(1)
    expected = metrics.sam(a[:, 1:], b[:, 1:])
    a[:, 0] = 1e-6
    assert metrics.sam(a, b) == pytest.approx(expected)
    assert math.isnan(metrics.sam(torch.zeros_like(a), b))


@pytest.mark.parametrize("metric", [metrics.sam, metrics.ergas, metrics.rmse_refl, metrics.mae_refl, metrics.bias_refl])
def test_invalid_pixels_leave_every_sum(metric) -> None:
    a, b, valid = bands(0), bands(1), torch.ones(12, 10, dtype=torch.bool)
    valid[:, 7:] = False
    expected = metric(a[..., :7], b[..., :7])
    a[:, ~valid], b[:, ~valid] = math.nan, -7
    assert metric(a, b, valid) == pytest.approx(expected)
    assert math.isnan(metric(a, b, torch.zeros_like(valid)))


def seamed(step: float) -> tuple[torch.Tensor, torch.Tensor]:
    whole = bands(0, 1).new_zeros(3, 24, 24) + 0.01 * torch.arange(24)
    tiled = whole.clone()
    tiled[:, :, 8:10] += step  # what a tile gets wrong beside its border
    return tiled, whole


def test_a_seam_is_found_where_tiles_meet() -> None:
    tiled, whole = seamed(0.2)
    found = metrics.seam(tiled, whole, tile_px=8)
    assert found.max == pytest.approx(0.2)
    assert found.mean == pytest.approx(0.2 * 2 * 24 / (24 * 24 - 16 * 16))  # 8 of 24 rows and columns are near
    assert found.ratio == math.inf
    assert metrics.seam_gradient(tiled, tile_px=8) > 5
    assert metrics.seam(whole, whole, tile_px=8) == metrics.Seam(0, 0, 1)
    assert metrics.seam_gradient(whole, tile_px=8) == pytest.approx(1)


def test_differences_everywhere_are_no_seam() -> None:
    whole = bands(0, 3).repeat(1, 4, 4)
    assert metrics.seam(whole + 0.01, whole, tile_px=16).ratio == pytest.approx(1)


def test_a_picture_of_one_tile_has_no_seam() -> None:
    with pytest.raises(ValueError, match="24 x 24 px holds no border between tiles of 24 px"):
        metrics.seam(*seamed(0.1), tile_px=24)
