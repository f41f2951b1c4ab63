"""Validation during training."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from nirtrans.config import Preprocessing, Run, Settings
from nirtrans.data.collection import Collection, InMemory
from nirtrans.evaluation.validation import colour_spread, validate
from nirtrans.inference.scene import ArrayScene
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo
from tests.inference.chroma_systems import Warm, photo_colorizer

STRIDE_PX = 64  # of networks with six halvings
INFO = ModelInfo(model="copy", run=Run(model="copy", domain="nir"), halo_px=0, stride_px=STRIDE_PX)
check = partial(validate, info=INFO)


class Copy(System):
    """Repeat the source and refuse sizes off the stride."""

    def colorize(self, source: torch.Tensor) -> torch.Tensor:
        assert all(size % STRIDE_PX == 0 for size in source.shape[-2:])
        assert not self.training
        return source.expand(-1, 3, -1, -1)


def collection(sizes: list[tuple[int, int]], offset: float = 0.1) -> Collection:
    random = np.random.default_rng(0)
    nir = [random.random((1, *size), dtype=np.float32) * 0.5 for size in sizes]
    sources = tuple(InMemory(str(i), str(i), pixels) for i, pixels in enumerate(nir))
    targets = tuple(InMemory(str(i), str(i), pixels.repeat(3, 0) + np.float32(offset)) for i, pixels in enumerate(nir))
    return Collection(sources, targets, True, Preprocessing(), "test")


def test_means_over_pictures_of_any_size() -> None:
    system = Copy(Settings(), in_channels=1).train()
    found = check(system, collection([(20, 33), (64, 64), (600, 12)]))
    assert found["psnr"] == pytest.approx(20, abs=1e-3)
    assert found["ae"] == pytest.approx(0, abs=1e-2)
    assert set(found) == {"psnr", "ssim", "ae"}
    assert system.training


def test_spread_of_colours_beside_the_targets() -> None:
    plain = collection([(16, 16), (20, 24)])
    half = np.array([1.0, 0.5, 0.0], dtype=np.float32)[:, None, None]
    coloured = tuple(replace(target, pixels=target.pixels * half) for target in plain.targets)
    chosen = replace(plain, targets=coloured)
    assert check(Copy(Settings(), in_channels=1), chosen)["spread"] == pytest.approx(0, abs=1e-6)
    image = torch.zeros(3, 1, 4)
    image[0, 0, :2] = 1.0  # red on half of the pixels: 2/3, -1/3, -1/3 or 0
    assert colour_spread(image) == pytest.approx(math.sqrt(6) / 6)
    assert colour_spread(image, torch.tensor([[True, True, False, False]])) == 0.0


def test_perfection_is_infinite() -> None:
    assert math.isinf(check(Copy(Settings(), in_channels=1), collection([(16, 16)], 0.0))["psnr"])


def test_at_most_limit_pictures_are_read() -> None:
    many = collection([(16, 16)] * 9)
    broken = replace(many.sources[1], pixels=None)  # neither the first, the middle nor the last one
    chosen = replace(many, sources=(many.sources[0], broken, *many.sources[2:]))
    assert check(Copy(Settings(), in_channels=1), chosen, limit=3)["psnr"] == pytest.approx(20, abs=1e-3)


def test_nothing_to_compare_is_empty() -> None:
    system = Copy(Settings(), in_channels=1)
    assert check(system, replace(collection([(16, 16)]), aligned=False)) == {}
    assert check(system, collection([])) == {}


def test_chroma_systems_are_judged_on_the_whole_picture_shrunk() -> None:
    random = np.random.default_rng(0)
    pixels = random.random((1, 600, 900), dtype=np.float32)
    pixels[:, :, 100:] = 0.5  # what makes it differ lies outside of the middle 512 px
    system, colorizer = Warm(), photo_colorizer()
    truth = colorizer.colorize_array(ArrayScene(pixels))
    aligned = Collection(
        (InMemory("a", "a", pixels),), (InMemory("a", "a", truth),), True, Preprocessing(), "colours of the system"
    )
    assert validate(system, aligned, info=colorizer.info)["psnr"] > 35
    assert system.seen == [torch.Size((1, 1, 32, 48))]
    black = replace(aligned, targets=(InMemory("a", "a", np.zeros_like(truth)),))
    assert validate(system, black, info=colorizer.info)["psnr"] < 10
