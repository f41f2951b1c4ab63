"""Baselines: each is what its name says, and none looks at invalid pixels."""

import numpy as np
import pytest

from nirtrans.evaluation.baselines import (
    COPIES,
    ORACLES,
    Palette,
    common_area,
    oracle_grey,
    oracle_mean,
    shifted,
    source_copy,
)
from nirtrans.evaluation.metrics import ae, psnr
from nirtrans.evaluation.pairs import Pair
from nirtrans.evaluation.reference import learn_reference
from nirtrans.inference.scene import ArrayScene


def learn_palette(pairs: list[Pair]) -> Palette:
    return learn_reference("nir", pairs).palette


def pair(seed: int = 0, valid: np.ndarray | None = None) -> Pair:
    """Colours that follow from the source level: red as it is, green half, blue none."""
    levels = np.random.default_rng(seed).integers(0, 256, (1, 20, 30)).astype(np.float32) / 255
    truth = np.concatenate([levels, levels / 2, np.zeros_like(levels)])
    return Pair("p", ArrayScene(levels, valid), truth, valid)


def test_the_lookup_table_finds_colours_that_follow_from_the_level() -> None:
    palette = learn_palette([pair(0), pair(1)])
    found = palette.lut(pair(2))
    assert found.shape == (3, 20, 30)
    assert np.abs(found - pair(2).truth).max() < 1e-3


def test_empty_levels_are_interpolated() -> None:
    source = np.array([[[0.0, 1.0]]], dtype=np.float32)
    palette = learn_palette([Pair("p", ArrayScene(source), source.repeat(3, 0), None)])
    assert np.allclose(palette.table[0], np.linspace(0, 1, 256), atol=1e-6)


def test_the_mean_colour_is_the_mean_of_valid_pixels() -> None:
    valid = np.zeros((20, 30), dtype=bool)
    valid[:5] = True
    given = pair(0, valid)
    given.truth[:, ~valid] = np.nan
    palette = learn_palette([given])
    assert np.allclose(palette.mean, given.truth[:, valid].mean(axis=1), atol=1e-6)
    assert palette.mean_colour(given).shape == (3, 20, 30)


def test_colourless_baselines_share_one_angle() -> None:
    given = Pair("p", ArrayScene(pair().source.pixels.clip(0.1)), pair().truth.clip(0.1), None)
    copied, oracle = source_copy(given).transpose(1, 2, 0), oracle_grey(given).transpose(1, 2, 0)
    truth = given.truth.transpose(1, 2, 0)
    assert ae(copied, truth) == pytest.approx(ae(oracle, truth), abs=1e-4)
    assert psnr(oracle, truth) > psnr(copied, truth)


def test_nothing_to_learn_from_is_grey() -> None:
    palette = learn_palette([])
    assert np.allclose(palette.lut(pair())[1], pair().source.pixels[0], atol=1e-6)
    for domain in ("nir", "lineart"):
        found = learn_reference(domain, []).predictors()
        assert list(found) == [COPIES[domain], "lut", "mean-colour", *ORACLES]
    assert set(ORACLES) == {"oracle-grey", "oracle-mean", "shift1", "shift2"}


def test_the_oracle_mean_is_the_best_single_colour_of_this_picture() -> None:
    valid = np.zeros((20, 30), dtype=bool)
    valid[:5] = True
    given = pair(0, valid)
    given.truth[:, ~valid] = np.nan
    shown = oracle_mean(given)
    assert np.allclose(shown[:, 0, 0], given.truth[:, valid].mean(axis=1))
    other = learn_palette([pair(1)]).mean_colour(given)
    truth = given.truth.transpose(1, 2, 0)
    assert psnr(shown.transpose(1, 2, 0), truth, valid) > psnr(other.transpose(1, 2, 0), truth, valid)
    assert not oracle_mean(pair(0, np.zeros((20, 30), dtype=bool))).any()


@pytest.mark.parametrize("by_px", [1, 2])
def test_shifts_count_where_both_pictures_are_known(by_px: int) -> None:
    given = pair()
    shown = shifted(given, by_px=by_px)
    assert np.array_equal(shown[..., by_px:], given.truth[..., :-by_px])
    area = common_area(shown, given)
    assert area[:, by_px:].all()
    assert not area[:, :by_px].any()
    truth = given.truth.transpose(1, 2, 0)
    expected = psnr(truth[:, :-by_px], truth[:, by_px:])
    assert psnr(shown.transpose(1, 2, 0), truth, area) == pytest.approx(expected)


def test_nodata_is_shifted_as_well() -> None:
    valid = np.ones((20, 30), dtype=bool)
    valid[4, 7] = False
    given = pair(0, valid)
    area = common_area(shifted(given, by_px=2), given)
    assert not area[4, 7]
    assert not area[4, 9]
    assert area[4, 8]
