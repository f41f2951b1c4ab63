"""The annealed mean of a distribution over ab bins on NumPy arrays."""

import numpy as np
from numpy.typing import NDArray

from nirtrans.arguments import check_temperature
from nirtrans.numpy_kernels._checks import check_bins, check_floats
from nirtrans.numpy_kernels._ops import ops, thread_count

# Pixels have hundreds of classes: fewer of them are worth a thread.
GRAIN_PX = 512


def annealed_mean(
    logits: NDArray[np.floating],
    *,
    temperature: float = 0.38,
    bins: NDArray[np.floating] | None = None,
    threads: int | None = None,
) -> NDArray[np.floating]:
    """Decode logits over bins to colours; see `nirtrans.kernels.annealed_mean`.

    Args:
        logits: (N, Q, H, W), float32 or float64. Views of (N, H, W, Q) are read in place.
        temperature: T, 1e-15 to 1e15; the published value is 0.38.
        bins: Any table (Q, 2) of finite floats, 1 <= Q <= 4096; None: the 313 of `ab_bins`.
        threads: CPU threads; all that the process may use if None. The result does not depend on them.

    Returns:
        a and b in CIE units, (N, 2, H, W), in the dtype of `logits`.

    Raises:
        TypeError: If logits or bins are not float32 or float64 arrays.
        ValueError: If a shape or a number is out of range.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, equation 5.

    Example:
        >>> logits = np.zeros((1, 313, 1, 1), np.float32)
        >>> logits[0, 312] = 100  # bin (100, 0)
        >>> annealed_mean(logits).ravel().tolist()
        [100.0, 0.0]
    """
    check_floats(logits, "annealed_mean", "logits", "give the network's output before softmax")
    table = check_bins("annealed_mean", bins)
    if logits.ndim != 4 or logits.shape[1] != len(table):
        raise ValueError(
            f"annealed_mean: expected logits of shape (N, {len(table)}, H, W), one class for each bin, got "
            f"{logits.shape}; give the table that the network was trained with as bins"
        )
    check_temperature("annealed_mean", temperature)
    interleaved = not logits.flags.c_contiguous and np.moveaxis(logits, 1, -1).flags.c_contiguous
    scores = logits if interleaved else np.ascontiguousarray(logits)
    n, _, h, w = logits.shape
    mean = np.empty((n, 2, h, w), logits.dtype)
    count = thread_count(threads, n * h * w, "annealed_mean", grain=GRAIN_PX)
    ops.annealed_mean(scores, table, temperature, interleaved, mean, count)
    return mean
