"""Whether a raster fits the disk that it is written to."""

import logging
import shutil
from pathlib import Path

import numpy as np

from nirtrans.errors import InputError
from nirtrans.inference.tiling import Window
from nirtrans.io.raster_form import RasterForm

log = logging.getLogger("nirtrans")
COMPRESSED = {"uint8": 0.4, "uint16": 0.75, "float32": 0.9}
"""Bytes of lossless blocks per byte of samples; 0.37 measured for 8 bits of a scene with sensor noise at level 1."""
JPEG = 0.04
OVERVIEWS = 4 / 3
"""Sum of 1 + 1/4 + 1/16 ..."""


def needed_bytes(form: RasterForm, window: Window, valid_share: float) -> int:
    """Estimate what a raster takes while it is made, a COG twice: it is a copy of what was there before."""
    samples = 3 * np.dtype(form.dtype).itemsize * window.height * window.width * valid_share
    share = {"none": 1.0, "jpeg": JPEG}.get(form.compress, COMPRESSED[form.dtype])
    return int(samples * share * (OVERVIEWS if form.thinning != "none" else 1) * (2 if form.cog else 1))


def free_bytes(target: Path) -> int:
    """Return what is free where a file will be written."""
    there = next(folder for folder in target.resolve().parents if folder.exists())
    return shutil.disk_usage(there).free


def check_disk(target: Path, needed: int) -> None:
    """Refuse what cannot fit, warn of what may not: how well blocks compress is not known before.

    Raises:
        InputError: If less than half of what is needed is free.
    """
    free = free_bytes(target)
    if not free:  # of no disk at all, where writing will tell what is wrong
        return
    state = f"{target} will take about {needed / 1e9:.3g} GB, {free / 1e9:.3g} GB are free"
    if free < needed / 2:
        raise InputError(f"{state}; make room, choose another DST, or a smaller --window")
    if free < needed:
        log.warning("%s; if the disk is full before the end, free space and give --resume", state)
