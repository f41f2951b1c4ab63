"""Adversarial losses: values by hand, zero at the optimum, gradients that push the right way."""

import math

import pytest
import torch

from nirtrans.losses.adversarial import critic_loss, feature_matching, gan_loss, generator_loss, gradient_penalty
from nirtrans.nn.discriminators import Critic, make_critic


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
        ("wgan-gp", True, -1.25),
        ("wgan-gp", False, 1.25),
    ],
)
def test_values_by_hand(kind: str, real: bool, value: float) -> None:
    assert gan_loss(logits(2.0, 0.5), real, kind=kind).item() == pytest.approx(value)


def test_maps_of_different_size_count_alike() -> None:
    maps = [torch.zeros(2, 1, 8, 8), torch.ones(2, 1, 2, 2)]
    assert gan_loss(maps, True).item() == pytest.approx(0.5)
    assert generator_loss(maps, kind="hinge").item() == pytest.approx(-0.5)
    assert generator_loss(maps, kind="wgan-gp").item() == pytest.approx(-0.5)


def test_halves_but_not_of_the_wasserstein_distance() -> None:
    assert critic_loss(logits(3.0), logits(1.0), kind="wgan-gp").item() == 1 - 3
    assert critic_loss(logits(3.0), logits(1.0), kind="lsgan").item() == (4 + 1) / 2


@pytest.mark.parametrize("kind", ["lsgan", "hinge"])
def test_a_perfect_critic_has_no_loss(kind: str) -> None:
    fake = torch.full((1, 1, 2, 2), -1.0 if kind == "hinge" else 0.0)
    assert critic_loss(torch.ones(1, 1, 2, 2), [fake], kind=kind).item() == 0


@pytest.mark.parametrize("kind", ["lsgan", "bce", "hinge", "wgan-gp"])
def test_the_generator_raises_the_verdict(kind: str) -> None:
    score = logits(-2.0, 0.0).requires_grad_()
    generator_loss(score, kind=kind).backward()
    assert (score.grad < 0).all()


@pytest.mark.parametrize("kind", ["lsgan", "bce", "hinge", "wgan-gp"])
def test_the_critic_parts_real_from_fake(kind: str) -> None:
    real, fake = logits(0.1).requires_grad_(), logits(-0.1).requires_grad_()
    critic_loss(real, fake, kind=kind).backward()
    assert real.grad < 0 < fake.grad if kind != "lsgan" else real.grad < 0


def test_half_precision_logits_are_judged_in_float32() -> None:
    assert gan_loss(logits(2.0).bfloat16(), True).dtype == torch.float32


def scored(weight: torch.Tensor) -> object:
    """A critic whose slope is known: two maps of different size, each the weighted sum of the picture."""

    def critic(image: torch.Tensor) -> list[torch.Tensor]:
        score = (image * weight).sum((1, 2, 3))[:, None, None, None]
        return [score.expand(-1, 1, 4, 4), score.expand(-1, 1, 2, 2)]

    return critic


def test_the_penalty_of_a_known_slope() -> None:
    weight = torch.tensor([3.0, 4.0]).view(1, 1, 1, 2)  # a slope of 5 everywhere
    real, fake = torch.rand(2, 3, 1, 1, 2)
    assert gradient_penalty(scored(weight), real, fake).item() == pytest.approx(16)
    assert gradient_penalty(scored(weight / 5), real, fake).item() == pytest.approx(0, abs=1e-6)


def test_the_penalty_has_the_gradient_of_its_formula() -> None:
    weight = torch.tensor([3.0, 4.0]).view(1, 1, 1, 2).requires_grad_(True)
    gradient_penalty(scored(weight), torch.zeros(2, 1, 1, 2), torch.ones(2, 1, 1, 2)).backward()
    expected = 2 * (5 - 1) * weight.detach() / 5  # d(|w| - 1)^2 / dw
    torch.testing.assert_close(weight.grad, expected)


def test_the_penalty_is_taken_between_the_pictures_and_spares_them() -> None:
    seen = []

    def critic(image: torch.Tensor) -> torch.Tensor:
        seen.append(image.detach())
        return image.square().sum((1, 2, 3))[:, None, None, None]

    real, fake = torch.zeros(64, 1, 2, 2, requires_grad=True), torch.ones(64, 1, 2, 2, requires_grad=True)
    penalty = gradient_penalty(critic, real, fake)
    places = seen[0][:, 0, 0, 0]
    assert 0 <= places.min() < 0.2 < 0.8 < places.max() <= 1
    torch.testing.assert_close(penalty, (2 * 2 * places - 1).square().mean())  # the slope of |x|^2 is 2 |x|
    assert torch.autograd.grad(penalty, (real, fake), allow_unused=True) == (None, None)


def test_the_penalty_repeats_with_the_state_of_the_generator_and_is_float32() -> None:
    critic, (real, fake) = make_critic(Critic(width=4), 3), torch.rand(2, 2, 3, 32, 32)
    values = []
    for _ in range(2):
        torch.manual_seed(5)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            values.append(gradient_penalty(critic, real.bfloat16(), fake.bfloat16()))
    assert torch.equal(*values)
    assert values[0].dtype == torch.float32


@pytest.mark.parametrize("settings", [{}, {"norm": "group"}, {"spectral": True}, {"kind": "fpn", "layers": 4}])
def test_the_penalty_pulls_the_slope_towards_1(settings: dict) -> None:
    critic, (real, fake) = make_critic(Critic(width=4, **settings), 3), torch.rand(2, 2, 3, 32, 32)
    optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3)
    penalties = []
    for _ in range(12):
        penalty = gradient_penalty(critic, real, fake)
        optimizer.zero_grad()
        penalty.backward()
        optimizer.step()
        penalties.append(penalty.item())
    assert penalties[-1] < penalties[0]


def test_features_are_matched_by_their_mean_distance() -> None:
    real = [torch.zeros(2, 4, 8, 8, requires_grad=True), torch.ones(2, 8, 2, 2, requires_grad=True)]
    fake = [torch.full((2, 4, 8, 8), 3.0, requires_grad=True), torch.ones(2, 8, 2, 2, requires_grad=True)]
    distance = feature_matching(real, fake)
    distance.backward()
    assert distance.item() == 1.5
    assert fake[0].grad is not None
    assert real[0].grad is None, "real pictures are the measure"


@pytest.mark.parametrize("kind", ["lsgan", "bce", "hinge", "wgan-gp"])
def test_a_divided_batch_has_the_mean_of_its_losses(kind: str) -> None:
    critic = make_critic(Critic(width=4, kind="multiscale", scales=2), 3).eval()
    real, fake = torch.rand(2, 4, 3, 64, 64)

    def loss(part: slice) -> torch.Tensor:
        (one, found), (other, wanted) = critic(fake[part], features=True), critic(real[part], features=True)
        return critic_loss(other, one, kind=kind) + generator_loss(one, kind=kind) + feature_matching(wanted, found)

    torch.testing.assert_close(loss(slice(4)), (loss(slice(2)) + loss(slice(2, 4))) / 2)
    alike = [gradient_penalty(critic, real[part], real[part]) for part in (slice(4), slice(2), slice(2, 4))]
    torch.testing.assert_close(alike[0], (alike[1] + alike[2]) / 2)
