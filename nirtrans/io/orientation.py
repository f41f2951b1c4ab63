"""How a picture is turned when it is shown: the orientation in its EXIF block, 1 to 8.

What users point at is the picture as shown; what is decoded is the picture as stored.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

TAG = 274
UPRIGHT = 1
INVERSE = {6: 8, 8: 6}
"""All other orientations undo themselves."""
Size = tuple[int, int]
"""Height and width."""


def orientation_of(exif: bytes | None) -> int:
    """Return the orientation in an EXIF block, 1 if it has none or an unknown one."""
    if not exif:
        return UPRIGHT
    found = Pillow.Exif()
    try:
        found.load(exif)
        value = found.get(TAG, UPRIGHT)
    except (SyntaxError, ValueError, KeyError, TypeError, OSError):  # a damaged block turns nothing
        return UPRIGHT
    return value if value in range(1, 9) else UPRIGHT


def shown_size(stored: Size, orientation: int) -> Size:
    """Return height and width of a picture as it is shown."""
    return (stored[1], stored[0]) if orientation >= 5 else stored


def show(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn [H, W, ...] from stored to shown."""
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    rows = slice(None, None, -1) if orientation in (3, 4, 7, 8) else slice(None)
    columns = slice(None, None, -1) if orientation in (2, 3, 6, 7) else slice(None)
    return turned[rows, columns]


def unshow(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn [H, W, ...] from shown to stored."""
    return show(pixels, INVERSE.get(orientation, orientation))


def stored_place(x: float, y: float, stored: Size, orientation: int) -> tuple[float, float]:
    """Return where a pixel of the shown picture is stored, (x, y)."""
    height, width = shown_size(stored, orientation)
    x = width - 1 - np.floor(x) if orientation in (2, 3, 6, 7) else x
    y = height - 1 - np.floor(y) if orientation in (3, 4, 7, 8) else y
    return (y, x) if orientation >= 5 else (x, y)
