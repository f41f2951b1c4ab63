"""Laws of the annealed mean and the soft cross-entropy over random inputs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nirtrans.kernels import ab_bins, annealed_mean, reference, soft_cross_entropy
from tests.kernels.conftest import gradient_of

few = settings(max_examples=15)
seeds = st.integers(0, 2**31)
spreads = st.floats(0.1, 30)


def scores(seed: int, spread: float, classes: int = 313) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, classes, 2, 3, generator=generator) * spread


def colours(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed + 1)
    return torch.randn(2, 2, 2, 3, generator=generator) * 60


# Annealed mean


@few
@given(seed=seeds, spread=spreads, temperature=st.floats(0.05, 5))
def test_mean_stays_inside_the_hull(seed: int, spread: float, temperature: float) -> None:
    mean = annealed_mean(scores(seed, spread), temperature=temperature).movedim(1, -1)
    angles = torch.linspace(0, 2 * torch.pi, 33)
    directions = torch.stack([angles.cos(), angles.sin()])
    assert (mean @ directions <= (ab_bins() @ directions).amax(0) + 1e-4).all()


@few
@given(seed=seeds, spread=spreads)
def test_temperature_one_is_the_plain_mean(seed: int, spread: float) -> None:
    logits = scores(seed, spread)
    expected = torch.einsum("nqhw,qc->nchw", logits.double().softmax(1), ab_bins().double())
    torch.testing.assert_close(annealed_mean(logits, temperature=1).double(), expected, atol=2e-4, rtol=0)


@few
@given(seed=seeds)
def test_temperature_towards_zero_is_the_most_likely_bin(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(313, generator=generator).float() for _ in range(12)]
    logits = torch.stack(orders, dim=1).reshape(1, 313, 3, 4)
    expected = ab_bins()[logits.argmax(1)].movedim(-1, 1)
    torch.testing.assert_close(annealed_mean(logits, temperature=1e-3), expected)


@few
@given(seed=seeds, spread=spreads, shift=st.integers(-64, 64))
def test_shift_changes_no_colour(seed: int, spread: float, shift: int) -> None:
    # On multiples of 1/64 the shift itself is exact.
    logits = (scores(seed, spread) * 64).round() / 64
    assert torch.equal(annealed_mean(logits + shift), annealed_mean(logits))


@few
@given(seed=seeds, spread=spreads)
def test_gradient_of_the_mean_sums_to_zero(seed: int, spread: float) -> None:
    upstream = colours(seed)
    gradient = gradient_of(annealed_mean, scores(seed, spread), upstream)
    # Terms of up to 110 |g| / T cancel.
    terms = 110 / 0.38 * upstream.abs().sum(1)
    assert (gradient.sum(1).abs() <= 2e-6 * terms).all()


# Cross-entropy


@few
@given(seed=seeds, spread=spreads)
def test_gradient_of_the_loss_sums_to_zero(seed: int, spread: float) -> None:
    ab = colours(seed)
    gradient = gradient_of(lambda z: soft_cross_entropy(z, ab, reduction="sum"), scores(seed, spread), torch.ones(()))
    assert gradient.sum(1).abs().max() <= 2e-6


@few
@given(seed=seeds, spread=spreads, shift=st.integers(-64, 64))
def test_shift_changes_no_loss(seed: int, spread: float, shift: int) -> None:
    logits, ab = (scores(seed, spread) * 64).round() / 64, colours(seed)
    expected = soft_cross_entropy(logits, ab, reduction="none")
    torch.testing.assert_close(soft_cross_entropy(logits + shift, ab, reduction="none"), expected, rtol=1e-5, atol=1e-6)


@few
@given(seed=seeds, spread=spreads)
def test_linear_in_class_weight(seed: int, spread: float) -> None:
    logits, ab, first, second = scores(seed, spread), colours(seed), torch.rand(313), torch.rand(313)
    one, two, both = (soft_cross_entropy(logits, ab, class_weight=w) for w in (first, second, first + 2 * second))
    torch.testing.assert_close(both, one + 2 * two, rtol=1e-5, atol=1e-6)


@few
@given(seed=seeds, spread=spreads, neighbors=st.integers(1, 12), sigma=st.floats(1, 30))
def test_loss_equals_the_reference(seed: int, spread: float, neighbors: int, sigma: float) -> None:
    # Colours on a grid of 1/8, where distances are exact in float32 and no neighbours swap.
    logits, ab = scores(seed, spread), (colours(seed) * 8).round() / 8
    loss = soft_cross_entropy(logits, ab, neighbors=neighbors, sigma=sigma)
    expected = reference.soft_cross_entropy(logits.double(), ab, bins=ab_bins(), neighbors=neighbors, sigma=sigma)
    assert loss.item() == pytest.approx(expected.item(), rel=2e-6, abs=2e-6)
