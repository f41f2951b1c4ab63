"""Bins of the ab plane and their prior: known numbers, decoding, and what smoothing keeps."""

import pytest
import torch

from nirtrans.color.bins import AB313, AB529, AB625
from nirtrans.color.prior import count_bins, smooth_prior
from nirtrans.kernels import class_weights


def test_the_sets_of_bins() -> None:
    assert (len(AB313), len(AB529), len(AB625)) == (313, 529, 625)
    assert AB529.centres[0].tolist() == [-110, -110]
    assert AB529.centres[1].tolist() == [-110, -100]  # b runs first
    assert {tuple(row) for row in AB313.centres.tolist()} < {tuple(row) for row in AB529.centres.tolist()}


@pytest.mark.parametrize("spec", [AB313, AB529, AB625], ids=len)
def test_the_nearest_bin_of_a_centre_is_its_own(spec: type(AB313)) -> None:
    ab = spec.centres.T[None, :, None]  # [1, 2, 1, Q]
    assert spec.nearest(ab).flatten().tolist() == list(range(len(spec)))


def test_hard_529_is_the_published_formula() -> None:
    ab = torch.rand(1, 2, 8, 8) * 200 - 100
    row, column = ((ab + 110) / 10).round().long().unbind(1)
    assert torch.equal(AB529.nearest(ab), row * 23 + column)


def test_cold_decoding_is_the_mode_and_temperature_one_the_mean() -> None:
    logits = torch.randn(2, 313, 3, 4)
    mode = AB313.decode(logits, how="mode")
    assert torch.allclose(AB313.decode(logits, temperature=1e-3), mode, atol=1e-3)
    mean = torch.einsum("nqhw,qc->nchw", logits.softmax(1), AB313.centres)
    torch.testing.assert_close(AB313.decode(logits, how="mean"), mean, rtol=1e-4, atol=1e-3)


def test_counting_leaves_invalid_pixels_out() -> None:
    ab = torch.zeros(1, 2, 2, 2)
    ab[..., 1] = 50
    valid = torch.tensor([[[[True, False], [True, False]]]])
    counts = count_bins(ab, valid=valid)
    assert counts.sum() == 2
    assert counts[AB313.nearest(torch.zeros(1, 2, 1, 1)).item()] == 2


def test_smoothing_keeps_the_sum_and_reaches_every_neighbour() -> None:
    counts = torch.zeros(313)
    counts[120] = 7
    prior = smooth_prior(counts)
    assert prior.sum().item() == pytest.approx(1, abs=1e-12)
    assert prior.argmax() == 120
    assert (prior > 0).sum() > 9
    assert torch.equal(smooth_prior(counts, sigma=0), counts.double() / 7)


def test_the_expected_weight_is_one() -> None:
    prior = smooth_prior(torch.rand(313, generator=torch.Generator().manual_seed(0)) ** 8)
    for mix in (0.0, 0.5, 1.0):
        assert (prior * class_weights(prior, mix=mix)).sum().item() == pytest.approx(1, abs=1e-12)


def test_nothing_to_count_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one count"):
        smooth_prior(torch.zeros(313))
