"""Colour seeds as the NTIRE 2019 challenge on colorization gave them with the pictures of its second track."""

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import InputError
from nirtrans.io.images import to_unit

FEWEST, MOST = 5, 15
"""Seeds of a picture. Source: NTIRE 2019 challenge report, track 2."""
Seed = tuple[int, int, int, int, int]
"""x, y, red, green and blue."""


def ntire_track2_seeds(img: NDArray, rng: np.random.Generator, n: int | None = None) -> list[Seed]:
    """Draw pixels of a picture, no two alike, with their colours.

    Args:
        img: [H, W, 3]; integers over their type's range, floats in [0, 1].
        rng: Where the places, and without `n` their number, are drawn from.
        n: Number of seeds; None: 5 to 15, equally likely.

    Raises:
        InputError: If the picture has no three channels or fewer pixels than seeds.

    Example:
        >>> ntire_track2_seeds(np.full((1, 1, 3), 7, np.uint8), np.random.default_rng(0), n=1)
        [(0, 0, 7, 7, 7)]
    """
    if img.ndim != 3 or img.shape[2] != 3:
        raise InputError(f"expected a colour picture [H, W, 3], got {img.shape}")
    height, width, _ = img.shape
    count = int(rng.integers(FEWEST, MOST, endpoint=True)) if n is None else n
    if not 0 <= count <= height * width:
        raise InputError(f"expected 0 to {height * width} seeds in {width} x {height} px, got {count}")
    rows, columns = np.divmod(rng.choice(height * width, size=count, replace=False), width)
    colours = (to_unit(img[rows, columns]).clip(0, 1) * 255).round().astype(int)
    places = zip(columns.tolist(), rows.tolist(), colours.tolist(), strict=True)
    return [(x, y, red, green, blue) for x, y, (red, green, blue) in places]
