"""class_weights: known values, laws, the published prior, errors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nirtrans.kernels import class_weights

PRIORS = (
    st.lists(st.integers(0, 1000), min_size=1, max_size=40)
    .filter(any)
    .map(lambda counts: torch.tensor(counts, dtype=torch.float64) / sum(counts))
)


def test_a_uniform_prior_changes_nothing() -> None:
    torch.testing.assert_close(class_weights(torch.full((313,), 1 / 313)), torch.ones(313), atol=1e-6, rtol=0)


def test_known_weights() -> None:
    # 1 / (p / 2 + 1 / 4): 1.6 and 8/3, scaled by 1 / (0.75 * 1.6 + 0.25 * 8 / 3).
    expected = torch.tensor([1.6, 8 / 3], dtype=torch.float64) / (1.2 + 2 / 3)
    torch.testing.assert_close(class_weights(torch.tensor([0.75, 0.25], dtype=torch.float64)), expected)


def test_mix_goes_from_inverse_frequency_to_none() -> None:
    prior = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    torch.testing.assert_close(class_weights(prior, mix=0), 1 / (3 * prior))
    torch.testing.assert_close(class_weights(prior, mix=1), torch.ones(3, dtype=torch.float64))


def test_a_single_bin() -> None:
    assert class_weights(torch.tensor([0.0, 1.0, 0.0])).tolist() == [1, 1, 1]


@settings(max_examples=60)
@given(PRIORS, st.floats(0, 1))
def test_laws(prior: Tensor, mix: float) -> None:
    weight = class_weights(prior, mix=mix)
    assert weight.isfinite().all()
    assert (prior * weight).sum().item() == pytest.approx(1)
    assert (weight[prior == 0] == 1).all()
    order = prior[prior > 0].argsort()
    assert (weight[prior > 0][order].diff() <= 1e-12).all()


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
    ],
)
def test_dtypes(given: torch.dtype, returned: torch.dtype) -> None:
    assert class_weights(torch.tensor([0.5, 0.25, 0.25], dtype=given)).dtype == returned


def test_no_gradient() -> None:
    assert not class_weights(torch.tensor([0.5, 0.5], requires_grad=True)).requires_grad


def test_the_published_prior(shared_data: Path) -> None:
    file = shared_data / "colorization-reference" / "prior_probs.npy"
    if not file.exists():
        pytest.skip(f"no {file}")
    prior = torch.from_numpy(np.load(file)).double()
    weight = class_weights(prior)
    assert (prior * weight).sum().item() == pytest.approx(1)
    # The published code: (prior / 2 + 1 / (2 * 313))^-1, scaled in the same way.
    inverse = 1 / (0.5 * prior + 0.5 / 313)
    torch.testing.assert_close(weight, inverse / (prior * inverse).sum())


def test_errors_say_what_to_do() -> None:
    good = torch.tensor([0.5, 0.5])
    with pytest.raises(TypeError, match=r"^class_weights: expected a torch.Tensor as prior, got list$"):
        class_weights([1.0])
    with pytest.raises(TypeError, match=r"got torch.int64; divide counts by their sum$"):
        class_weights(torch.tensor([1, 2]))
    with pytest.raises(ValueError, match=r"^class_weights: expected prior of shape \(Q,\), got \(1, 2\); give one"):
        class_weights(good[None])
    with pytest.raises(ValueError, match=r"got \(0,\)"):
        class_weights(good[:0])
    with pytest.raises(ValueError, match=r"^class_weights: expected mix in \[0, 1\], got 1.5; the published"):
        class_weights(good, mix=1.5)
    for bad in ([1.5, -0.5], [float("nan"), 1.0], [float("inf"), 1.0], [0.5, 0.4998], [0.0, 0.0]):
        with pytest.raises(ValueError, match=r"frequencies >= 0 with sum 1, got sum .*; divide counts by their sum"):
            class_weights(torch.tensor(bad))
    class_weights(torch.tensor([0.5, 0.49995]))
