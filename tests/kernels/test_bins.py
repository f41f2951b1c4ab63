"""ab_bins and encode_ab: known values, reference, registration, awkward inputs, errors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.ab_bins import derive_ab_table
from nirtrans.kernels import ab_bins, encode_ab, reference, rgb_to_lab
from tests.kernels.conftest import compiled_only

# Weights. float32: the gate; 16-bit colours are exact in float32, so theirs is the same.
WEIGHT_TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 1e-6, torch.bfloat16: 1e-6}
NEAR_TIE = 1e-3  # squared distances: float32 may swap bins that are this close


def colors(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random colours inside sRGB as ab images (n, 2, h, w)."""
    n, h, w = shape
    return rgb_to_lab(torch.rand(n, 3, h, w))[:, 1:].to(dtype).contiguous()


def pixel(a: float, b: float, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor([a, b], dtype=dtype).view(1, 2, 1, 1)


def squared_distances(ab: Tensor, bins: Tensor, index: Tensor) -> Tensor:
    """From each pixel to its bins in float64, (N, K, H, W)."""
    return (bins.double()[index] - ab.double().movedim(1, -1).unsqueeze(1)).square().sum(-1)


def assert_nearest(ab: Tensor, result: tuple[Tensor, Tensor], bins: Tensor, tolerance: float) -> None:
    index, weight = result
    neighbors = index.shape[1]
    exact_index, exact_weight = reference.encode_ab(ab.double(), bins=bins, neighbors=neighbors)
    exact = squared_distances(ab, bins, exact_index)
    assert ((squared_distances(ab, bins, index) - exact).abs() < NEAR_TIE).all()
    gap = torch.full_like(exact[:, :1], 1.0)
    apart = torch.cat([gap, exact.diff(dim=1)], 1) >= NEAR_TIE
    # The bin after the last one is unknown here: its distance decides whether the last one is settled.
    settled = apart & torch.cat([apart[:, 1:], torch.zeros_like(apart[:, :1])], 1)
    assert torch.equal(index[settled], exact_index[settled])
    assert (weight - exact_weight).abs().max() <= tolerance


# 1 Known values


def test_the_published_bins() -> None:
    bins = ab_bins()
    assert bins.shape == (313, 2)
    assert bins.dtype == torch.float32
    assert bins[[0, 120, -1]].tolist() == [[-90, 50], [0, 0], [100, 0]]
    assert bins.tolist() == sorted(bins.tolist())
    assert bins.mean(0).tolist() == pytest.approx([15.687, 6.677], abs=1e-3)
    bins.zero_()
    assert ab_bins().any()


def test_the_rule_gives_the_table() -> None:
    assert np.array_equal(derive_ab_table(), ab_bins().numpy())


@pytest.mark.slow
def test_the_rule_gives_the_table_from_every_8_bit_face_colour() -> None:
    assert np.array_equal(derive_ab_table(steps=256), ab_bins().numpy())


def test_the_published_file_agrees(shared_data: Path) -> None:
    published = shared_data / "colorization-reference" / "pts_in_hull.npy"
    if not published.exists():
        pytest.skip(f"no {published}")
    assert np.array_equal(np.load(published), ab_bins().numpy())


@compiled_only
@pytest.mark.slow
def test_52_bins_are_nearest_to_no_8_bit_colour() -> None:
    levels = torch.arange(256) / 255
    counts = torch.zeros(313, dtype=torch.int64)
    for red in levels:
        plane = torch.stack([red.expand(256, 256), *torch.meshgrid(levels, levels, indexing="ij")])
        index, _ = encode_ab(rgb_to_lab(plane[None])[:, 1:], neighbors=1)
        counts += index.flatten().bincount(minlength=313)
    assert (counts == 0).sum() == 52


@pytest.mark.parametrize("number", [0, 120, 312])
@pytest.mark.parametrize("neighbors", [1, 5, 10])
def test_a_bin_encodes_as_itself(number: int, neighbors: int) -> None:
    index, weight = encode_ab(pixel(*ab_bins()[number].tolist()), neighbors=neighbors)
    assert index[0, 0] == number
    assert weight[0, 0] == weight.max()


@pytest.mark.parametrize("dtype", list(WEIGHT_TOLERANCE))
def test_ties_go_to_the_lowest_number(dtype: torch.dtype) -> None:
    index, weight = encode_ab(pixel(5, 5, dtype), neighbors=6)
    # The corners of the cell; then two of the eight bins at distance sqrt(250).
    assert ab_bins()[index.flatten()].tolist() == [[0, 0], [0, 10], [10, 0], [10, 10], [-10, 0], [-10, 10]]
    near, far = 1.0, np.exp(-200 / 50)
    expected = torch.tensor([near] * 4 + [far] * 2, dtype=torch.float64) / (4 * near + 2 * far)
    torch.testing.assert_close(weight.flatten().double(), expected, atol=1e-6, rtol=0)


# 2 Reference


@pytest.mark.parametrize("dtype", list(WEIGHT_TOLERANCE))
@pytest.mark.parametrize("neighbors", [1, 2, 5, 10])
def test_agrees_with_brute_force(dtype: torch.dtype, neighbors: int) -> None:
    ab = colors(2, 37, 41, dtype=dtype)
    result = encode_ab(ab, neighbors=neighbors)
    assert result[0].dtype == torch.int64
    assert result[1].dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert_nearest(ab, result, ab_bins(), WEIGHT_TOLERANCE[dtype])


@pytest.mark.parametrize("step", [2.5, 5, 10])
def test_the_whole_grid_with_its_ties(step: float) -> None:
    axis = torch.arange(-150.0, 150 + step, step)
    ab = torch.stack(torch.meshgrid(axis, axis, indexing="ij"))[None]
    for neighbors in (5, 10):
        index, _ = encode_ab(ab, neighbors=neighbors)
        assert torch.equal(index, reference.encode_ab(ab.double(), bins=ab_bins(), neighbors=neighbors)[0])


@pytest.mark.parametrize("neighbors", [5, 313])
def test_all_or_some_of_the_bins(neighbors: int) -> None:
    ab = colors(1, 5, 7)
    index, weight = encode_ab(ab, neighbors=neighbors)
    assert_nearest(ab, (index, weight), ab_bins(), 1e-6)
    assert (index.sort(1).values.diff(dim=1) > 0).all()


@pytest.mark.parametrize("count", [1, 7, 529, 4096])
def test_other_tables(count: int) -> None:
    bins = torch.rand(count, 2) * 260 - 130
    ab = torch.rand(1, 2, 9, 9) * 220 - 110
    neighbors = min(count, 6)
    index, weight = encode_ab(ab, bins=bins, neighbors=neighbors)
    exact = reference.encode_ab(ab.double(), bins=bins, neighbors=neighbors)
    found, nearest = squared_distances(ab, bins, index), squared_distances(ab, bins, exact[0])
    assert ((found - nearest).abs() < 1e-2).all()
    assert (weight - exact[1]).abs().max() <= 1e-4
    twice = encode_ab(ab, bins=bins.double(), neighbors=neighbors)
    assert torch.equal(twice[0], index)


def test_sigma_widens_the_weights() -> None:
    ab = colors(1, 4, 4)
    narrow, wide = (encode_ab(ab, sigma=sigma)[1] for sigma in (2.0, 20.0))
    assert (narrow[:, 0] > wide[:, 0]).all()
    exact = reference.encode_ab(ab.double(), bins=ab_bins(), sigma=2.0)[1]
    # A narrower Gaussian amplifies the rounding of the distance: 6 times for 2 against 5.
    torch.testing.assert_close(narrow.double(), exact, atol=6e-6, rtol=0)


# 3 Gradients


def test_nothing_carries_a_gradient() -> None:
    index, weight = encode_ab(colors(1, 3, 3).requires_grad_())
    assert not index.requires_grad
    assert not weight.requires_grad


# 4 Registration


@compiled_only
@pytest.mark.parametrize("dtype", list(WEIGHT_TOLERANCE))
def test_opcheck(dtype: torch.dtype) -> None:
    operator = torch.ops.nirtrans.encode_ab.default
    for ab in (colors(2, 5, 7, dtype=dtype), colors(2, 5, 7, dtype=dtype)[:0], colors(1, 5, 7, dtype=dtype).mT):
        opcheck(operator, (ab, ab_bins(), 5, 5.0))


@pytest.mark.slow
def test_compiled_graph_gives_the_same() -> None:
    ab, bins = colors(2, 6, 6), ab_bins()[::3].contiguous()
    for options in ({}, {"bins": bins, "neighbors": 3}):
        compiled = torch.compile(lambda ab, options=options: encode_ab(ab, **options), fullgraph=True)
        for result, expected in zip(compiled(ab), encode_ab(ab, **options), strict=True):
            assert torch.equal(result, expected)


# 5 Awkward inputs


@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0, 4), (1, 1, 1), (1, 1, 129), (3, 127, 1), (1, 16, 16)])
def test_shapes(shape: tuple[int, int, int]) -> None:
    ab = colors(*shape)
    index, weight = encode_ab(ab, neighbors=4)
    assert index.shape == weight.shape == (shape[0], 4, *shape[1:])
    if ab.numel():
        assert_nearest(ab, (index, weight), ab_bins(), 1e-6)


