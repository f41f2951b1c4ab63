"""Adversarial losses: values by hand, zero at the optimum, gradients that push the right way."""

import math

import pytest
import torch

from nirtrans.losses.adversarial import critic_loss, gan_loss, generator_loss


def logits(*values: float) -> torch.Tensor:
    return torch.tensor(values)[None, None, None]


@pytest.mark.parametrize(
    ("kind", "real", "value"),
    [
        ("lsgan", True, (1 + 0.25) / 2),
        ("lsgan", False, (4 + 0.25) / 2),
        ("bce", True, (math.log1p(math.exp(-2)) + math.log1p(math.exp(-0.5))) / 2),
        ("bce", False, (math.log1p(math.exp(2)) + math.log1p(math.exp(0.5))) / 2),
        ("hinge", True, (0 + 0.5) / 2),
        ("hinge", False, (3 + 1.5) / 2),
    ],
)
def test_values_by_hand(kind: str, real: bool, value: float) -> None:
    assert gan_loss(logits(2.0, 0.5), real, kind=kind).item() == pytest.approx(value)


def test_maps_of_different_size_count_alike() -> None:
    maps = [torch.zeros(2, 1, 8, 8), torch.ones(2, 1, 2, 2)]
    assert gan_loss(maps, True).item() == pytest.approx(0.5)
    assert generator_loss(maps, kind="hinge").item() == pytest.approx(-0.5)


@pytest.mark.parametrize("kind", ["lsgan", "hinge"])
def test_a_perfect_critic_has_no_loss(kind: str) -> None:
    fake = torch.full((1, 1, 2, 2), -1.0 if kind == "hinge" else 0.0)
    assert critic_loss(torch.ones(1, 1, 2, 2), [fake], kind=kind).item() == 0


@pytest.mark.parametrize("kind", ["lsgan", "bce", "hinge"])
def test_the_generator_raises_the_verdict(kind: str) -> None:
    score = logits(-2.0, 0.0).requires_grad_()
    generator_loss(score, kind=kind).backward()
    assert (score.grad < 0).all()


@pytest.mark.parametrize("kind", ["lsgan", "bce", "hinge"])
def test_the_critic_parts_real_from_fake(kind: str) -> None:
    real, fake = logits(0.1).requires_grad_(), logits(-0.1).requires_grad_()
    critic_loss(real, fake, kind=kind).backward()
    assert real.grad < 0 < fake.grad if kind != "lsgan" else real.grad < 0


def test_half_precision_logits_are_judged_in_float32() -> None:
    assert gan_loss(logits(2.0).bfloat16(), True).dtype == torch.float32
