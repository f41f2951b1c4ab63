"""Scores of pairs: reflectance where the truth has it, and the area that oracles leave open."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nirtrans.config import DataSettings, SourceSettings
from nirtrans.data.collection import open_collection
from nirtrans.data.stretch import Stretch
from nirtrans.data.synthetic import write_synthetic_raster
from nirtrans.errors import DataError
from nirtrans.evaluation.baselines import shifted
from nirtrans.evaluation.metrics import DEFAULT, REFLECTANCE
from nirtrans.evaluation.pairs import Pair, read_pairs
from nirtrans.evaluation.scoring import score_pair
from nirtrans.inference.scene import ArrayScene
from nirtrans.io.bands import Scaling

LANDSAT = Stretch.physical(Scaling((2.75e-5,) * 3, (-0.2,) * 3), 0.0, 0.3, 1.4)


def pair(stretch: Stretch | None = None) -> Pair:
    random = np.random.default_rng(0)
    nir, truth = random.random((1, 20, 30), dtype=np.float32), random.random((3, 20, 30), dtype=np.float32)
    return Pair("p", ArrayScene(nir), truth, None, stretch)


def test_the_stretch_is_undone() -> None:
    reflectance = np.linspace(0, 0.3, 20, dtype=np.float32).reshape(1, 4, 5).repeat(3, 0)
    shown = LANDSAT.apply((reflectance + 0.2) / 2.75e-5)
    found = LANDSAT.to_physical(shown)
    assert found is not None
    assert np.abs(found - reflectance).max() < 1e-6
    assert Stretch((0.0,) * 3, (255.0,) * 3).to_physical(shown) is None


def test_reflectance_is_scored_where_it_is_known() -> None:
    given = pair(LANDSAT)
    too_bright = np.ones_like(given.truth)
    found = score_pair("model", too_bright, given)
    assert list(found) == [*DEFAULT, *REFLECTANCE]
    truth = LANDSAT.to_physical(given.truth)
    assert truth is not None
    assert found["bias_refl"] == pytest.approx((0.3 - truth).mean(), abs=1e-6)
    assert found["rmse_refl_green"] == pytest.approx(((0.3 - truth[1]) ** 2).mean() ** 0.5, abs=1e-6)
    assert list(score_pair("model", too_bright, pair())) == list(DEFAULT)


def test_rasters_with_known_scaling_have_reflectance(tmp_path: Path) -> None:
    write_synthetic_raster(tmp_path / "scene.tif", size=(64, 64))
    for sources, known in (({}, True), ({"sensor": "naip"}, False)):
        settings = DataSettings(sources=(SourceSettings(path=str(tmp_path), **sources),), crop_px=32)
        given = next(read_pairs(open_collection(settings, "nir")))
        found = score_pair("model", given.truth, given)
        assert ("rmse_refl" in found) == known
        assert found["excluded"] == pytest.approx(0 if given.valid is None else (~given.valid).mean())


def test_only_oracles_may_leave_pixels_open() -> None:
    given = pair()
    open_border = shifted(given, by_px=2)
    assert math.isfinite(score_pair("shift2", open_border, given)["psnr"])
    assert score_pair("shift2", open_border, given)["excluded"] == pytest.approx(2 / 30)
    assert math.isnan(score_pair("model", open_border, given)["psnr"])


def test_a_truth_of_another_size_is_named() -> None:
    given = replace(pair(), truth=np.zeros((3, 9, 9), np.float32))
    with pytest.raises(DataError, match=r"p: truth .* does not fit the source"):
        score_pair("model", np.zeros((3, 20, 30), np.float32), given)
