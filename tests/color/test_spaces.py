"""YUV and YCbCr: the standards' numbers, and both ways undo each other."""

import pytest
import torch

from nirtrans.color.luma import luma
from nirtrans.color.spaces import rgb_to_ycbcr, rgb_to_yuv, ycbcr_to_rgb, yuv_to_rgb

WAYS = {"yuv": (rgb_to_yuv, yuv_to_rgb), "ycbcr": (rgb_to_ycbcr, ycbcr_to_rgb)}
CUBE = torch.cartesian_prod(*[torch.linspace(0, 1, 5, dtype=torch.float64)] * 3).T.reshape(1, 3, 5, 25)
YUV = [[0.299, 0.587, 0.114], [-0.14713, -0.28886, 0.436], [0.615, -0.51499, -0.10001]]
"""ITU-R BT.470-6, rounded to five decimals as usually printed."""
YCBCR = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
"""JFIF 1.02, without the offset of 0.5."""


@pytest.mark.parametrize(("way", "matrix", "offset"), [("yuv", YUV, 0.0), ("ycbcr", YCBCR, 0.5)])
def test_the_matrix_is_the_standards(way: str, matrix: list[list[float]], offset: float) -> None:
    expected = torch.einsum("ij,njhw->nihw", torch.tensor(matrix, dtype=torch.float64), CUBE)
    expected[:, 1:] += offset
    torch.testing.assert_close(WAYS[way][0](CUBE), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_a_round_trip_changes_nothing_even_outside_the_gamut(way: str) -> None:
    there, back = WAYS[way]
    rgb = 3 * torch.randn(2, 3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(back(there(rgb)), rgb, rtol=0, atol=1e-12)
    torch.testing.assert_close(there(back(rgb)), rgb, rtol=0, atol=1e-12)


@pytest.mark.parametrize("way", WAYS)
def test_a_gray_picture_is_its_own_brightness(way: str) -> None:
    grey = torch.rand(1, 1, 4, 4, dtype=torch.float64).expand(-1, 3, -1, -1)
    y, *differences = WAYS[way][0](grey).split(1, dim=1)
    torch.testing.assert_close(y, grey[:, :1])
    neutral = 0.5 if way == "ycbcr" else 0.0
    assert all((value - neutral).abs().max() < 1e-12 for value in differences)
    coloured = WAYS[way][1](torch.cat([y, *(value + 0.3 for value in differences)], dim=1))
    torch.testing.assert_close(luma(coloured), y)  # whatever the differences


@pytest.mark.parametrize("way", WAYS)
def test_the_cube_fills_the_stated_ranges(way: str) -> None:
    reach = WAYS[way][0](CUBE).amax((0, 2, 3)).tolist()
    assert reach == pytest.approx([1, 0.436, 0.615] if way == "yuv" else [1, 1, 1])
