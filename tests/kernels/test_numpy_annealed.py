"""The annealed mean of the NumPy face: the same bits as torch."""

import numpy as np
import pytest
import torch

from nirtrans.kernels import annealed_mean
from tests.kernels.conftest import compiled_only

numpy_kernels = pytest.importorskip("nirtrans.numpy_kernels", reason="compiled module absent", exc_type=ImportError)


def scores(shape: tuple[int, ...], dtype: type = np.float32) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal(shape) * 4).astype(dtype)


@compiled_only
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 313, 1, 1), (2, 313, 11, 13), (0, 313, 4, 4)])
@pytest.mark.parametrize("interleaved", [False, True])
def test_same_bits_as_torch(dtype: type, shape: tuple[int, ...], interleaved: bool) -> None:
    logits = scores(shape, dtype)
    if interleaved:
        logits = np.moveaxis(np.ascontiguousarray(np.moveaxis(logits, 1, -1)), -1, 1)
    mean = numpy_kernels.annealed_mean(logits)
    assert mean.dtype == dtype
    assert np.array_equal(mean, annealed_mean(torch.from_numpy(logits)).numpy())


def test_threads_and_slices_do_not_change_bits() -> None:
    logits, bins = scores((2, 14, 20, 44))[:, 2:12, :, ::2], scores((10, 2))
    expected = numpy_kernels.annealed_mean(logits.copy(), bins=bins, temperature=0.5, threads=1)
    for threads in (2, 3):
        mean = numpy_kernels.annealed_mean(logits, bins=bins, temperature=0.5, threads=threads)
        assert np.array_equal(mean, expected)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"^annealed_mean: expected logits of shape \(N, 313, H, W\), one class for"):
        numpy_kernels.annealed_mean(scores((1, 5, 2, 2)))
    with pytest.raises(
        ValueError, match=r"^annealed_mean: expected temperature from 1e-15 to 1e15, got 0; the published value"
    ):
        numpy_kernels.annealed_mean(scores((1, 313, 2, 2)), temperature=0)
    with pytest.raises(TypeError, match=r"^annealed_mean: expected a float32 or float64 array as logits, got int64; "):
        numpy_kernels.annealed_mean(np.zeros((1, 313, 2, 2), np.int64))
