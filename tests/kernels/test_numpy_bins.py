"""The NumPy face of the bins: the same bits as torch."""

import numpy as np
import pytest
import torch

from nirtrans import kernels
from tests.kernels.conftest import compiled_only

numpy_kernels = pytest.importorskip("nirtrans.numpy_kernels", reason="compiled module absent", exc_type=ImportError)


def colors(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-140, 140, shape).astype(np.float32)


@compiled_only
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("neighbors", [1, 5, 10])
@pytest.mark.parametrize("interleaved", [False, True])
def test_same_bits_as_torch(dtype: type, neighbors: int, interleaved: bool) -> None:
    ab = colors(2, 2, 17, 41).astype(dtype)
    if interleaved:
        ab = np.moveaxis(np.ascontiguousarray(np.moveaxis(ab, 1, -1)), -1, 1)
    ours = numpy_kernels.encode_ab(ab, neighbors=neighbors)
    assert ours[1].dtype == dtype
    for result, expected in zip(ours, kernels.encode_ab(torch.from_numpy(ab), neighbors=neighbors), strict=True):
        assert np.array_equal(result, expected.numpy())


def test_other_tables_slices_and_nothing() -> None:
    bins = np.asfortranarray(numpy_kernels.ab_bins()[::2].astype(np.float64))
    ab = colors(2, 4, 8, 20)[:, 1:3, :, ::2]
    index, _ = numpy_kernels.encode_ab(ab, bins=bins)
    expected, _ = numpy_kernels.encode_ab(ab.copy(), bins=np.ascontiguousarray(bins, np.float32))
    assert np.array_equal(index, expected)
    assert numpy_kernels.encode_ab(np.zeros((0, 2, 3, 3)))[1].shape == (0, 5, 3, 3)


@pytest.mark.parametrize("threads", [2, 3, 64])
def test_threads_do_not_change_bits(threads: int) -> None:
    ab = colors(3, 2, 31, 37)
    one, many = (numpy_kernels.encode_ab(ab, threads=count) for count in (1, threads))
    assert all(np.array_equal(a, b) for a, b in zip(one, many, strict=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_class_weights_match_torch(dtype: type) -> None:
    prior = np.array([0.4, 0.0, 0.35, 0.25], dtype)
    result = numpy_kernels.class_weights(prior, mix=0.3)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, kernels.class_weights(torch.from_numpy(prior), mix=0.3).numpy(), rtol=1e-6)


def test_bins_are_a_fresh_copy() -> None:
    numpy_kernels.ab_bins()[:] = 0
    assert np.array_equal(numpy_kernels.ab_bins(), kernels.ab_bins().numpy())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"neighbors": 0}, ValueError, r"^encode_ab: expected neighbors from 1 to 313, the number of bins, got 0$"),
        ({"neighbors": 2.0}, TypeError, r"^encode_ab: expected an int as neighbors, got float$"),
        ({"sigma": -1.0}, ValueError, r"^encode_ab: expected sigma from 1e-15 to 1e15, got -1.0; "),
        ({"bins": np.zeros((3, 3), np.float32)}, ValueError, r"expected bins of shape \(Q, 2\) .* got \(3, 3\); "),
        ({"bins": np.full((9, 2), np.nan)}, ValueError, r"^encode_ab: expected finite bins, got NaN or infinity"),
        ({"bins": np.zeros((9, 2), int)}, TypeError, r"expected a float32 or float64 array as bins, got int64; "),
        ({"threads": 0}, ValueError, r"^encode_ab: expected at least 1 thread, got 0"),
    ],
)
def test_errors_about_options(options: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        numpy_kernels.encode_ab(np.zeros((1, 2, 2, 2), np.float32), **options)


def test_errors_about_arrays() -> None:
    with pytest.raises(TypeError, match=r"^encode_ab: expected a float32 or float64 array as ab, got list; "):
        numpy_kernels.encode_ab([1.0])
    with pytest.raises(ValueError, match=r"^encode_ab: expected ab of shape \(N, 2, H, W\), got \(2, 2, 2\); put"):
        numpy_kernels.encode_ab(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"^class_weights: expected finite frequencies .* divide counts by their sum"):
        numpy_kernels.class_weights(np.array([0.5, 0.4]))
    with pytest.raises(ValueError, match=r"^class_weights: expected prior of shape \(Q,\), got \(1, 1\); give"):
        numpy_kernels.class_weights(np.ones((1, 1)))
    with pytest.raises(ValueError, match=r"^class_weights: expected mix in \[0, 1\], got -1; "):
        numpy_kernels.class_weights(np.ones(1), mix=-1)