def test_layouts_agree() -> None:
    ab = colors(2, 13, 31)
    wide = torch.empty(2, 4, 13, 62)
    wide[:, 1:3, :, ::2] = ab
    expected = encode_ab(ab)
    for view in (ab.to(memory_format=torch.channels_last), wide[:, 1:3, :, ::2], ab.mT.contiguous().mT):
        for result, wanted in zip(encode_ab(view), expected, strict=True):
            assert torch.equal(result, wanted)
    expanded = encode_ab(ab[:1].expand(2, 2, 13, 31))
    assert torch.equal(expanded[0][1], expected[0][0])


@pytest.mark.parametrize("far", [1e5, 1e12, 3e38])
@pytest.mark.parametrize("neighbors", [5, 6])
def test_far_bins_are_found(far: float, neighbors: int) -> None:
    """As rows that fill up a table may be: one that is missed would be read from outside of it."""
    bins = torch.full((40, 2), far)
    bins[:2] = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    index, weight = encode_ab(pixel(0.0, 0.0), bins=bins, neighbors=neighbors)
    assert index.flatten().tolist() == list(range(neighbors))
    assert weight.flatten()[2:].tolist() == [0] * (neighbors - 2)


@pytest.mark.parametrize("value", [1000.0, -1000.0, 130.0, -130.0])
@pytest.mark.parametrize("neighbors", [5, 6])
def test_far_colours_do_not_underflow(value: float, neighbors: int) -> None:
    index, weight = encode_ab(pixel(value, value), neighbors=neighbors)
    assert torch.equal(index, reference.encode_ab(pixel(value, value), bins=ab_bins(), neighbors=neighbors)[0])
    assert weight.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("neighbors", [1, 5, 313])
