"""SC-GAN: sizes of its tables, value of each term by hand, noise, and what it refuses."""

import math

import pytest
import torch

from nirtrans.config_files import resolve_run
from nirtrans.errors import ConfigError, InputError
from nirtrans.models import System, build_system, count_parameters
from nirtrans.models.build import check_pairing
from nirtrans.models.halo import probe
from nirtrans.nn.triplet import TripletGenerator
from tests.models.tiny import tiny_batch, tiny_run

PAPER = {"adversarial": 0.65, "intensity": 0.20}  # the tiny networks have other weights


def system(**network: object) -> System:
    return build_system(tiny_run("scgan-triplet", **network))


@pytest.mark.parametrize(
    ("variant", "width", "count"),
    [
        ("sc", 64, 12_259_203),
        ("triplet", 64, 10_239_171),
        ("flat", 64, 3_414_211),
        ("sc", 32, 3_082_179),
        ("triplet", 32, 2_563_683),
        ("flat", 32, 855_139),
    ],
)
def test_full_networks_have_the_parameters_of_their_tables(variant: str, width: int, count: int) -> None:
    settings = [f"network.variant={variant}", f"network.width={width}"]
    with torch.device("meta"):
        full = build_system(resolve_run("scgan-triplet", overrides=settings))
    assert count_parameters(full.to_rgb) == count
    assert count_parameters(full.critic) == 2_767_553


def test_a_pixel_sees_40_px() -> None:
    network = TripletGenerator(1, width=2, norm="none").double()
    for weight in network.parameters():
        weight.data.abs_()
    source = torch.ones(1, 1, 16, 96, dtype=torch.float64, requires_grad=True)
    for column in (48, 53):
        (gradient,) = torch.autograd.grad(network(source)[..., column].sum(), source)
        seen = gradient.sum((0, 1, 2)).nonzero()
        assert seen.max() - seen.min() + 1 == 40
    assert probe(system()).halo_px == 16


@pytest.mark.parametrize("variant", ["sc", "triplet", "flat"])
def test_noise_enters_where_the_variant_says(variant: str) -> None:
    network = system(variant=variant).to_rgb
    layers = [layer for net in network.nets for layer in (net.stem, *net.downs, *net.ups)]
    channels = [layer[0].weight.shape[1 if isinstance(layer[0], torch.nn.Conv2d) else 0] for layer in layers]
    odd = [count % 2 == 1 for count in channels]  # widths are even: an odd count holds the noise (and 1 + 1 is even)
    assert sum(odd) == (18 if variant == "sc" else 0)
    assert all(net.stem[0].in_channels == 2 for net in network.nets)
    assert len(network.nets) == (1 if variant == "flat" else 3)


def constant(value: float) -> torch.Tensor:
    return torch.full((2, 3, 32, 32), value)


def test_every_term_by_hand() -> None:
    """Constant pictures of 0.25 and 0.75 under a critic that says 0: in [-1, 1] they are -0.5 and 0.5."""
    built, sample = system(stacked=0.05, **PAPER), tiny_batch(1)
    for weight in built.critic.parameters():
        weight.data.zero_()
    out = {"nir": torch.zeros(2, 1, 32, 32), "rgb": constant(0.5), "fake": constant(-0.5).requires_grad_()}
    terms = {name: term.item() for name, term in built.losses("generator", sample, out).items()}
    ssim = (2 * 0.25 * 0.75 + 0.01**2) / (0.25**2 + 0.75**2 + 0.01**2)  # no contrast: the luminance factor alone
    assert terms == pytest.approx(
        {"adversarial": 0.65 * math.log(2), "intensity": 0.20 * 0.25, "ssim": 0.15 * (1 - ssim), "stacked": 0.0},
        rel=1e-5,
    )
    (verdict,) = built.losses("discriminator", sample, out).values()
    assert verdict.item() == pytest.approx(math.log(2))


def test_the_defaults_are_the_weights_of_the_paper() -> None:
    params = build_system(resolve_run("scgan-triplet", overrides=["network.width=2"])).params
    assert (params.adversarial, params.intensity, params.structure, params.stacked) == (0.65, 0.20, 0.15, 0.0)


def test_stacking_compares_every_layer_of_the_critic() -> None:
    built, sample = system(stacked=0.05), tiny_batch(1, count=1)
    torch.manual_seed(0)
    out = built.forward_train(sample)
    real, fake = (torch.cat([out["nir"], image], dim=1) for image in (out["rgb"], out["fake"]))
    (_, wanted), (_, found) = built.critic(real, features=True), built.critic(fake, features=True)
    expected = 0.05 * sum((a - b).abs().mean() for a, b in zip(wanted, found, strict=True)) / 3
    assert len(found) == 3
    assert built.losses("generator", sample, out)["stacked"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_critic_looks_at_the_source_too_and_moves_along_larger_crops() -> None:
    critic = system().critic.eval()
    image = torch.rand(1, 4, 32, 32)
    other = torch.cat([1 - image[:, :1], image[:, 1:]], dim=1)
    assert critic(image)[0].shape == (1, 1, 1, 1)
    assert not torch.equal(critic(image)[0], critic(other)[0])
    assert critic(torch.rand(1, 4, 48, 64))[0].shape == (1, 1, 3, 5)


def test_fakes_reach_the_critic_detached() -> None:
    built, sample = system(), tiny_batch(1)
    sum(built.losses("discriminator", sample, built.forward_train(sample)).values()).backward()
    assert all(parameter.grad is None for parameter in built.to_rgb.parameters())
    assert all(parameter.grad is not None for parameter in built.critic.parameters())


def test_training_draws_its_noise_from_the_global_generator() -> None:
    built, sample = system(norm="instance"), tiny_batch(1)
    fakes = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        fakes.append(built.forward_train(sample)["fake"])
    assert torch.equal(fakes[0], fakes[1])
    assert not torch.equal(fakes[0], fakes[2])
    silent = system(norm="instance", sigma=0.0)
    assert torch.equal(silent.forward_train(sample)["fake"], silent.forward_train(sample)["fake"])


def test_a_crop_that_does_not_fit_names_one_that_does() -> None:
    with pytest.raises(InputError, match=r"size 32x32 does not fit a critic of 4 layers; use 64x64 or more"):
        system(critic_layers=4).forward_train(tiny_batch(1))
    with pytest.raises(InputError, match=r"size 20x32 does not fit the triplet generator \(3 halvings\).*: 24x32"):
        system().colorize(torch.rand(1, 1, 20, 32))


def test_pairs_are_needed() -> None:
    run = tiny_run("scgan-triplet")
    unpaired = run.model_copy(update={"data": run.data.model_copy(update={"pairing": "unpaired"})})
    with pytest.raises(ConfigError, match="learns from paired data, got unpaired"):
        check_pairing(unpaired, build_system(run))
