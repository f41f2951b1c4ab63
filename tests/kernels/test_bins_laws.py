"""What must hold for every colour, table and number of neighbours of encode_ab."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nirtrans.kernels import ab_bins, encode_ab, reference

# Multiples of 1/8 within 256: squared distances are exact in float32, so even ties must match.
COORDINATE = st.integers(-2048, 2047).map(lambda value: value / 8)
COLOUR = st.tuples(COORDINATE, COORDINATE)
TABLE = st.lists(COLOUR, min_size=1, max_size=12).map(torch.tensor)


def images() -> st.SearchStrategy[Tensor]:
    """One row of 1 to 30 colours, (1, 2, 1, n)."""
    return st.lists(COLOUR, min_size=1, max_size=30).map(lambda rows: torch.tensor(rows).T.reshape(1, 2, 1, -1))


@settings(max_examples=60)
@given(images(), st.sampled_from([1, 2, 5, 10, 13]), st.floats(1, 50))
def test_weights_are_a_descending_distribution(ab: Tensor, neighbors: int, sigma: float) -> None:
    _, weight = encode_ab(ab, neighbors=neighbors, sigma=sigma)
    assert (weight >= 0).all()
    assert ((weight.sum(1) - 1).abs() <= 1e-6).all()
    assert (weight.diff(dim=1) <= 0).all()


@settings(max_examples=60)
@given(images(), st.sampled_from([1, 2, 5, 10, 13]))
def test_bins_are_those_of_brute_force(ab: Tensor, neighbors: int) -> None:
    index, _ = encode_ab(ab, neighbors=neighbors)
    assert torch.equal(index, reference.encode_ab(ab.double(), bins=ab_bins(), neighbors=neighbors)[0])


@settings(max_examples=40)
@given(images(), TABLE, st.data())
def test_any_table_gives_what_brute_force_gives(ab: Tensor, bins: Tensor, data: st.DataObject) -> None:
    neighbors = data.draw(st.integers(1, len(bins)))
    index, weight = encode_ab(ab, bins=bins, neighbors=neighbors)
    expected = reference.encode_ab(ab.double(), bins=bins, neighbors=neighbors)
    assert torch.equal(index, expected[0])
    assert (weight - expected[1]).abs().max() <= 1e-6


@settings(max_examples=30)
@given(images(), images())
def test_images_do_not_see_each_other(one: Tensor, other: Tensor) -> None:
    together = encode_ab(torch.cat([one, other], -1))
    for joined, first, second in zip(together, encode_ab(one), encode_ab(other), strict=True):
        assert torch.equal(joined, torch.cat([first, second], -1))


@pytest.mark.parametrize("neighbors", [5, 10])
def test_order_of_the_batch_does_not_matter(neighbors: int) -> None:
    ab = torch.rand(4, 2, 9, 11) * 200 - 100
    for result, flipped in zip(
        encode_ab(ab, neighbors=neighbors), encode_ab(ab.flip(0), neighbors=neighbors), strict=True
    ):
        assert torch.equal(result.flip(0), flipped)
