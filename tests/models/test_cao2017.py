"""cao2017: sizes of its published tables, noise that belongs to places, and many colourings of one picture."""

import pytest
import torch
from torch import nn

from nirtrans.color.chroma import chroma
from nirtrans.color.spaces import rgb_to_yuv
from nirtrans.config import Run
from nirtrans.errors import InputError
from nirtrans.models import System, build_system, count_parameters
from nirtrans.models.cao2017 import Cao2017
from tests.models.tiny import tiny_batch, tiny_run


def without_norms(network: nn.Module) -> int:
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    return sum(p.numel() for p in network.parameters()) - sum(p.numel() for n in norms for p in n.parameters())


def test_parameters_as_published() -> None:
    with torch.device("meta"):
        built = build_system(Run(model="cao2017", domain="gray", network={"dense_px": 64}))
    assert without_norms(built.to_ab) == 894_644
    assert count_parameters(built) - count_parameters(built.to_ab) == 4_830_977


def system(**network: object) -> Cao2017:
    built: System = build_system(tiny_run("cao2017", **network)).eval()
    assert isinstance(built, Cao2017)
    return built


@pytest.mark.parametrize("dense_px", [None, 32])
def test_a_seed_is_a_colouring(dense_px: int | None) -> None:
    built, source = system(dense_px=dense_px, noisy_layers=3), torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        first, second, third = built.variants(source, count=3)
        assert torch.equal(first, built.predict(source))
        assert torch.equal(built.variants(source, count=1, seed=2)[0], third)
    with pytest.raises(ValueError, match="expected a count of 1 or more, got 0"):
        built.variants(source, count=0)
    assert not torch.allclose(first, second)
    assert not torch.allclose(second, third)


def test_training_draws_noise_anew_and_repeatably() -> None:
    built, batch = system().train(), tiny_batch(1)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(built.forward_train(batch)["fake"])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[1], drawn[2])


def test_noise_is_uniform() -> None:
    noise = system().to_ab._noise_map(torch.zeros(1, 1, 256, 256), 5)
    assert noise.abs().max() <= 1
    assert noise.mean().abs() < 0.01
    assert abs(noise.square().mean().item() - 1 / 3) < 0.01


@pytest.mark.parametrize("noisy", [1, 2, 3])
def test_layers_see_brightness_and_the_first_ones_noise(noisy: int) -> None:
    network = system(noisy_layers=noisy).to_ab
    channels = [layer[0].in_channels for layer in (*network.body, network.head)]
    assert channels == [1 + 1, *(width + 1 + (number < noisy) for number, width in enumerate((8, 4, 4, 4, 2), 1))]


def test_dense_noise_fits_one_size() -> None:
    with pytest.raises(InputError, match=r"size 32x64 does not fit the dense noise.*use 64x64, or .*dense_px=null"):
        system(dense_px=64).predict(torch.zeros(1, 1, 32, 64))


def test_true_differences_make_true_chroma(monkeypatch: pytest.MonkeyPatch) -> None:
    built, target = system(), torch.rand(1, 3, 32, 32)
    yuv = rgb_to_yuv(target)
    scaled = yuv[:, 1:] / torch.tensor([0.436, 0.615]).view(2, 1, 1)
    monkeypatch.setattr(built.to_ab, "forward", lambda y: scaled)
    torch.testing.assert_close(built.predict(yuv[:, :1]), chroma(target), rtol=0, atol=1e-3)
