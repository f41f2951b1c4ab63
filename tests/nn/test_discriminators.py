"""Parameter counts, sizes of the maps of logits, and how far one logit looks."""

import copy

import pytest
import torch

from nirtrans.errors import InputError
from nirtrans.nn.discriminators import Critic, FPNDiscriminator, PatchDiscriminator, make_critic


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


@pytest.mark.parametrize(
    ("count", "inputs", "settings"),
    [
        (2_764_481, 1, Critic(norm="batch")),
        (2_767_553, 4, Critic(norm="batch")),
        (2_762_689, 1, Critic()),
        (2_764_737, 3, Critic()),
        (2_767_553, 4, Critic(norm="batch", spectral=True)),
        (3 * 2_764_481, 1, Critic(norm="batch", kind="multiscale")),
        (7_564_611, 3, Critic(norm="batch", kind="fpn")),
    ],
)
def test_settings_build_the_networks_of_the_tables(count: int, inputs: int, settings: Critic) -> None:
    with torch.device("meta"):
        assert parameters(make_critic(settings, inputs)) == count


KINDS = [
    Critic(width=4),
    Critic(width=4, kind="multiscale", scales=2),
    Critic(width=4, kind="fpn", layers=4),
    Critic(width=4, spectral=True),
    Critic(width=4, kind="multiscale", scales=2, spectral=True),
]
every_kind = pytest.mark.parametrize("settings", KINDS, ids=lambda s: s.kind + "-spectral" * s.spectral)


def test_a_multiscale_critic_halves_the_picture() -> None:
    with torch.device("meta"):
        maps = make_critic(Critic(kind="multiscale"), 3)(torch.empty(1, 3, 256, 256))
    assert [map.shape[2:] for map in maps] == [(30, 30), (14, 14), (6, 6)]


def test_scales_see_averages_and_have_weights_of_their_own() -> None:
    critic = make_critic(Critic(width=4, kind="multiscale", scales=2), 1).eval()
    grey = torch.full((1, 1, 64, 64), 0.3)
    torch.testing.assert_close(critic(grey)[1], critic.critics[1](grey[..., ::2, ::2])[0])
    assert not torch.equal(*(patch.head.weight for patch in critic.critics))


@every_kind
def test_features_come_with_the_same_logits(settings: Critic) -> None:
    critic, image = make_critic(settings, 3).eval(), torch.rand(2, 3, 64, 64)
    logits, features = critic(image, features=True)
    assert all(torch.equal(one, other) for one, other in zip(logits, critic(image), strict=True))
    sizes = {"patch": [32, 16, 8, 7], "multiscale": [32, 16, 8, 7, 16, 8, 4, 3], "fpn": [32, 16, 8, 4]}
    assert [one.shape[-1] for one in features] == sizes[settings.kind]


def test_pictures_without_room_for_a_patch_are_refused() -> None:
    with pytest.raises(InputError, match="needs pictures of 24 px or more, got 32x16; use fewer layers or scales"):
        make_critic(Critic(width=2), 1)(torch.zeros(1, 1, 32, 16))
    assert make_critic(Critic(width=2), 1)(torch.zeros(1, 1, 24, 24))[0].shape == (1, 1, 1, 1)
    multiscale = make_critic(Critic(width=2, kind="multiscale", scales=3), 1)
    assert multiscale(torch.zeros(1, 1, 96, 96))[-1].shape == (1, 1, 1, 1)
    with pytest.raises(InputError, match="96 px or more, got 88x96"):
        multiscale(torch.zeros(1, 1, 88, 96))
    with pytest.raises(ValueError, match="layers of an fpn critic must be 3 or more, got 2"):
        Critic(kind="fpn", layers=2)


def test_spectral_norm_makes_the_largest_singular_value_1() -> None:
    critic, image = make_critic(Critic(width=4, norm="none", spectral=True), 3), torch.rand(1, 3, 32, 32)
    for _ in range(60):  # one power iteration each
        critic(image)
    critic.eval()
    for layer in critic.modules():
        if isinstance(layer, torch.nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_spectral_norm_continues_from_its_state_and_from_a_copy() -> None:
    critic, image = make_critic(Critic(width=4, spectral=True), 3), torch.rand(2, 3, 32, 32)
    critic(image)
    twin = make_critic(Critic(width=4, spectral=True), 3)
    twin.load_state_dict(critic.state_dict())
    copied = copy.deepcopy(critic)
    for _ in range(3):
        (logits,), (same,), (also,) = critic(image), twin(image), copied(image)
        assert torch.equal(logits, same)
        assert torch.equal(logits, also)


@every_kind
def test_half_precision_is_close(settings: Critic) -> None:
    critic, image = make_critic(settings, 3).eval(), torch.rand(2, 3, 64, 64)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        rough = critic(image)
    for one, other in zip(rough, critic(image), strict=True):
        assert one.dtype == torch.bfloat16
        torch.testing.assert_close(one.float(), other, rtol=0, atol=0.1 * other.abs().max().item())


@pytest.mark.parametrize("norm", ["instance", "group", "none"])
@every_kind
def test_a_slope_can_be_penalised_through_every_layer(settings: Critic, norm: str) -> None:
    critic = make_critic(settings.model_copy(update={"norm": norm}), 3)
    image = torch.rand(2, 3, 64, 64, requires_grad=True)
    score = torch.stack([map.mean() for map in critic(image)]).mean()
    (slope,) = torch.autograd.grad(score, image, create_graph=True)
    slope.square().sum().backward()
    assert all(value.grad is not None for name, value in critic.named_parameters() if "weight" in name)
    assert all(value.grad is None or value.grad.isfinite().all() for value in critic.parameters())
