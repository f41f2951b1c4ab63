"""Laws of SSIM, by hypothesis."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nirtrans.kernels import ssim
from tests.kernels.ssim_pairs import holes, noisy_pair

SEEDS = st.integers(0, 2**31)
PADDINGS = st.sampled_from(["valid", "reflect", "zero"])
SIDES = st.integers(7, 19)
few = settings(max_examples=15)


def values(x: torch.Tensor, y: torch.Tensor, padding: str, **options: Any) -> torch.Tensor:
    return ssim(x, y, window_size=7, padding=padding, reduction="none", **options)


@few
@given(seed=SEEDS, padding=PADDINGS, height=SIDES, width=SIDES)
def test_symmetric_and_within_one(seed: int, padding: str, height: int, width: int) -> None:
    x, y = noisy_pair(1, 2, height, width, seed=seed)
    points = values(x, y, padding)
    # Fused multiply-adds round x^2 + y^2 in another order than y^2 + x^2.
    torch.testing.assert_close(points, values(y, x, padding), atol=6e-5, rtol=0)
    assert points.abs().max() <= 1
    assert values(x, 1 - x, padding).abs().max() <= 1
    torch.testing.assert_close(values(x, x, padding), torch.ones_like(points), atol=6e-5, rtol=0)


@few
@given(seed=SEEDS, padding=PADDINGS, height=SIDES, width=SIDES, dim=st.sampled_from([2, 3]))
def test_flips_flip_the_map(seed: int, padding: str, height: int, width: int, dim: int) -> None:
    x, y = noisy_pair(1, 1, height, width, dtype=torch.float64, seed=seed)
    torch.testing.assert_close(values(x.flip(dim), y.flip(dim), padding), values(x, y, padding).flip(dim))


@few
@given(seed=SEEDS, padding=PADDINGS, scale=st.floats(0.01, 300))
def test_scales_with_the_data_range(seed: int, padding: str, scale: float) -> None:
    x, y = noisy_pair(1, 1, 12, 13, dtype=torch.float64, seed=seed)
    torch.testing.assert_close(values(scale * x, scale * y, padding, data_range=scale), values(x, y, padding))


@few
@given(seed=SEEDS, padding=PADDINGS)
def test_all_true_mask_is_none(seed: int, padding: str) -> None:
    x, y = noisy_pair(2, 2, 12, 13, dtype=torch.float64, seed=seed)
    torch.testing.assert_close(values(x, y, padding, mask=torch.ones(12, 13, dtype=torch.bool)), values(x, y, padding))


@few
@given(seed=SEEDS, padding=PADDINGS, filling=st.sampled_from([0.0, 1e9, torch.nan, torch.inf]))
def test_masked_pixels_have_no_influence(seed: int, padding: str, filling: float) -> None:
    x, y = noisy_pair(1, 2, 12, 13, seed=seed)
    mask = holes(1, 12, 13)
    points = values(x, y, padding, mask=mask)
    assert torch.equal(values(x.masked_fill(~mask, filling), y, padding, mask=mask), points)


@pytest.mark.parametrize("padding", ["valid", "reflect", "zero"])
def test_planes_do_not_mix(padding: str) -> None:
    x, y = noisy_pair(3, 2, 12, 13)
    alone = values(x[1:2, 1:], y[1:2, 1:], padding)
    torch.testing.assert_close(values(x, y, padding)[1:2, 1:], alone, atol=6e-5, rtol=0)
