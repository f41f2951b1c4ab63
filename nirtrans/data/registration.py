"""Measure how far sources and targets of pairs lie apart, by phase correlation of their edges.

Edges are compared because near infrared and colour differ in brightness, but change at the same places. Source: Kuglin
and Hines 1975; the peak is refined by a parabola through its neighbours.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.data.derive import luma
from nirtrans.data.picture import Collection, Picture
from nirtrans.data.readable import OPENING_THREADS
from nirtrans.errors import DataError
from nirtrans.io.atomic import write_text

MAX_SHIFT_PX = 16
"""Larger shifts are not looked for."""
BLUR_PX = 1.5
"""Finer detail, where sensors differ most, is damped by a Gaussian of this width."""
MIN_CERTAINTY = 8.0
"""Below this a shift is a guess: of 500 pairs of different places one in a hundred reached it."""
SIDE_PX = 1024
"""Only the middle of larger pictures is compared."""


@dataclass(frozen=True)
class Shift:
    """How far a target must be moved to lie on its source.

    Attributes:
        id: Name of the pair.
        down_px: Downwards.
        right_px: To the right.
        certainty: Height of the peak over the mean, in standard deviations; see `certain`.
    """

    id: str
    down_px: float
    right_px: float
    certainty: float

    @property
    def certain(self) -> bool:
        """Whether the pictures agree on the shift; one that is not may be chance."""
        return self.certainty >= MIN_CERTAINTY

    @property
    def length_px(self) -> float:
        """Length of the shift."""
        return float(np.hypot(self.down_px, self.right_px))


def check_registration(collection: Collection) -> list[Shift]:
    """Measure every pair of an aligned collection, largest shift first.

    Raises:
        DataError: If sources and targets are not pairs, or a file is unreadable.
    """
    if not collection.aligned:
        raise DataError(f"{collection.description}: only pairs can be checked for registration")
    with ThreadPoolExecutor(OPENING_THREADS) as pool:
        shifts: Sequence[Shift] = list(pool.map(measure_pair, collection.sources, collection.targets))
    return sorted(shifts, key=lambda shift: -shift.length_px)


def histogram(shifts: Sequence[Shift]) -> dict[str, int]:
    """Count pairs by the length of their shift."""
    ends = [0.0, 0.5, 1.0, 2.0, 4.0, np.inf]
    counts = np.histogram([shift.length_px for shift in shifts], ends)[0]
    names = [f"{low:g} to {high:g} px" if high < np.inf else f"over {low:g} px" for low, high in pairwise(ends)]
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


def write_shifts(path: Path, shifts: Sequence[Shift]) -> None:
    """Write shifts as id,down_px,right_px,certainty."""
    lines = [f"{shift.id},{shift.down_px:.3f},{shift.right_px:.3f},{shift.certainty:.1f}" for shift in shifts]
    write_text(path, "\n".join(["id,down_px,right_px,certainty", *lines]) + "\n")


def measure_pair(source: Picture, target: Picture) -> Shift:
    """Measure one pair."""
    gray, _ = source.read(_middle(source))
    rgb, _ = target.read(_middle(target))
    return Shift(source.id, *phase_shift(gray[0], luma(rgb)[0]))


def _middle(picture: Picture) -> tuple[int, int, int, int]:
    height, width = (min(length, SIDE_PX) for length in picture.size)
    return (picture.size[0] - height) // 2, (picture.size[1] - width) // 2, height, width


def phase_shift(fixed: NDArray[np.float32], moving: NDArray[np.float32]) -> tuple[float, float, float]:
    """Find the shift that brings `moving` onto `fixed`, both [H, W].

    Returns:
        Downward and rightward shift in pixels, and how many standard deviations the peak stands out.
    """
    first, second = (np.fft.rfft2(_edges(image)) for image in (fixed, moving))
    cross = first * second.conj()
    correlation = np.fft.irfft2(cross / (np.abs(cross) + 1e-9) * _low_pass(fixed.shape), s=fixed.shape)
    reach = min(MAX_SHIFT_PX, (min(fixed.shape) - 1) // 2 - 1)
    near = np.roll(correlation, (reach + 1, reach + 1), axis=(0, 1))[: 2 * reach + 3, : 2 * reach + 3]
    row, column = np.unravel_index(near[1:-1, 1:-1].argmax(), (2 * reach + 1, 2 * reach + 1))
    cross_section = near[row : row + 3, column + 1], near[row + 1, column : column + 3]
    down, right = (place - reach + _vertex(line) for place, line in zip((row, column), cross_section, strict=True))
    peak = near[row + 1, column + 1]
    return float(down), float(right), float((peak - correlation.mean()) / (correlation.std() + 1e-12))


def _edges(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the gradient magnitude, its mean removed, fading to 0 at the borders so that they do not correlate."""
    magnitude = np.hypot(*np.gradient(image))
    fade = np.outer(np.hanning(image.shape[0]), np.hanning(image.shape[1]))
    return (magnitude - magnitude.mean()) * fade


def _low_pass(shape: tuple[int, ...]) -> NDArray[np.float64]:
    squared = np.fft.fftfreq(shape[0])[:, None] ** 2 + np.fft.rfftfreq(shape[1])[None] ** 2
    return np.exp(-2 * (np.pi * BLUR_PX) ** 2 * squared)


def _vertex(line: NDArray[np.float64]) -> float:
    """Return where the parabola through three values at -1, 0, 1 has its top."""
    left, middle, right = line
    curvature = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0
