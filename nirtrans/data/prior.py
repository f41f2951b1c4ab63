"""Count how often each of the 313 ab bins occurs in colour pictures."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nirtrans.color.bins import AB313
from nirtrans.color.chroma import chroma
from nirtrans.color.prior import SMOOTHING, count_bins, smooth_prior
from nirtrans.config import DataSettings, SourceSettings
from nirtrans.data.collection import open_collection
from nirtrans.data.layout import find_layout
from nirtrans.data.picture import Picture
from nirtrans.data.prior_file import Prior
from nirtrans.data.readable import OPENING_THREADS
from nirtrans.errors import DataError
from nirtrans.progress import SILENT, Progress, clock

STRIP_PX = 2**18
"""Pixels of a picture that are counted at a time."""
LARGE_PX = 2**22
"""Of pictures with more pixels only one is in memory."""
_ONE_LARGE = Lock()
ROUND = 8 * OPENING_THREADS
"""Pictures between two looks at Ctrl-C."""


class Counts(NamedTuple):
    """Pixels nearest to each bin.

    Attributes:
        bins: [313], float64.
        pictures: How many were counted.
    """

    bins: Tensor
    pictures: int

    def prior(self, source: str, *, smoothing: float = SMOOTHING) -> Prior:
        """Return the frequencies and where they are from.

        Args:
            source: What was counted.
            smoothing: Width of the Gaussian over the ab plane, CIE units; 0 does not smooth.

        Raises:
            DataError: If no pixel was counted.
        """
        if not self.bins.any():
            raise DataError(f"{source}: no pixel that holds data, so there are no colours to count")
        return Prior(
            bins=tuple((a, b) for a, b in AB313.centres.tolist()),
            frequencies=tuple(smooth_prior(self.bins, sigma=smoothing).tolist()),
            counts=tuple(self.bins.long().tolist()),
            smoothing=smoothing,
            pictures=self.pictures,
            source=source,
        )


def colour_pictures(path: Path, domain: str | None = None, *, skip_bad: bool = False) -> tuple[Picture, ...]:
    """Open every colour picture of a data path: alone, of pairs, unpaired, or cut out of rasters.

    Args:
        path: What may stand after `--data`.
        domain: Kind of source to look for; None takes what is there.
        skip_bad: Leave unreadable and gray files out.

    Raises:
        DataError: If nothing of use is there, or a file cannot be used.
    """
    layout = find_layout(path, domain)
    wanted = domain or layout.domain or ("nir" if layout.kind == "rasters" else "gray")
    settings = DataSettings(sources=(SourceSettings(path=str(path)),))
    try:
        return open_collection(settings, wanted, skip_bad=skip_bad).every_target
    except DataError as error:
        if domain is None and layout.kind == "rasters":
            raise DataError(f"{error}; or count the colours as they are: --domain gray") from None
        raise


def count_pictures(
    pictures: Sequence[Picture], *, most: int | None = None, most_px: int | None = None, progress: Progress = SILENT
) -> Counts:
    """Count the pixels of colour pictures, a few pictures in memory at a time.

    Args:
        pictures: RGB.
        most: Count so many of them, evenly chosen; None: all.
        most_px: Count about so many pixels of each, on a regular grid; None: all.
        progress: Where to show it.

    Raises:
        DataError: If a file is unreadable.
    """
    chosen = pictures if most is None else [pictures[index] for index in _evenly(len(pictures), most)]
    total = torch.zeros(len(AB313), dtype=torch.float64)
    with (
        progress.task("colour prior", len(chosen), unit="picture") as task,
        ThreadPoolExecutor(OPENING_THREADS) as pool,
    ):
        for first in range(0, len(chosen), ROUND):
            some = chosen[first : first + ROUND]
            total += torch.stack(list(pool.map(lambda picture: _count_picture(picture, most_px), some))).sum(0)
            task.advance(len(some), occupied=int(total.count_nonzero()), took=clock(task.spent_s()))
    return Counts(total, len(chosen))


def _evenly(count: int, most: int) -> list[int]:
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist()


def _count_picture(picture: Picture, most_px: int | None) -> Tensor:
    """Count one picture; large ones wait for each other, and pixels without data do not count."""
    area = picture.size[0] * picture.size[1]
    every = 1 if most_px is None else max(1, round((area / most_px) ** 0.5))
    with _ONE_LARGE if area > LARGE_PX else nullcontext():
        pixels, valid = picture.read()
        rows = every * max(1, STRIP_PX // picture.size[1])
        strips = torch.from_numpy(pixels)[None].split(rows, 2)
        masks = [None] * len(strips) if valid is None else torch.from_numpy(valid)[None, None].split(rows, 2)
        return torch.stack([_count_strip(*pair, every) for pair in zip(strips, masks, strict=True)]).sum(0)


def _count_strip(rgb: Tensor, valid: Tensor | None, every: int) -> Tensor:
    """Count [1, 3, H, W] on a grid of every n-th pixel."""
    grid = (..., slice(None, None, every), slice(None, None, every))
    return count_bins(chroma(rgb[grid]), valid=None if valid is None else valid[grid])
