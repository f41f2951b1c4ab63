"""Filling holes: by the nearest valid pixel, independent of what is hidden and of the window."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from nirtrans.inference.fill import FAR, REACH_PX, fill_invalid


def holes(seed: int, size: tuple[int, int] = (40, 50), share: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.random((2, *size), dtype=np.float32), random.random(size) > share


@given(st.integers(0, 1000), st.floats(0.3, 0.999))
@settings(max_examples=30)
def test_fill_takes_a_nearest_valid_pixel(seed: int, share: float) -> None:
    pixels, valid = holes(seed, share=share)
    filled = fill_invalid(pixels, valid)
    distance = distance_transform_edt(~valid) if valid.any() else np.full(valid.shape, np.inf)
    for row, column in np.argwhere(~valid)[::37]:
        if distance[row, column] > REACH_PX:
            assert (filled[:, row, column] == FAR).all()
            continue
        rows, columns = np.nonzero(valid)
        near = np.isclose(np.hypot(rows - row, columns - column), distance[row, column])
        assert (pixels[:, rows[near], columns[near]] == filled[:, row, column, None]).all(0).any()


def test_valid_pixels_stay_and_hidden_values_do_not_matter() -> None:
    pixels, valid = holes(0)
    other = np.where(valid, pixels, np.float32("nan"))
    assert np.array_equal(fill_invalid(pixels, valid), fill_invalid(other, valid))
    assert np.array_equal(fill_invalid(pixels, valid)[:, valid], pixels[:, valid])


def test_windows_with_a_margin_agree() -> None:
    pixels, valid = holes(1, (150, 160), 0.999)
    whole = fill_invalid(pixels, valid)
    part = fill_invalid(pixels[:, 20:120, 25:130], valid[20:120, 25:130])
    inner = slice(REACH_PX, -REACH_PX)
    assert np.array_equal(part[:, inner, inner], whole[:, 20:120, 25:130][:, inner, inner])


def test_without_holes_nothing_is_copied() -> None:
    pixels, _ = holes(2)
    assert fill_invalid(pixels, None) is pixels
    assert fill_invalid(pixels, np.ones((40, 50), bool)) is pixels


def test_nothing_valid_is_grey() -> None:
    pixels, valid = holes(3)
    assert (fill_invalid(pixels, np.zeros_like(valid)) == FAR).all()
