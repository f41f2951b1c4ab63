"""Parameter counts, sizes of the maps of logits, and how far one logit looks."""

import pytest
import torch

from nirtrans.nn.discriminators import FPNDiscriminator, PatchDiscriminator


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("count", "inputs", "settings"),
    [
        (2_764_481, 1, {"norm": "batch"}),
        (2_762_689, 1, {"norm": "instance"}),
        (2_764_737, 3, {"norm": "instance"}),
        (6_962_369, 3, {"norm": "batch", "layers": 4}),
    ],
)
def test_patch_discriminator_has_the_parameters_of_its_table(count: int, inputs: int, settings: dict) -> None:
    with torch.device("meta"):
        assert parameters(PatchDiscriminator(inputs, **settings)) == count


def test_fpn_discriminator_has_the_parameters_of_its_table() -> None:
    with torch.device("meta"):
        assert parameters(FPNDiscriminator(3, norm="batch")) == 7_564_611


def test_sizes_of_the_maps_at_256_px() -> None:
    with torch.device("meta"):
        picture = torch.empty(1, 3, 256, 256)
        assert [map.shape[2:] for map in PatchDiscriminator(3)(picture)] == [(30, 30)]
        assert [map.shape[2:] for map in FPNDiscriminator(3)(picture)] == [(32, 32), (16, 16), (8, 8)]


def test_the_pyramid_joins_levels_of_odd_sizes() -> None:
    maps = FPNDiscriminator(3, width=4, pyramid=4)(torch.rand(2, 3, 88, 104))
    assert [tuple(map.shape) for map in maps] == [(2, 1, 11, 13), (2, 1, 5, 6), (2, 1, 2, 3)]


def test_a_patch_is_70_px_wide() -> None:
    critic = PatchDiscriminator(1, width=4, norm="none").double()
    picture = torch.rand(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    logits = critic(picture)[0]
    (gradient,) = torch.autograd.grad(logits[0, 0, 7, 7], picture)
    seen = gradient[0, 0].abs().sum(0).nonzero()
    assert int(seen.max() - seen.min()) + 1 == 70


@pytest.mark.parametrize("norm", ["instance", "batch", "group", "none"])
@pytest.mark.parametrize("kind", [PatchDiscriminator, FPNDiscriminator])
def test_every_parameter_is_used(kind: type, norm: str) -> None:
    critic = kind(3, width=4, norm=norm)
    sum(map.square().sum() for map in critic(torch.rand(2, 3, 64, 64))).backward()
    assert all(parameter.grad is not None for parameter in critic.parameters())
