"""A look at a whole raster that fits the memory: where its values lie, and what of it is fill that no tag declares."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil, lcm, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nirtrans.io.geotiff import Raster, Window

MOST_PX = 8_000_000
"""Pixels that are looked at."""
STRIPS = 16
"""Parts of a large raster that are read one by one or at the same time."""
LEAST_SPREAD = 1e-6
"""Share of a constant by which its range goes beyond it; 1 more than 1e30 is the same number."""
SUSPICIOUS_SHARE = 0.005
"""Share of zeros from which they may be fill that the file does not declare."""


class Overview(NamedTuple):
    """Some bands of a whole raster, decimated.

    Attributes:
        values: [C, h, w], in the raster's own type.
        measured: [h, w], which pixels are valid and no fill.
        fill: [h, w], which valid pixels are 0 in every band of the raster, as around rotated footprints.
    """

    values: NDArray[Any]
    measured: NDArray[np.bool_]
    fill: NDArray[np.bool_]


def look_over(raster: Raster, bands: Sequence[int], *, threads: int = 1) -> Overview:
    """Read bands of the whole raster, decimated to at most 8 million pixels by nearest neighbour.

    Args:
        raster: Where to read.
        bands: Numbers from 1.
        threads: How many read at the same time, each by a handle of its own; the result is the same for any number.
    """
    values, valid = _read_decimated(raster, bands, threads)
    zero = valid & (values == 0).all(axis=0)
    fill = zero_in_others(
        raster, bands, zero, lambda band: _read_decimated(raster, [band], threads)[0][0], least_share=SUSPICIOUS_SHARE
    )
    return Overview(values, valid & ~fill, fill)


def read_overview(raster: Raster, bands: Sequence[int]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read bands of the whole raster, decimated; undeclared fill counts as invalid."""
    return look_over(raster, bands)[:2]


def percentiles(
    values: NDArray[Any], valid: NDArray[np.bool_], low: float = 2.0, high: float = 98.0
) -> tuple[float, float] | None:
    """Return two percentiles of the valid pixels of [C, H, W], all bands together, or None if there is none."""
    if not valid.any():
        return None
    bottom, top = np.percentile(values if valid.all() else values[:, valid], (low, high))
    spread = max(1.0, abs(bottom) * LEAST_SPREAD)
    return float(bottom), float(top if top > bottom else bottom + spread)


def zero_in_others(
    raster: Raster,
    bands: Sequence[int],
    zero: NDArray[np.bool_],
    read: Callable[[int], NDArray[Any]],
    *,
    least_share: float = 0.0,
) -> NDArray[np.bool_]:
    """Return which pixels, known to be 0 in some bands, are 0 in all others as well.

    Args:
        raster: Where to look.
        bands: Bands that need not be looked at.
        zero: [h, w].
        read: Gives what `zero` shows of another band, [h, w]; asked only while there is suspicion.
        least_share: Share of zeros from which they are suspicious.
    """
    others = [band for band, colour in enumerate(raster.colours, start=1) if colour != "alpha" and band not in bands]
    for band in others:  # never an alpha band: reading it would claim it as data
        if not zero.any() or zero.mean() < least_share:
            return np.zeros_like(zero)
        zero = zero & (read(band) == 0)
    return zero


def _read_decimated(raster: Raster, bands: Sequence[int], threads: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    step = max(1, ceil(sqrt(raster.width * raster.height / MOST_PX)))
    if step == 1:
        return raster.read(bands)
    columns, strips = max(1, raster.width // step), _strips(raster, step)

    def read(strip: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        with raster.another() as handle:
            return handle.read(bands, strip, size=(max(1, strip[2] // step), columns))

    raster.claim(bands)
    with ThreadPoolExecutor(threads) as pool:
        values, valid = zip(*pool.map(read, strips), strict=True)
    return np.concatenate(values, axis=1), np.concatenate(valid)


def _strips(raster: Raster, step: int) -> list[Window]:
    """Cut a raster into about 16 parts over its whole width that begin on a block and on a step."""
    multiple = lcm(step, raster.dataset.block_shapes[0][0])
    rows = multiple * ceil(raster.height / STRIPS / multiple)
    return [(top, 0, min(rows, raster.height - top), raster.width) for top in range(0, raster.height, rows)]
