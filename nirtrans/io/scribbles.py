"""Coloured strokes over a gray picture, drawn on a copy of it or on a transparent layer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import DataError
from nirtrans.io.images import read_image, to_unit
from nirtrans.io.orientation import UPRIGHT, orientation_of, show, unshow

DIFFERENT = 0.01
"""Sum of the differences of three channels above which a pixel is part of a stroke. Source: Levin et al. 2004, code."""
MOST_MARKED = 0.5
"""Share of the pixels above which a marked copy is taken for another picture, or for one that was compressed."""


@dataclass(frozen=True)
class Scribbles:
    """Strokes of the size of their picture.

    Attributes:
        colours: sRGB in [0, 1], [H, W, 3], float32.
        drawn: Where a stroke is, [H, W], bool.
    """

    colours: NDArray[np.float32]
    drawn: NDArray[np.bool_]


def read_scribbles(path: Path, gray: NDArray, *, orientation: int = UPRIGHT) -> Scribbles:
    """Read the strokes over a picture.

    A picture with transparent pixels is a layer: its opaque pixels are strokes. Any other is a marked copy: strokes are
    the pixels whose red, green and blue differ from the gray source by more than 0.01 in sum.

    Args:
        path: A picture of the size of the source.
        gray: The source, [H, W]; integers over their type's range, floats in [0, 1].
        orientation: How the source is turned when it is shown; the strokes have their own.

    Raises:
        DataError: If the file is unreadable, gray, of another size, without strokes, or no copy of the source.
    """
    image = read_image(path)

    def placed(pixels: NDArray) -> NDArray:
        return unshow(show(to_unit(pixels), orientation_of(image.exif)), orientation)

    colours = placed(image.pixels).clip(0, 1)
    _check(path, colours, gray)
    opaque = None if image.alpha is None else placed(image.alpha) == 1
    if opaque is not None and not opaque.all():
        drawn = opaque
    else:
        drawn = np.abs(colours - to_unit(gray)[..., None]).sum(axis=2) > DIFFERENT
        if drawn.mean() > MOST_MARKED:
            raise DataError(
                f"{path}: {drawn.mean():.0%} of its pixels differ from the gray source; draw on a copy of the source "
                "and save it without loss (PNG), or draw on a transparent layer"
            )
    if not drawn.any():
        raise DataError(f"{path}: no strokes found; draw opaque colours over a copy of the source, or on a layer")
    return Scribbles(colours, drawn)


def _check(path: Path, colours: NDArray, gray: NDArray) -> None:
    if colours.shape[2] != 3:
        raise DataError(f"{path}: a gray picture holds no coloured strokes; save it in colour")
    if colours.shape[:2] != gray.shape:
        (height, width), (own_height, own_width) = gray.shape, colours.shape[:2]
        raise DataError(
            f"{path}: has {own_width} x {own_height} px, the source {width} x {height}; draw on a copy of the same size"
        )
