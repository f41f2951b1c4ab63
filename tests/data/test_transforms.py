"""Crops stay inside, and what is done to pixels is done to their mask."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nirtrans.data.picture import InMemory, Pixels, Window, cut
from nirtrans.data.transforms import Placement, jitter_tone, place_crop, read_crop


@dataclass(frozen=True)
class Masked(InMemory):
    """Valid where the first channel is positive."""

    def read(self, window: Window | None = None) -> Pixels:
        return cut(self.pixels, window), cut(self.pixels, window)[0] > 0


def noise(height: int, width: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).random((channels, height, width), dtype=np.float32)


@given(st.integers(0, 999), st.integers(16, 40), st.integers(16, 40), st.floats(0, 1))
@example(34, 16, 16, 1.0)  # draws a window of less than half a pixel
@settings(max_examples=60)
def test_crops_lie_inside_and_have_the_side_asked_for(seed: int, height: int, width: int, jitter: float) -> None:
    picture = InMemory("a", "a", noise(height, width))
    placement = place_crop(np.random.default_rng(seed), picture, 16, scale_jitter=jitter)
    top, left, rows, columns = placement.window
    assert min(top, left) >= 0
    assert top + rows <= height
    assert left + columns <= width
    pixels, valid = read_crop(picture, placement)
    assert pixels.shape == (1, 16, 16)
    assert valid.shape == (1, 16, 16)
    assert valid.all()


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (10, 15)])
def test_crops_are_cut_as_from_a_resized_picture(height: int, width: int) -> None:
    picture = InMemory("a", "a", noise(height, width))
    placement = place_crop(np.random.default_rng(0), picture, 16, short_side_px=20)
    assert placement.window[2:] == (min(height, width) * 16 // 20,) * 2  # 16 of 20 pixels of the shorter side
    assert read_crop(picture, placement)[0].shape == (1, 16, 16)


def test_every_place_and_pose_comes_up() -> None:
    rng, picture = np.random.default_rng(0), InMemory("a", "a", noise(18, 18))
    found = [place_crop(rng, picture, 16) for _ in range(300)]
    assert {p.window[0] for p in found} == {p.window[1] for p in found} == {0, 1, 2}
    assert {(p.mirrored, p.quarter_turns) for p in found} == {(m, t) for m in (False, True) for t in range(4)}


def test_photographs_are_never_turned_and_flip_can_be_off() -> None:
    rng = np.random.default_rng(0)
    upright = InMemory("a", "a", noise(18, 18), turnable=False)
    assert {place_crop(rng, upright, 16).quarter_turns for _ in range(50)} == {0}
    plain = [place_crop(rng, InMemory("a", "a", noise(18, 18)), 16, flip=False) for _ in range(50)]
    assert {(p.mirrored, p.quarter_turns) for p in plain} == {(False, 0)}


@pytest.mark.parametrize("side", [16, 12, 24])
@pytest.mark.parametrize(("mirrored", "turns"), [(False, 0), (True, 0), (True, 1), (False, 3)])
def test_the_mask_follows_its_pixels(side: int, mirrored: bool, turns: int) -> None:
    pixels = np.ones((1, 20, 20), np.float32)
    pixels[:, 3:9, 4:7] = 0
    values, valid = read_crop(Masked("a", "a", pixels), Placement((2, 1, 16, 16), side, mirrored, turns))
    assert torch.equal(valid, values > 0.999)
    assert not valid.all()


def test_turns_are_quarter_turns() -> None:
    picture = InMemory("a", "a", noise(16, 16))
    plain, _ = read_crop(picture, Placement((0, 0, 16, 16), 16, False, 0))
    turned, _ = read_crop(picture, Placement((0, 0, 16, 16), 16, True, 1))
    assert torch.equal(turned, plain.flip(-1).rot90(1, (-2, -1)))


@given(st.integers(0, 999), st.floats(0.01, 1))
@settings(max_examples=40)
def test_a_change_of_tone_keeps_range_and_order(seed: int, amount: float) -> None:
    ramp = torch.linspace(0, 1, 64).view(1, 8, 8)
    changed = jitter_tone(np.random.default_rng(seed), ramp, amount)
    assert 0 <= changed.min() <= changed.max() <= 1
    assert (changed.flatten().diff() >= 0).all()


def test_tone_is_gamma_gain_and_offset() -> None:
    class Fixed:
        def uniform(self, low: float, high: float, size: int) -> np.ndarray:
            return np.array([1.0, -1.0, 0.5])

    grey = torch.full((1, 1, 1), 0.25)
    expected = 0.25 ** np.exp(0.4) * np.exp(-0.2) + 0.04
    assert jitter_tone(Fixed(), grey, 0.4).item() == pytest.approx(expected, rel=1e-6)
