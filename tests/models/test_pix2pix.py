"""pix2pix: its tables, each term by its formula, and what the critic is shown."""

import pytest
import torch
import torch.nn.functional as F

from nirtrans.config_files import resolve_run
from nirtrans.errors import ConfigError
from nirtrans.models import MODELS, System, build_system, count_parameters
from nirtrans.models.halo import probe
from tests.models.tiny import tiny_batch, tiny_run


def system(**network: object) -> System:
    return build_system(tiny_run("pix2pix", **({"dropout": 0} | network)))


def terms(built: System, phase: str, **batch: bool) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    sample = tiny_batch(1, **batch)
    out = built.forward_train(sample)
    return built.losses(phase, sample, out), out


def test_full_size_networks_have_the_parameters_of_the_paper() -> None:
    with torch.device("meta"):
        full = build_system(resolve_run("pix2pix", overrides=["network.norm=batch", "network.critic.norm=batch"]))
    assert count_parameters(full.to_rgb) == 54_417_411
    assert count_parameters(full.critic) == 2_767_553


def test_the_full_network_reaches_512_px() -> None:
    with torch.device("meta"):
        full = build_system(resolve_run("pix2pix", overrides=["network.depth=7"]))
    reach = probe(full)
    assert (reach.halo_px, reach.stride_px, reach.bounded) == (256, 128, True)


def test_the_generator_pays_for_the_verdict_and_100_times_for_l1() -> None:
    built = system()
    found, out = terms(built, "generator")
    (logits,) = built.critic(torch.cat([out["source"], out["fake"]], 1))
    assert set(found) == {"gan", "l1"}
    torch.testing.assert_close(found["gan"], F.softplus(-logits).mean())
    torch.testing.assert_close(found["l1"], 100 * (out["fake"] - out["rgb"]).abs().mean())


def test_the_critic_judges_source_and_colours_together() -> None:
    built = system()
    found, out = terms(built, "discriminator")
    (real,), (fake,) = (built.critic(torch.cat([out["source"], out[side]], 1)) for side in ("rgb", "fake"))
    torch.testing.assert_close(found["critic"], (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2)
    found["critic"].backward()
    assert all(value.grad is None for value in built.to_rgb.parameters())


@pytest.mark.parametrize(
    ("network", "generator", "discriminator"),
    [
        ({"features": 10}, {"gan", "features", "l1"}, {"critic"}),
        ({"gan": "wgan-gp"}, {"gan", "l1"}, {"critic", "critic_penalty"}),
        ({"fidelity": {"mse": 1}}, {"gan", "l1", "mse"}, {"critic"}),
        ({"fidelity": {"l1": 0}}, {"gan"}, {"critic"}),
    ],
)
def test_terms_are_there_when_they_are_asked_for(network: dict, generator: set, discriminator: set) -> None:
    built = system(**network)
    assert set(terms(built, "generator")[0]) == generator
    assert set(terms(built, "discriminator")[0]) == discriminator


@pytest.mark.parametrize("critic", [{"augment": ["colour", "translation", "cutout"]}, {"kind": "fpn", "layers": 4}])
@pytest.mark.parametrize("gan", ["bce", "wgan-gp"])
def test_every_critic_trains_both_networks(critic: dict, gan: str) -> None:
    built = system(critic=critic | {"width": 4, "spectral": True}, gan=gan, features=10)
    for phase, network in (("generator", built.to_rgb), ("discriminator", built.critic)):
        built.zero_grad()
        found, _ = terms(built, phase, masked=True)
        sum(found.values()).backward()
        assert all(value.grad is not None and value.grad.isfinite().all() for value in network.parameters())


def test_features_of_the_truth_match_themselves() -> None:
    built, sample = system(features=10), tiny_batch(1)
    out = built.forward_train(sample)
    assert built.losses("generator", sample, out | {"fake": out["rgb"]})["features"].item() == 0


def test_dropout_is_the_papers_and_off_in_use() -> None:
    assert MODELS.find("pix2pix").Params().dropout == 0.5
    built, source = build_system(tiny_run("pix2pix")), torch.rand(1, 1, 32, 32)
    assert not torch.equal(built.colorize(source), built.colorize(source))
    built.eval()
    assert torch.equal(built.colorize(source), built.colorize(source))


def test_wrong_critics_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"network\.critic\.kind: .*'patch', 'fpn' or 'multiscale', got 'pyramid'"):
        system(critic={"kind": "pyramid"})
    with pytest.raises(
        ConfigError, match=r"network\.critic\.widht is not a setting; did you mean network\.critic\.width"
    ):
        system(critic={"widht": 3})
