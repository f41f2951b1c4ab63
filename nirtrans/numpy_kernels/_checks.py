"""What the kernels accept as arrays and as tables of bins."""

import numpy as np
from numpy.typing import NDArray

from nirtrans.ab_bins import ab_table

MOST_BINS = 4096


def check_floats(array: NDArray[np.floating], operator: str, argument: str, advice: str) -> None:
    """Raise unless `array` is a float32 or float64 array; `advice` says what to do with any other.

    Raises:
        TypeError: If it is no array or of another dtype.
    """
    if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
        got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"{operator}: expected a float32 or float64 array as {argument}, got {got}; {advice}")


def check_bins(operator: str, bins: NDArray[np.floating] | None) -> NDArray[np.float32]:
    """Return the table of bins as contiguous float32, (Q, 2); None stands for the 313.

    Raises:
        TypeError: If bins are not a float32 or float64 array.
        ValueError: If bins are not (Q, 2) with 1 <= Q <= 4096, or not finite.
    """
    if bins is None:
        return ab_table()
    check_floats(bins, operator, "bins", "give the bins as floats in CIE units")
    if bins.ndim != 2 or bins.shape[1] != 2 or not 1 <= len(bins) <= MOST_BINS:
        raise ValueError(
            f"{operator}: expected bins of shape (Q, 2) with 1 <= Q <= {MOST_BINS}, got {bins.shape}; "
            "give one (a, b) per row"
        )
    if not np.isfinite(bins).all():
        raise ValueError(f"{operator}: expected finite bins, got NaN or infinity; remove those rows")
    return np.ascontiguousarray(bins, np.float32)
