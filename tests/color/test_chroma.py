"""Lightness and chroma, apart and together."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nirtrans.color.chroma import chroma, lightness, with_chroma
from nirtrans.kernels import lab_to_rgb, rgb_to_lab


def test_white_black_and_grey() -> None:
    light = lightness(torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1)).flatten()
    torch.testing.assert_close(light, torch.tensor([0.0, 53.389, 100.0]), atol=1e-3, rtol=0)


@given(st.integers(0, 10**6), st.floats(0, 200))
@settings(max_examples=30, deadline=None)
def test_lightness_stays_whatever_the_chroma(seed: int, reach: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    source = torch.rand(1, 1, 6, 7, generator=generator, dtype=torch.float64)
    ab = reach * (2 * torch.rand(1, 2, 3, 4, generator=generator, dtype=torch.float64) - 1)
    rgb = with_chroma(source, ab)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    torch.testing.assert_close(rgb_to_lab(rgb)[:, :1], lightness(source), atol=1e-6, rtol=0)


def test_true_chroma_gives_the_picture_back() -> None:
    rgb = torch.rand(1, 3, 5, 5, dtype=torch.float64)
    light = rgb_to_lab(rgb)[:, :1]
    grey = torch.cat([light, light * 0, light * 0], 1)
    torch.testing.assert_close(with_chroma(lab_to_rgb(grey)[:, :1], chroma(rgb)), rgb, atol=1e-6, rtol=0)


def test_grey_stays_grey_without_chroma() -> None:
    source = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(with_chroma(source, torch.zeros(2, 2, 1, 1)), source.expand(-1, 3, -1, -1))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_goes_through_float32(dtype: torch.dtype) -> None:
    source = torch.rand(1, 1, 4, 4).to(dtype)
    rgb = with_chroma(source, torch.full((1, 2, 1, 1), 30.0).to(dtype))
    assert rgb.dtype == dtype
    torch.testing.assert_close(rgb, with_chroma(source.float(), torch.full((1, 2, 1, 1), 30.0)).to(dtype))
