"""Luma has the weights of BT.601; the lightness of colorized pictures is whose it shall be, inside sRGB."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nirtrans.color.luma import luma, with_luma
from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.kernels import rgb_to_lab

LEVELS = st.floats(0, 1)


def lab(rgb: torch.Tensor) -> torch.Tensor:
    return rgb_to_lab(rgb.double())


def lightness(grey: torch.Tensor) -> torch.Tensor:
    return lab(grey.expand(-1, 3, -1, -1).contiguous())[:, :1]


def muted(count: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours and sources whose mixtures all lie inside sRGB."""
    return 0.45 + 0.1 * torch.rand(count, 3, 6, 6), 0.4 + 0.2 * torch.rand(count, 1, 6, 6)


def test_primaries_weigh_as_in_bt601() -> None:
    primaries = torch.eye(3).view(3, 3, 1, 1)
    assert luma(primaries).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])


def test_grey_is_its_own_luma_in_either_range() -> None:
    grey = torch.rand(2, 1, 4, 5)
    torch.testing.assert_close(luma(grey.expand(-1, 3, -1, -1)), grey)
    rgb = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(to_unit(luma(to_signed(rgb))), luma(rgb))


def test_autocast_does_not_round_it() -> None:
    rgb = torch.rand(1, 3, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = luma(rgb)
    assert torch.equal(found, luma(rgb))


def test_predict_changes_nothing() -> None:
    rgb, source = torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 4)
    assert with_luma(rgb, source, mode="predict") is rgb


def test_copy_takes_lightness_from_the_source_and_chroma_from_the_colours() -> None:
    rgb, source = muted()
    result = lab(with_luma(rgb, source, mode="copy"))
    torch.testing.assert_close(result[:, :1], lightness(source), rtol=0, atol=1e-3)
    torch.testing.assert_close(result[:, 1:], lab(rgb)[:, 1:], rtol=0, atol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_blend_mixes_lightness(share: float) -> None:
    rgb, source = muted()
    result = lab(with_luma(rgb, source, mode="blend", share=share))
    expected = share * lightness(source) + (1 - share) * lab(rgb)[:, :1]
    torch.testing.assert_close(result[:, :1], expected, rtol=0, atol=1e-3)
    torch.testing.assert_close(result[:, 1:], lab(rgb)[:, 1:], rtol=0, atol=1e-3)


def test_several_channels_are_shown_as_their_mean() -> None:
    rgb, source = muted()
    mixed = torch.cat([source - 0.1, source + 0.1], 1)
    torch.testing.assert_close(with_luma(rgb, mixed, mode="copy"), with_luma(rgb, source, mode="copy"))


@given(st.tuples(LEVELS, LEVELS, LEVELS), LEVELS)
@settings(max_examples=60)
def test_lightness_is_kept_where_chroma_must_give_way(colour: tuple[float, float, float], level: float) -> None:
    rgb = torch.tensor(colour, dtype=torch.float64).view(1, 3, 1, 1)
    source = torch.tensor(level, dtype=torch.float64).view(1, 1, 1, 1)
    result = with_luma(rgb, source, mode="copy")
    assert 0 <= result.min() <= result.max() <= 1
    torch.testing.assert_close(lab(result)[:, :1], lightness(source), rtol=0, atol=1e-6)
    before, after = (image[:, 1:].norm() for image in (lab(rgb), lab(result)))
    assert after <= before + 1e-6


def test_a_colour_outside_gives_way_just_enough() -> None:
    blue = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
    result = with_luma(blue, torch.full((1, 1, 1, 1), 0.8), mode="copy")
    assert result.max().item() == pytest.approx(1, abs=1e-5), "it stays at the border of sRGB"
    assert result[0, 2] > result[0, 0] + 0.1, "and blue"


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_black_and_white_sources_leave_no_colour(level: float) -> None:
    result = with_luma(torch.rand(1, 3, 4, 4), torch.full((1, 1, 4, 4), level), mode="copy")
    torch.testing.assert_close(result, torch.full((1, 3, 4, 4), level), rtol=0, atol=1e-5)


def test_lines_stay_black_and_paper_takes_the_colour_unchanged() -> None:
    rgb = torch.rand(2, 3, 4, 6)
    drawing = torch.ones(2, 1, 4, 6)
    drawing[..., :2], drawing[..., 2:4] = 0, 0.25
    result = with_luma(rgb, drawing, mode="lines")
    assert torch.equal(result[..., :2], torch.zeros(2, 3, 4, 2))
    assert torch.equal(result[..., 2:4], 0.25 * rgb[..., 2:4])
    assert torch.equal(result[..., 4:], rgb[..., 4:])


def test_lines_of_several_channels_are_their_mean_inside_the_unit_range() -> None:
    rgb = torch.rand(1, 3, 4, 4)
    assert torch.equal(with_luma(rgb, torch.full((1, 2, 4, 4), 1.5), mode="lines"), rgb)
    assert not with_luma(rgb, torch.full((1, 2, 4, 4), -0.5), mode="lines").any()


@pytest.mark.parametrize("mode", ["copy", "blend", "lines"])
def test_pixels_are_on_their_own(mode: str) -> None:
    rgb, source = torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8)
    whole = with_luma(rgb, source, mode=mode)
    spoilt = rgb.clone()
    spoilt[..., 4:] = torch.nan
    torch.testing.assert_close(with_luma(spoilt, source, mode=mode)[..., :4], whole[..., :4])


def test_half_precision_is_mixed_in_float32() -> None:
    rgb, source = muted()
    half = with_luma(rgb.bfloat16(), source.bfloat16(), mode="copy")
    assert half.dtype == torch.bfloat16
    exact = with_luma(rgb.bfloat16().float(), source.bfloat16().float(), mode="copy")
    torch.testing.assert_close(half, exact.bfloat16())
