"""SSIM on NumPy arrays: the same bits as on torch tensors, for any number of threads."""

import re

import numpy as np
import pytest
import torch

from nirtrans import kernels
from tests.kernels.conftest import compiled_only

numpy_kernels = pytest.importorskip("nirtrans.numpy_kernels", reason="compiled module absent", exc_type=ImportError)


def pair(*shape: int, dtype: type = np.float32) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    x = generator.random(shape)
    return x.astype(dtype), np.clip(x + 0.1 * generator.standard_normal(shape), 0, 1).astype(dtype)


def some_mask(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).random((count, 1, height, width)) > 0.05


@compiled_only
@pytest.mark.parametrize("padding", ["valid", "reflect", "zero"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("masked", [False, True])
def test_ssim_has_the_bits_of_torch(padding: str, reduction: str, dtype: type, masked: bool) -> None:
    x, y = pair(2, 3, 40, 37, dtype=dtype)
    mask = some_mask(2, 40, 37) if masked else None
    options = {"padding": padding, "reduction": reduction, "window_size": 7}
    result = numpy_kernels.ssim(x, y, mask=mask, **options)
    tensors = [torch.from_numpy(array) for array in (x, y)]
    expected = kernels.ssim(*tensors, mask=None if mask is None else torch.from_numpy(mask), **options)
    assert result.dtype == dtype
    if dtype == np.float64 and reduction != "none":
        # The last sum, over planes, may run in another order.
        np.testing.assert_allclose(result, expected.numpy(), rtol=1e-14)
    else:
        np.testing.assert_array_equal(result, expected.numpy())


@pytest.mark.parametrize("normalize", ["relu", "simple"])
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("masked", [False, True])
# The means of 2 x 2 pixels may be rounded in another order; few valid pixels in a window magnify that.
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-5), (np.float64, 1e-12)])
def test_ms_ssim_agrees_with_torch(normalize: str, reduction: str, masked: bool, dtype: type, tolerance: float) -> None:
    x, y = pair(2, 2, 51, 46, dtype=dtype)
    mask = some_mask(2, 51, 46) if masked else None
    options = {"normalize": normalize, "reduction": reduction, "weights": (0.2, 0.3, 0.5), "window_size": 11}
    result = numpy_kernels.ms_ssim(x, y, mask=mask, **options)
    tensors = [torch.from_numpy(array) for array in (x, y)]
    expected = kernels.ms_ssim(*tensors, mask=None if mask is None else torch.from_numpy(mask), **options)
    np.testing.assert_allclose(result, expected.numpy(), rtol=tolerance)


def test_threads_change_no_bit() -> None:
    x, y = pair(2, 2, 300, 20)
    maps = [numpy_kernels.ssim(x, y, reduction="none", threads=threads) for threads in (1, 2, 3)]
    assert all(np.array_equal(maps[0], other) for other in maps[1:])
    assert len({float(numpy_kernels.ssim(x, y, threads=threads)) for threads in (1, 2, 3)}) == 1


def test_views_and_mixed_dtypes_are_accepted() -> None:
    x, y = pair(1, 3, 16, 20)
    hwc = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    assert numpy_kernels.ssim(np.moveaxis(hwc, -1, 1), y) == numpy_kernels.ssim(x, y)
    assert numpy_kernels.ssim(x, y.astype(np.float64)).dtype == np.float64


def test_no_point_counts() -> None:
    x, y = pair(2, 1, 12, 12)
    nothing = np.zeros((12, 12), np.bool_)
    assert numpy_kernels.ssim(x, y, mask=nothing) == 1
    assert numpy_kernels.ssim(x, y, mask=nothing, reduction="sum") == 0
    assert numpy_kernels.ssim(x[:0], y[:0]) == 1
    assert numpy_kernels.ms_ssim(x[:0], y[:0], weights=(1.0,)) == 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.zeros((1, 1, 16, 16), np.uint8)}, TypeError, "expected a float32 or float64 array as x, got uint8"),
        ({"y": np.zeros((1, 1, 16, 15), np.float32)}, ValueError, "of one shape"),
        ({"window_size": 4}, ValueError, "expected an odd window_size from 3 to 33, got 4"),
        ({"window_size": 17}, ValueError, "expected height and width of at least 17"),
        ({"sigma": 0.0}, ValueError, "expected sigma from 1e-15 to 1e15"),
        ({"data_range": 0.0}, ValueError, "expected data_range from 1e-6 to 1e8, got 0.0"),
        ({"padding": "same"}, ValueError, "expected padding 'valid', 'reflect' or 'zero', got 'same'"),
        ({"reduction": "avg"}, ValueError, "expected reduction 'mean', 'sum' or 'none', got 'avg'"),
        ({"mask": np.ones((16, 16))}, TypeError, "expected a bool array as mask, got float64"),
        ({"mask": np.ones((3, 16), np.bool_)}, ValueError, "expected a mask broadcastable to (1, 1, 16, 16)"),
        ({"threads": 0}, ValueError, "expected at least 1 thread"),
    ],
)
def test_errors_say_what_was_expected(change: dict[str, object], error: type[Exception], message: str) -> None:
    x, y = pair(1, 1, 16, 16)
    with pytest.raises(error, match=re.escape(message)):
        numpy_kernels.ssim(**{"x": x, "y": y, **change})


def test_too_small_for_the_levels() -> None:
    x, y = pair(1, 1, 160, 170)
    with pytest.raises(ValueError, match="expected height and width above 160 for 5 levels, got 160 x 170"):
        numpy_kernels.ms_ssim(x, y)
