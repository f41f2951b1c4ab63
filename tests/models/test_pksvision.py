"""pksvision: sizes of its published tables, its two stages, its losses, and where its colours begin."""

import pytest
import torch
from torch import nn

from nirtrans.color.spaces import rgb_to_ycbcr
from nirtrans.config import Run
from nirtrans.config_files import resolve_run
from nirtrans.errors import InputError
from nirtrans.models import System, build_system
from nirtrans.nn.pksvision import ColourAutoencoder, MeanCritic
from tests.models.tiny import tiny_batch, tiny_run


def in_convolutions(network: nn.Module) -> int:
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    return sum(value.numel() for layer in layers for value in layer.parameters())


def test_convolutions_have_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        system = build_system(Run(model="pksvision", domain="gray"))
    assert in_convolutions(system.to_ab) == 261_508
    assert in_convolutions(system.critic) == 6_538


def system(**network: object) -> System:
    return build_system(tiny_run("pksvision", **network))


def test_the_first_stage_trains_the_autoencoder_alone() -> None:
    built = build_system(resolve_run("pksvision-small"))
    assert [built.phases[phase] for phase in built.stages[0]] == [("autoencoder",)]
    assert {name for phase in built.stages[1] for name in built.phases[phase]} == {"to_ab", "critic"}
    assert "autoencoder" not in dict(system().named_children())  # without its loss there is nothing to train before
    assert system().stages == ()


def test_losses_against_the_true_colours() -> None:
    built, batch = system(representation=2.0, adversarial=0.5, mse=3.0), tiny_batch(1)
    out = built.forward_train(batch)
    truth = rgb_to_ycbcr(batch.target)[:, 1:] - 0.5
    torch.testing.assert_close(out["real"], truth)
    out["fake"] = truth + 0.1
    with torch.no_grad():
        terms = {name: term.item() for name, term in built.losses("generator", batch, out).items()}
        verdict = built.critic(truth + 0.1).sigmoid()
    assert terms["mse"] == pytest.approx(3.0 * 0.01, rel=1e-4)
    assert terms["gan"] == pytest.approx(-0.5 * verdict.log().mean().item(), rel=1e-4)
    assert terms["representation"] > 0
    out["fake"] = truth
    same = built.losses("generator", batch, out)
    assert same["mse"] == 0
    assert same["representation"] < 1e-9


def test_the_verdict_is_the_logit_of_a_mean() -> None:
    critic = MeanCritic(2, width=2)
    picture = torch.randn(3, 2, 8, 8)
    expected = critic.body(picture).sigmoid().mean((1, 2, 3))
    torch.testing.assert_close(critic(picture).sigmoid().flatten(), expected)


def test_an_untrained_generator_is_near_grey() -> None:
    built = system(width=16).train()
    with torch.no_grad():
        differences = built.to_ab(torch.rand(4, 1, 32, 32)) - 0.5
    assert differences.mean().abs() < 0.02
    assert 0.05 < differences.std() < 0.2


def test_a_size_that_the_autoencoder_cannot_halve_is_named() -> None:
    with pytest.raises(InputError, match="multiples of 4: 12x8"):
        ColourAutoencoder()(torch.zeros(1, 3, 10, 8))
