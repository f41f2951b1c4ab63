"""Predictions that anyone could make without a network; a model is worth what it adds to them."""

from collections.abc import Callable, Iterable
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


def nir_copy(pair: Pair) -> Colours:
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
        table: [3, 256], mean colour of each source level; levels that never occur are interpolated.
        mean: [3], mean colour of all pixels.
    """

    table: NDArray[np.float32]
    mean: NDArray[np.float32]

    def lut(self, pair: Pair) -> Colours:
        """Look the colour up by the level of the source."""
        return self.table[:, _levels(pair.source.pixels)]

    def mean_colour(self, pair: Pair) -> Colours:
        """Show the same colour everywhere."""
        return np.broadcast_to(self.mean[:, None, None], pair.truth.shape)


def learn_palette(pairs: Iterable[Pair]) -> Palette:
    """Average the true colours of training pairs, per source level and overall, over valid pixels."""
    sums, counts = np.zeros((3, ENTRIES)), np.zeros(ENTRIES)
    for pair in pairs:
        valid = np.ones(pair.truth.shape[1:], dtype=bool) if pair.valid is None else pair.valid
        levels = _levels(pair.source.pixels)[valid]
        counts += np.bincount(levels, minlength=ENTRIES)
        sums += [np.bincount(levels, weights=channel[valid], minlength=ENTRIES) for channel in pair.truth]
    if not counts.any():
        grey = np.linspace(0, 1, ENTRIES, dtype=np.float32)
        return Palette(np.tile(grey, (3, 1)), np.full(3, 0.5, dtype=np.float32))
    known = np.flatnonzero(counts)
    table = [np.interp(np.arange(ENTRIES), known, channel[known] / counts[known]) for channel in sums]
    mean = sums.sum(axis=1) / counts.sum()
    return Palette(np.array(table, dtype=np.float32), mean.astype(np.float32))


def baselines(palette: Palette) -> dict[str, Predictor]:
    """Return the predictions that every report shows, by name."""
    return {"nir-copy": nir_copy, "lut": palette.lut, "mean-colour": palette.mean_colour, **ORACLES}


def common_area(colours: Colours, pair: Pair) -> NDArray[np.bool_]:
    """Return the valid pixels [H, W] for which a baseline has a prediction; models have to predict all of them."""
    known = np.isfinite(colours) if pair.valid is None else np.isfinite(colours) & pair.valid
    return np.all(known, axis=0)


def _levels(source: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the 8-bit level of a source [C, H, W], its channels averaged; NaN under a mask counts as black."""
    grey = np.nan_to_num(source.mean(axis=0))
    return (grey.clip(0, 1) * (ENTRIES - 1)).round().astype(np.int64)