@pytest.mark.parametrize("dtype", list(WEIGHT_TOLERANCE))
def test_non_finite_colours_stay_in_their_pixel(bad: float, neighbors: int, dtype: torch.dtype) -> None:
    ab = colors(1, 3, 50, dtype=dtype)
    expected = encode_ab(ab, neighbors=neighbors)
    ab[0, 1, 1, 17] = bad
    index, weight = encode_ab(ab, neighbors=neighbors)
    assert weight[0, :, 1, 17].isnan().all()
    assert index.min() >= 0
    assert index.max() <= 312
    index[..., 1, 17], weight[..., 1, 17] = expected[0][..., 1, 17], expected[1][..., 1, 17]
    assert torch.equal(index, expected[0])
    assert torch.equal(weight, expected[1])


@compiled_only
@pytest.mark.parametrize("dtype", list(WEIGHT_TOLERANCE))
def test_threads_do_not_change_bits(dtype: torch.dtype) -> None:
    ab = colors(3, 61, 67, dtype=dtype)
    torch.set_num_threads(1)
    one = encode_ab(ab)
    for threads in (2, 3):
        torch.set_num_threads(threads)
        assert all(torch.equal(a, b) for a, b in zip(encode_ab(ab), one, strict=True))


# 6 Errors


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"neighbors": 0}, ValueError, r"^encode_ab: expected neighbors from 1 to 313, the number of bins, got 0$"),
        ({"neighbors": 314}, ValueError, r"neighbors from 1 to 313, the number of bins, got 314$"),
        ({"neighbors": 5.0}, TypeError, r"^encode_ab: expected an int as neighbors, got float$"),
        (
            {"sigma": 0.0},
            ValueError,
            r"^encode_ab: expected sigma from 1e-15 to 1e15, got 0.0; the published value is 5$",
        ),
        ({"sigma": float("nan")}, ValueError, r"expected sigma from 1e-15 to 1e15, got nan"),
        (
            {"bins": torch.zeros(4, 3)},
            ValueError,
            r"^encode_ab: expected bins of shape \(Q, 2\) with 1 <= Q <= 4096, got \(4, 3\); give one ",
        ),
        ({"bins": torch.zeros(4097, 2)}, ValueError, r"got \(4097, 2\)"),
        ({"bins": torch.zeros(0, 2)}, ValueError, r"got \(0, 2\)"),
        ({"bins": torch.zeros(9, 2, dtype=torch.int64)}, TypeError, r"got torch.int64; give the bins as floats"),
        (
            {"bins": torch.full((9, 2), float("nan"))},
            ValueError,
            r"^encode_ab: expected finite bins, got NaN or infinity; remove those rows$",
        ),
        ({"bins": torch.zeros(3, 2)}, ValueError, r"from 1 to 3, the number of bins, got 5$"),
    ],
)
def test_errors_about_options(options: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        encode_ab(torch.zeros(1, 2, 2, 2), **options)


def test_errors_about_colours() -> None:
    with pytest.raises(TypeError, match=r"^encode_ab: expected a torch.Tensor as ab, got list$"):
        encode_ab([1.0])
    with pytest.raises(TypeError, match=r"^encode_ab: expected float16, .* got torch.uint8; give a and b in CIE units"):
        encode_ab(torch.zeros(1, 2, 2, 2, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"^encode_ab: expected ab of shape \(N, 2, H, W\), got \(1, 3, 2, 2\); "):
        encode_ab(torch.zeros(1, 3, 2, 2))
    with pytest.raises(ValueError, match=r"got \(2, 4, 4\); add a batch dimension with \[None\]$"):
        encode_ab(torch.zeros(2, 4, 4))
    with pytest.raises(ValueError, match=r"got \(1, 2, 3, 4, 4\); merge the depth into the batch$"):
        encode_ab(torch.zeros(1, 2, 3, 4, 4))
