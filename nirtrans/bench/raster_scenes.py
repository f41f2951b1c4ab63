"""Synthetic near-infrared scenes of any size, written block by block: a fractal with sensor noise, 16 bits, UTM."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PATTERN_PX = 1024
"""The pattern repeats without an edge; compressed blocks are as large as those of a scene that does not."""
BLOCK_PX = 512
DARKEST, BRIGHTEST, NOISE = 300, 3300, 20
SLOPE = 1.8
"""The amplitude of a frequency f is f^-SLOPE, as in pictures of land."""
PIXEL_M = 10.0


@cache
def pattern() -> NDArray[np.uint16]:
    """Return what every scene is made of, [1024, 1024]."""
    draw = np.random.default_rng(0)
    down, across = np.fft.fftfreq(PATTERN_PX)[:, None], np.fft.rfftfreq(PATTERN_PX)[None]
    frequency = np.hypot(down, across)
    frequency[0, 0] = np.inf
    waves = np.exp(2j * np.pi * draw.random(frequency.shape)) * frequency**-SLOPE
    land = np.fft.irfft2(waves, s=(PATTERN_PX, PATTERN_PX))
    share = (land - land.min()) / np.ptp(land)
    noise = draw.normal(0, NOISE, share.shape)
    return (DARKEST + (BRIGHTEST - DARKEST) * share + noise).clip(1, None).astype(np.uint16)


def write_scene(path: Path, side_px: int, *, stripe_px: int | None = None) -> Path:
    """Write a square scene of one band called nir, DEFLATE 1 in blocks of 512.

    Args:
        path: Target.
        side_px: Its side.
        stripe_px: Rows in the middle that hold pixels; all other blocks are absent, and nodata. None for all rows.
    """
    import rasterio
    from rasterio.transform import Affine

    first = 0 if stripe_px is None else (side_px - stripe_px) // 2 // PATTERN_PX * PATTERN_PX
    last = side_px if stripe_px is None else min(side_px, first + stripe_px)
    place: dict[str, Any] = {"crs": "EPSG:32631", "transform": Affine(PIXEL_M, 0, 4e5, 0, -PIXEL_M, 5e6)}
    size = {"height": side_px, "width": side_px, "count": 1, "dtype": "uint16", "nodata": stripe_px and 0}
    blocks = {"tiled": True, "blockxsize": BLOCK_PX, "blockysize": BLOCK_PX, "sparse_ok": True}
    stored = {"compress": "deflate", "predictor": 2, "zlevel": 1, "bigtiff": "if_safer"}
    with rasterio.open(path, "w", driver="GTiff", **size, **place, **blocks, **stored) as target:
        target.set_band_description(1, "nir")
        for top in range(first, last, PATTERN_PX):
            for left in range(0, side_px, PATTERN_PX):
                rows, columns = min(PATTERN_PX, last - top), min(PATTERN_PX, side_px - left)
                target.write(pattern()[:rows, :columns], 1, window=((top, top + rows), (left, left + columns)))
    return path
