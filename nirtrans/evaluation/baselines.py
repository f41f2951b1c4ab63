"""Predictions that anyone could make without a network; a model is worth what it adds to them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nirtrans.evaluation.metrics import LUMA
from nirtrans.evaluation.pairs import Pair

ENTRIES = 256
Colours = NDArray[np.float32]
"""[3, H, W] in [0, 1], NaN where there is no prediction."""
Predictor = Callable[[Pair], Colours]


COPIES = {"nir": "nir-copy", "gray": "grey-copy", "lineart": "line-copy"}
"""What a domain calls its source, shown as grey."""


def source_copy(pair: Pair) -> Colours:
    """Show the source as red, green and blue."""
    return np.broadcast_to(pair.source.pixels.mean(axis=0), pair.truth.shape)


def oracle_grey(pair: Pair) -> Colours:
    """Show the true luma without colour."""
    luma = np.tensordot(np.array(LUMA, dtype=np.float32), pair.truth, axes=1)
    return np.broadcast_to(luma, pair.truth.shape)


def oracle_mean(pair: Pair) -> Colours:
    """Show the true mean colour of this picture everywhere."""
    held = np.isfinite(pair.truth).all(axis=0) if pair.valid is None else pair.valid
    mean = pair.truth[:, held].mean(axis=1) if held.any() else np.zeros(3, dtype=np.float32)
    return np.broadcast_to(mean[:, None, None], pair.truth.shape)


def shifted(pair: Pair, *, by_px: int) -> Colours:
    """Show the truth further to the right: what a registration error costs that nobody sees.

    Returns:
        NaN in the first columns, which nothing is shifted to, and where nodata is shifted to.
    """
    colours = np.full_like(pair.truth, np.nan)
    truth = pair.truth if pair.valid is None else np.where(pair.valid, pair.truth, np.nan)
    colours[..., by_px:] = truth[..., :-by_px]
    return colours


ORACLES: dict[str, Predictor] = {
    "oracle-grey": oracle_grey,
    "oracle-mean": oracle_mean,
    "shift1": partial(shifted, by_px=1),
    "shift2": partial(shifted, by_px=2),
}
"""Predictions that look at the truth: marks to read numbers by, in no competition with models."""


@dataclass(frozen=True)
class Palette:
    """Mean colours of training pictures.

    Attributes:
        table: [C, 256], mean of each source level; levels that never occur are interpolated.
        mean: [C], mean of all pixels.
    """

    table: NDArray[np.float32]
    mean: NDArray[np.float32]

    def lut(self, pair: Pair) -> Colours:
        """Look the colour up by the level of the source."""
        return self.table[:, levels(pair.source.pixels)]

    def mean_colour(self, pair: Pair) -> Colours:
        """Show the same colour everywhere."""
        return np.broadcast_to(self.mean[:, None, None], (len(self.mean), *pair.truth.shape[1:]))


class PaletteSums:
    """Adds colours up, per source level, until they become a palette."""

    def __init__(self, channels: int) -> None:
        self._sums, self._counts = np.zeros((channels, ENTRIES)), np.zeros(ENTRIES)

    def add(self, pair: Pair, colours: NDArray[np.float32]) -> None:
        """Add the valid pixels of `colours`, [C, H, W], to what was there."""
        valid = np.ones(colours.shape[1:], dtype=bool) if pair.valid is None else pair.valid
        found = levels(pair.source.pixels)[valid]
        self._counts += np.bincount(found, minlength=ENTRIES)
        self._sums += [np.bincount(found, weights=channel[valid], minlength=ENTRIES) for channel in colours]

    def palette(self, *, nothing: Palette) -> Palette:
        """Return the means; `nothing` if no pixel was added."""
        if not self._counts.any():
            return nothing
        known = np.flatnonzero(self._counts)
        means = self._sums[:, known] / self._counts[known]
        table = [np.interp(np.arange(ENTRIES), known, channel) for channel in means]
        mean = self._sums.sum(axis=1) / self._counts.sum()
        return Palette(np.array(table, dtype=np.float32), mean.astype(np.float32))


def grey_palette() -> Palette:
    """Return the palette of nothing but grey: RGB."""
    grey = np.linspace(0, 1, ENTRIES, dtype=np.float32)
    return Palette(np.tile(grey, (3, 1)), np.full(3, 0.5, dtype=np.float32))


def common_area(colours: Colours, pair: Pair) -> NDArray[np.bool_]:
    """Return the valid pixels [H, W] for which a baseline has a prediction; models have to predict all of them."""
    known = np.isfinite(colours) if pair.valid is None else np.isfinite(colours) & pair.valid
    return np.all(known, axis=0)


def levels(source: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the 8-bit level of a source [C, H, W], its channels averaged; NaN under a mask counts as black."""
    grey = np.nan_to_num(source.mean(axis=0))
    return (grey.clip(0, 1) * (ENTRIES - 1)).round().astype(np.int64)
