"""Ingredients of made-up landscapes: fractal fields, parcels, towns, and the reflectance of land covers.

Reflectances are round numbers in the range of published spectra (0 to 1, order red, green, blue, near infrared). The
near-infrared values of covers overlap on purpose: dry soil, roofs and conifers are equally bright there, so that only
texture, shape and neighbourhood tell them apart.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


class Cover(IntEnum):
    """Kinds of land cover."""

    WATER = 0
    FOREST = 1
    MEADOW = 2
    CROPS = 3
    SOIL = 4
    BUILT = 5
    SNOW = 6


SPECTRA: dict[str, tuple[float, float, float, float]] = {
    "clear water": (0.018, 0.032, 0.045, 0.012),
    "turbid water": (0.085, 0.095, 0.065, 0.035),
    "conifers": (0.022, 0.034, 0.020, 0.220),
    "broadleaf": (0.030, 0.058, 0.026, 0.380),
    "green meadow": (0.055, 0.088, 0.042, 0.340),
    "dry meadow": (0.170, 0.145, 0.085, 0.270),
    "green crops": (0.042, 0.085, 0.038, 0.460),
    "ripe crops": (0.230, 0.190, 0.110, 0.340),
    "red soil": (0.250, 0.150, 0.085, 0.320),
    "grey soil": (0.160, 0.140, 0.110, 0.220),
    "sand": (0.330, 0.280, 0.210, 0.400),
    "red roof": (0.260, 0.140, 0.100, 0.300),
    "concrete": (0.240, 0.235, 0.225, 0.270),
    "asphalt": (0.085, 0.085, 0.088, 0.110),
    "snow": (0.830, 0.845, 0.860, 0.760),
}


def spectrum(name: str) -> Field:
    """Return the reflectance of a material, [4, 1, 1]: red, green, blue, near infrared."""
    return np.array(SPECTRA[name], dtype=np.float32)[:, None, None]


def mix(first: str, second: str, share: Field) -> Field:
    """Blend two materials, [4, H, W]; `share` [H, W] in [0, 1] is that of the second."""
    return spectrum(first) * (1 - share) + spectrum(second) * share


def fractal(rng: np.random.Generator, size: tuple[int, int], *, slope: float, coarsest_px: float = 1e9) -> Field:
    """Draw a random field with the power spectrum 1 / f^(2 slope), mean 0, standard deviation 1, [H, W].

    Args:
        rng: Source of randomness.
        size: Height and width.
        slope: 0 is white noise, 1 rough terrain, 2 smooth hills.
        coarsest_px: Longer waves are left out.
    """
    height, width = size
    down, right = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.maximum(np.hypot(down, right), 1 / max(height, width))
    amplitude = frequency**-slope * (frequency >= 1 / coarsest_px)
    amplitude[0, 0] = 0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(size)) * amplitude, s=size)
    return ((field - field.mean()) / (field.std() + 1e-9)).astype(np.float32)


def ramp(field: Field, low: float, high: float) -> Field:
    """Rise from 0 at `low` to 1 at `high`."""
    return np.clip((field - low) / (high - low), 0, 1)


@dataclass(frozen=True)
class Parcels:
    """A turned grid of rectangles with uneven widths.

    Attributes:
        across: Distance along one side of the grid, pixels, [H, W].
        along: Distance along the other side, pixels, [H, W].
        edge_px: Distance to the nearest border of a parcel, pixels, [H, W].
        column: Number of the parcel across, [H, W].
        row: Number of the parcel along, [H, W].
    """

    across: Field
    along: Field
    edge_px: Field
    column: NDArray[np.intp]
    row: NDArray[np.intp]

    def draw(self, rng: np.random.Generator) -> Field:
        """Give every parcel one random number in [0, 1), [H, W]."""
        table = rng.random((int(self.column.max()) + 1, int(self.row.max()) + 1), dtype=np.float32)
        return table[self.column, self.row]


def parcels(rng: np.random.Generator, size: tuple[int, int], *, mean_px: float) -> Parcels:
    """Cut the plane into rectangles of about `mean_px`, turned by a random angle."""
    height, width = size
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    across = x * np.cos(angle) + y * np.sin(angle)
    along = y * np.cos(angle) - x * np.sin(angle)
    column, column_edge = _number(rng, across - across.min(), mean_px)
    row, row_edge = _number(rng, along - along.min(), mean_px * rng.uniform(0.8, 2.0))
    return Parcels(across, along, np.minimum(column_edge, row_edge), column, row)


def _number(rng: np.random.Generator, distance: Field, mean_px: float) -> tuple[NDArray[np.intp], Field]:
    """Number intervals of random length along a line and tell the distance to the nearest of their ends."""
    count = int(distance.max() / (0.5 * mean_px)) + 2
    ends = np.concatenate([[-1.0], np.cumsum(rng.uniform(0.5, 1.5, count) * mean_px)]).astype(np.float32)
    index = np.searchsorted(ends, distance.ravel()).reshape(distance.shape)
    return index, np.minimum(distance - ends[index - 1], ends[index] - distance)


def smooth(layers: Field) -> Field:
    """Blur [C, H, W] by the binomial kernel 1-2-1 in both directions, as optics do; borders are repeated."""
    padded = np.pad(layers, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16
