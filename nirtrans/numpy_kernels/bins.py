"""The bins of the ab plane, soft encoding and weights of rare colours on NumPy arrays."""

import numpy as np
from numpy.typing import NDArray

from nirtrans.ab_bins import ab_table
from nirtrans.arguments import check_mix, check_neighbors
from nirtrans.numpy_kernels._checks import check_bins, check_floats
from nirtrans.numpy_kernels._ops import ops, thread_count


def ab_bins() -> NDArray[np.float32]:
    """Return the 313 bins of the ab plane; see `nirtrans.kernels.ab_bins`.

    Returns:
        (a, b) in CIE units, [313, 2], a fresh copy at each call.

    Example:
        >>> ab_bins()[120].tolist()
        [0.0, 0.0]
    """
    return ab_table()


def encode_ab(
    ab: NDArray[np.floating],
    *,
    bins: NDArray[np.floating] | None = None,
    neighbors: int = 5,
    sigma: float = 5.0,
    threads: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Encode colours as their nearest bins with Gaussian weights; see `nirtrans.kernels.encode_ab`.

    Args:
        ab: a and b in CIE units, (N, 2, H, W), float32 or float64. Views of (N, H, W, 2) are read in place.
        bins: Any table (Q, 2) of finite floats, 1 <= Q <= 4096; None: the 313 of `ab_bins`.
        neighbors: K, 1 to Q.
        sigma: Width of the Gaussian in units of ab, 1e-15 to 1e15.
        threads: CPU threads; all that the process may use if None. The result does not depend on them.

    Returns:
        Bin numbers (N, K, H, W), int64, nearest first, and weights (N, K, H, W) in the dtype of `ab`.

    Raises:
        TypeError: If ab is not a float32 or float64 array, bins not a floating-point one, or neighbors no integer.
        ValueError: If a shape or a number is out of range.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, section 2.2.

    Example:
        >>> index, weight = encode_ab(np.zeros((1, 2, 1, 1), np.float32), neighbors=1)
        >>> index.ravel().tolist(), weight.ravel().tolist()
        ([120], [1.0])
    """
    check_floats(ab, "encode_ab", "ab", "give a and b in CIE units")
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(
            f"encode_ab: expected ab of shape (N, 2, H, W), got {ab.shape}; put the channels before height and width"
        )
    table = check_bins("encode_ab", bins)
    check_neighbors("encode_ab", neighbors, len(table), sigma)
    interleaved = not ab.flags.c_contiguous and np.moveaxis(ab, 1, -1).flags.c_contiguous
    colors = ab if interleaved else np.ascontiguousarray(ab)
    n, _, h, w = ab.shape
    index, weight = np.empty((n, neighbors, h, w), np.int64), np.empty((n, neighbors, h, w), ab.dtype)
    ops.encode_ab(colors, table, sigma, interleaved, index, weight, thread_count(threads, n * h * w, "encode_ab"))
    return index, weight


def class_weights(prior: NDArray[np.floating], *, mix: float = 0.5) -> NDArray[np.floating]:
    """Turn the frequencies of bins into weights that favour rare ones; see `nirtrans.kernels.class_weights`.

    Args:
        prior: Frequency of each bin, (Q,), not negative, with sum 1, float32 or float64.
        mix: Share of the uniform distribution, 0 to 1; the published value is 0.5.

    Returns:
        Weights, (Q,), in the dtype of `prior`; 1 for bins that never occur.

    Raises:
        TypeError: If prior is not a float32 or float64 array.
        ValueError: If prior is not a distribution, or mix is out of range.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, equation 4.

    Example:
        >>> class_weights(np.full(4, 0.25)).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    check_floats(prior, "class_weights", "prior", "divide counts by their sum")
    if prior.ndim != 1 or prior.size == 0:
        raise ValueError(f"class_weights: expected prior of shape (Q,), got {prior.shape}; give one frequency per bin")
    check_mix("class_weights", mix)
    exact = prior.astype(np.float64)
    if not np.isfinite(exact).all() or exact.min() < 0 or abs(exact.sum() - 1) > 1e-4:
        raise ValueError(
            f"class_weights: expected finite frequencies >= 0 with sum 1, got sum {exact.sum():.6g} and minimum "
            f"{exact.min():.6g}; divide counts by their sum"
        )
    occurs = exact > 0
    weight = np.ones_like(exact)
    weight[occurs] = 1 / ((1 - mix) * exact[occurs] + mix / occurs.sum())
    weight[occurs] /= (exact * weight)[occurs].sum()
    return weight.astype(prior.dtype)
