"""A picture of a colour prior: one square per bin on the ab plane, in its colour, larger where it is more frequent."""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from nirtrans.ab_bins import REACH, STEP
from nirtrans.color.luma import into_gamut
from nirtrans.data.prior_file import Prior
from nirtrans.io.images import write_image
from nirtrans.kernels import lab_to_rgb

CELL_PX, MARGIN_PX, CAPTION_PX = 24, 52, 60
SHOWN_L = 65.0
"""Lightness at which the colours of bins are shown."""
LEAST = 1e-6
"""Frequency at which a square vanishes; its side grows with the logarithm."""
PAPER, INK, LINE = (251, 252, 253), (29, 35, 41), (222, 227, 231)


def draw_prior(path: Path, prior: Prior) -> None:
    """Write the picture.

    Args:
        path: Target, `.png`.
        prior: Frequencies of the bins.

    Raises:
        InputError: If the target cannot be written.
    """
    side = CELL_PX * (2 * REACH // STEP + 1)
    sheet = Image.new("RGB", (side + 2 * MARGIN_PX, side + MARGIN_PX + CAPTION_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    largest = max(prior.frequencies)
    colours = _colours(prior.bins)
    for (a, b), frequency, colour in zip(prior.bins, prior.frequencies, colours, strict=True):
        left, top = _place(a, b)
        draw.rectangle((left, top, left + CELL_PX - 1, top + CELL_PX - 1), outline=LINE)
        share = math.log(max(frequency, LEAST) / LEAST) / math.log(largest / LEAST)
        half, middle = share * (CELL_PX - 1) / 2, (CELL_PX - 1) / 2
        if share > 0:
            corner = left + middle - half, top + middle - half
            draw.rectangle((*corner, corner[0] + 2 * half, corner[1] + 2 * half), colour)
    _scale(draw)
    words = f"{prior.source}: {prior.pictures} pictures, smoothed by {prior.smoothing:g}"
    note = f"side: logarithm of the frequency, from {LEAST:g} to {largest:.2g}"
    _write(draw, (MARGIN_PX, side + MARGIN_PX + 20), f"{words}\n{note}")
    write_image(path, np.asarray(sheet))


def _place(a: float, b: float) -> tuple[float, float]:
    """Return left and top of the cell of a bin; a grows to the right, b upwards."""
    return MARGIN_PX + (a + REACH) / STEP * CELL_PX, MARGIN_PX + (REACH - b) / STEP * CELL_PX


def _colours(bins: tuple[tuple[float, float], ...]) -> list[tuple[int, int, int]]:
    """Return the colour of each bin, as vivid as sRGB has it."""
    lab = torch.tensor([(SHOWN_L, a, b) for a, b in bins], dtype=torch.float64).T.reshape(1, 3, -1, 1)
    rgb = into_gamut(lab_to_rgb(lab, clip=False))[0, :, :, 0].T
    return [(red, green, blue) for red, green, blue in (rgb * 255).round().int().tolist()]


def _scale(draw: ImageDraw.ImageDraw) -> None:
    for value in range(-100, 101, 50):
        left, top = _place(value, value)
        _write(draw, (left, MARGIN_PX - 22), f"{value:g}")
        _write(draw, (8, top + 4), f"{value:g}")
    _write(draw, (MARGIN_PX, 6), "a")
    _write(draw, (8, MARGIN_PX - 22), "b")


def _write(draw: ImageDraw.ImageDraw, place: tuple[float, float], words: str) -> None:
    draw.text(place, words, INK, font=ImageFont.load_default(14))
