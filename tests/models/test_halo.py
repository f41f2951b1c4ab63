"""The halo probe: published radii, other layers, networks that see everything."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from nirtrans.config import Settings
from nirtrans.config_files import resolve_run
from nirtrans.errors import InputError
from nirtrans.models import System, build_system
from nirtrans.models.halo import probe
from nirtrans.nn.generators import UNet


class Probed(System):
    """One network under the probe."""

    phases = {"generator": ("net",)}
    inference = ("net",)

    def __init__(self, net: nn.Module) -> None:
        super().__init__(Settings(), in_channels=1)
        self.net = net

    def colorize(self, source: torch.Tensor) -> torch.Tensor:
        return self.net(source)


@pytest.mark.parametrize(
    ("settings", "radius", "halo", "stride"),
    [
        ([], 170, 176, 8),
        (["network.blocks=6"], 122, 128, 8),
        (["network.up=convt", "network.norm=batch"], 170, 176, 8),
        (["network.halvings=2"], 86, 88, 4),
    ],
)
def test_radii_of_the_full_network(settings: list[str], radius: int, halo: int, stride: int) -> None:
    with torch.device("meta"):
        system = build_system(resolve_run("cyclegan-asym", overrides=settings))
    reach = probe(system)
    assert (reach.radius_px, reach.halo_px, reach.stride_px, reach.bounded) == (radius, halo, stride, True)


@pytest.mark.parametrize(
    ("net", "radius", "stride"),
    [
        (nn.Conv2d(1, 3, 1), 0, 1),
        (nn.Conv2d(1, 3, 3, padding=1), 1, 1),
        (nn.Conv2d(1, 3, (7, 3), padding=(3, 1)), 3, 1),
        (nn.Conv2d(1, 3, 3, padding=4, dilation=4), 4, 1),
        (nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Sigmoid()), 3, 2),
        (nn.Sequential(nn.MaxPool2d(2), nn.BatchNorm2d(1), nn.Conv2d(1, 3, 1), nn.Upsample(scale_factor=2)), 0, 2),
        (nn.Sequential(nn.MaxPool2d(3, 3), nn.Conv2d(1, 3, 1), nn.Upsample(scale_factor=3)), 0, 3),
    ],
    ids=["pointwise", "conv3", "oblong", "dilated", "strided", "pooled", "stride-3"],
)
def test_radii_by_hand(net: nn.Module, radius: int, stride: int) -> None:
    reach = probe(Probed(net))
    assert (reach.radius_px, reach.stride_px) == (radius, stride)
    assert reach.halo_px == -(-radius // stride) * stride


@pytest.mark.parametrize(("depth", "radius"), [(4, 31), (6, 127), (7, 255)])
def test_a_unet_reaches_two_cells_of_its_bottom(depth: int, radius: int) -> None:
    reach = probe(Probed(UNet(1, 3, width=2, depth=depth)))
    assert (reach.radius_px, reach.halo_px, reach.stride_px) == (radius, 2 * 2**depth, 2**depth)


def test_a_network_with_a_global_branch_is_unbounded() -> None:
    class Global(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x + F.adaptive_avg_pool2d(x, 1)).expand(-1, 3, -1, -1)

    assert not probe(Probed(Global())).bounded


def test_weights_do_not_matter_and_stay_as_they_are() -> None:
    net = nn.Conv2d(1, 3, 3, padding=1)
    nn.init.zeros_(net.weight)
    system = Probed(net)
    assert probe(system).radius_px == 1
    assert system.net is net
    assert not net.weight.any()


def test_a_network_that_accepts_nothing_is_refused() -> None:
    class Refusing(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise InputError("no")

    with pytest.raises(InputError, match="halo probe needs a network that accepts"):
        probe(Probed(Refusing()))


def test_networks_that_do_not_colorize_may_be_of_any_kind() -> None:
    class Judged(Probed):
        phases = {"generator": ("net",), "discriminator": ("critic",)}

        def __init__(self) -> None:
            super().__init__(nn.Conv2d(1, 3, 3, padding=1))
            self.critic = spectral_norm(nn.Conv2d(3, 1, 3))

    system = Judged()
    assert probe(system).radius_px == 1
    assert isinstance(system.critic, nn.Conv2d)
