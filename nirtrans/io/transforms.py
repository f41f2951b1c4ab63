"""Affine transforms on arrays; the operator for that differs between versions of the affine package."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def apply(transform: Any, x: Any, y: Any) -> tuple[Values, Values]:
    """Bring columns and rows to coordinates, or back by the inverse transform; arrays or numbers."""
    t, x, y = transform, np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f


def shifted(transform: Any, column: int, row: int) -> Any:
    """Return the transform of a part that begins at a column and row."""
    x, y = apply(transform, column, row)
    t = transform
    return type(t)(t.a, t.b, float(x), t.d, t.e, float(y))
