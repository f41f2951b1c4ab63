"""What the kernels accept as arrays and as tables of bins."""

import numpy as np
from numpy.typing import NDArray

from nirtrans.ab_bins import ab_table

MOST_BINS = 4096


def check_floats(array: NDArray[np.floating], operator: str, argument: str, advice: str) -> None:
    """Raise unless `array` is a float32 or float64 array; `advice` says what to do with any other.

    Raises:
        TypeError: If it is no array, of another dtype, or masked: the mask would be ignored.
    """
    check_dtype(array, operator, argument, (np.float32, np.float64), advice)


def check_dtype(array: np.ndarray, operator: str, argument: str, dtypes: tuple[type, type], advice: str) -> None:
    """Raise unless `array` is an array of one of two dtypes; `advice` says what to do with any other.

    Raises:
        TypeError: If it is no array, of another dtype, or masked: the mask would be ignored.
    """
    if not isinstance(array, np.ndarray) or array.dtype not in dtypes:
        got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        names = " or ".join(np.dtype(dtype).name for dtype in dtypes)
        raise TypeError(f"{operator}: expected a {names} array as {argument}, got {got}; {advice}")
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{operator}: expected {argument} without a mask, got a masked array; give its .filled()")


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
