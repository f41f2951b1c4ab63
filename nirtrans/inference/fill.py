"""Give invalid pixels plausible values before a network sees them; afterwards they are invalid again.

A network mixes neighbours, so that a hole of zeros would darken or tint its surroundings. Each invalid pixel takes the
value of the nearest valid one within `REACH_PX`, and a middle grey beyond. The bounded reach makes the result the same
for each tile that holds a margin of `REACH_PX`, which is what lets tiles with holes fit together.
"""

import numpy as np
from numpy.typing import NDArray

REACH_PX = 32
FAR = 0.5  # of [0, 1]; further from any valid pixel than the reach


def fill_invalid(pixels: NDArray[np.float32], valid: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """Return the pixels with invalid ones replaced.

    Args:
        pixels: [C, H, W]; what stands under invalid pixels does not matter, NaN included.
        valid: [H, W], or None where every pixel is valid.
    """
    if valid is None or valid.all():
        return pixels
    filled = np.where(valid, pixels, np.float32(FAR))
    rows, columns = np.nonzero(~valid & _within_reach(valid))
    from_row, from_column, found = _nearest(valid, rows, columns)
    filled[:, rows[found], columns[found]] = pixels[:, from_row[found], from_column[found]]
    return filled


def _within_reach(valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where the square of `REACH_PX` around a pixel holds a valid one, [H, W]."""
    height, width = valid.shape
    counts = np.pad(valid, REACH_PX).cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    counts = np.pad(counts, ((1, 0), (1, 0)))
    side = 2 * REACH_PX + 1
    upper, lower = counts[:height], counts[side : side + height]
    return lower[:, side : side + width] - lower[:, :width] - upper[:, side : side + width] + upper[:, :width] > 0


def _nearest(valid: NDArray[np.bool_], rows: NDArray, columns: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Find the nearest valid pixel of each given one: its row, its column, and whether there is one in reach.

    A nearest pixel is, in some row at most `REACH_PX` away, the nearest one of that row. Ties fall to the smaller row
    offset, then upwards, then to the left: never to what a window happens to hold.
    """
    column_of = _nearest_in_row(valid)
    unreachable = REACH_PX**2 + 1
    best = np.full(len(rows), unreachable)
    best_row, best_column = np.zeros_like(rows), np.zeros_like(columns)
    searching = np.arange(len(rows))
    for offset in sorted(range(-REACH_PX, REACH_PX + 1), key=abs):
        searching = searching[best[searching] > offset**2]  # no row further away holds anything nearer
        row, here = rows[searching] + offset, columns[searching]
        inside = (row >= 0) & (row < len(valid))
        column = column_of[row.clip(0, len(valid) - 1), here]
        distance = np.where(inside & (column >= 0), (column - here) ** 2 + offset**2, unreachable)
        nearer = distance < best[searching]
        chosen = searching[nearer]
        best[chosen], best_row[chosen], best_column[chosen] = distance[nearer], row[nearer], column[nearer]
    return best_row, best_column, best < unreachable


def _nearest_in_row(valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each pixel the column of the nearest valid one in its row, -1 where the row has none, [H, W]."""
    width = valid.shape[1]
    own = np.arange(width)
    far = 4 * (width + REACH_PX)
    left = np.maximum.accumulate(np.where(valid, own, -far), axis=1)
    right = np.minimum.accumulate(np.where(valid, own, far)[:, ::-1], axis=1)[:, ::-1]
    nearest = np.where(own - left <= right - own, left, right)
    return np.where((nearest >= 0) & (nearest < width), nearest, -1)
