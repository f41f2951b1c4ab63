"""Noise in use: tiles show the picture that the whole gives, to the mirrored border."""

import numpy as np
import pytest
import torch

from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.padding import colorize_any_size
from nirtrans.inference.scene import ArrayScene
from nirtrans.inference.tiling import Grid
from nirtrans.models import build_system
from nirtrans.models.halo import probe
from nirtrans.models.weights import ModelInfo
from tests.models.tiny import tiny_run

SIZE = (75, 122)  # no multiples of the stride


def colorizer(norm: str, **network: object) -> Colorizer:
    run = tiny_run("scgan-triplet", norm=norm, **network)
    system = build_system(run).eval()
    for weight in system.parameters():
        weight.data.mul_(3)  # as drawn, the networks answer with grey
    info = ModelInfo(model=run.model, run=run, halo_px=16, stride_px=8)  # as the probe finds, see below
    return Colorizer(system, info, device=torch.device("cpu"))


def picture() -> np.ndarray:
    return np.random.default_rng(0).random(SIZE).astype(np.float32)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_tiles_with_noise_equal_the_whole(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = colorizer(norm, noise=0.5)
    stride = model.info.stride_px
    whole = model.colorize(picture())
    found = []
    for halo in (model.info.halo_px, 0):
        monkeypatch.setattr(model, "grid", lambda scene, halo=halo: Grid(*SIZE, 2 * stride, halo, stride))
        found.append(np.abs(model.colorize(picture()) - whole).max())
    assert found[0] < 1e-4
    assert found[1] > 1e-2  # the test can fail


def test_noise_is_fixed_felt_and_chosen_by_the_seed() -> None:
    results = [
        colorizer("batch", **noise).colorize(picture())
        for noise in ({"noise": 0.5}, {"noise": 0.5}, {"noise": 0.5, "noise_seed": 1}, {"noise": 0.0})
    ]
    assert np.array_equal(results[0], results[1])
    assert np.abs(results[0] - results[2]).max() > 1e-2
    assert np.abs(results[0] - results[3]).max() > 1e-2


def test_validation_shows_the_same_as_colorizing() -> None:
    model = colorizer("batch", noise=0.5)
    source = torch.from_numpy(picture())[None, None]
    shown = colorize_any_size(model.system, source, stride_px=model.info.stride_px)
    assert torch.equal(shown, model.colorize(source))


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_sampled_statistics_see_the_noise_of_their_places(noise: float) -> None:
    model = colorizer("instance", noise=noise)
    model.budget_px = 1  # four tiles are sampled
    sample = model.freeze(ArrayScene(np.full((1, 520, 530), 0.5, np.float32)))
    assert sample.tiles == 4
    assert (sample.tone_difference > 0) == (noise > 0), "tiles of one grey differ by their noise alone"


def test_the_probe_measures_the_same_halo_with_noise() -> None:
    for noise in (0.0, 20.0):
        reach = probe(build_system(tiny_run("scgan-triplet", noise=noise)))
        assert (reach.halo_px, reach.stride_px, reach.bounded) == (16, 8, True)
