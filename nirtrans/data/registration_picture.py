"""A picture of how pairs lie on each other: lengths and directions of their shifts, and the edges of the worst."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from nirtrans.data.derive import luma
from nirtrans.data.picture import Collection, Picture
from nirtrans.data.registration import MIN_CERTAINTY, Shift
from nirtrans.io.images import write_image

SIDE_PX, GAP_PX, CAPTION_PX = 320, 20, 48
COLUMNS, WORST = 3, 6
SHOWN_PX = 160
"""Side of the middle part whose edges are shown."""
PAPER, INK, LINE = (251, 252, 253), (29, 35, 41), (190, 198, 205)
FINE, OFF, UNCERTAIN = (11, 110, 79), (196, 58, 40), (170, 178, 186)
BAR_PX = 0.5
"""Width of a bar of the histogram, in pixels of shift."""


def draw_registration(path: Path, shifts: Sequence[Shift], collection: Collection, *, limit_px: float) -> None:
    """Write the picture.

    Args:
        path: Target, `.png`.
        shifts: Of all pairs, as `check_registration` returns them.
        collection: Where the pairs are.
        limit_px: Longer shifts are marked.

    Raises:
        DataError: If a picture is unreadable.
        InputError: If the target cannot be written.
    """
    off = [shift for shift in shifts if shift.certain and shift.length_px > limit_px][:WORST]
    rows = 1 + -(-len(off) // COLUMNS)
    height = GAP_PX + rows * (SIDE_PX + CAPTION_PX)
    sheet = Image.new("RGB", (GAP_PX + COLUMNS * (SIDE_PX + GAP_PX), height), PAPER)
    draw = ImageDraw.Draw(sheet)
    _histogram(draw, shifts, limit_px)
    _scatter(draw, shifts, limit_px)
    _legend(draw, shifts, limit_px)
    for number, shift in enumerate(off, start=COLUMNS):
        left, top = _corner(number)
        sheet.paste(_overlay(shift, collection), (left, top))
        words = f"{shift.down_px:+.1f} down, {shift.right_px:+.1f} right"
        _write(draw, (left, top + SIDE_PX + 3), f"{_shortened(shift.id)}\n{words}")
    write_image(path, np.asarray(sheet))


def _corner(number: int) -> tuple[int, int]:
    """Return left and top of a panel."""
    row, column = divmod(number, COLUMNS)
    return GAP_PX + column * (SIDE_PX + GAP_PX), GAP_PX + row * (SIDE_PX + CAPTION_PX)


def _colour(shift: Shift, limit_px: float) -> tuple[int, int, int]:
    if not shift.certain:
        return UNCERTAIN
    return OFF if shift.length_px > limit_px else FINE


def _histogram(draw: ImageDraw.ImageDraw, shifts: Sequence[Shift], limit_px: float) -> None:
    """Draw how many pairs have which length of shift, what is certain only."""
    left, top = _corner(0)
    lengths = [shift.length_px for shift in shifts if shift.certain]
    bars = int(max([2 * limit_px, 4.0, *lengths]) / BAR_PX) + 1
    counts = np.histogram(lengths, bars, (0, bars * BAR_PX))[0]
    width, floor = SIDE_PX / bars, top + SIDE_PX
    for bar, count in enumerate(counts):
        if count:
            tall = max(2, count / counts.max() * (SIDE_PX - 20))
            colour = OFF if bar * BAR_PX >= limit_px else FINE
            draw.rectangle((left + bar * width + 1, floor - tall, left + (bar + 1) * width - 1, floor), colour)
    place = left + limit_px / BAR_PX * width
    draw.line((place, top, place, floor), INK)
    draw.line((left, floor, left + SIDE_PX, floor), INK)
    _write(draw, (left, floor + 3), f"pairs by length of shift, 0 to {bars * BAR_PX:g} px; most {max(counts)}")


def _scatter(draw: ImageDraw.ImageDraw, shifts: Sequence[Shift], limit_px: float) -> None:
    """Draw one dot per pair at its shift; the circle is the limit."""
    left, top = _corner(1)
    reach = max([2 * limit_px, 2.0, *(max(abs(s.down_px), abs(s.right_px)) for s in shifts)])
    scale = SIDE_PX / 2 / (1.05 * reach)
    middle = left + SIDE_PX / 2, top + SIDE_PX / 2
    draw.line((left, middle[1], left + SIDE_PX, middle[1]), LINE)
    draw.line((middle[0], top, middle[0], top + SIDE_PX), LINE)
    draw.circle(middle, limit_px * scale, outline=INK)
    for shift in sorted(shifts, key=lambda shift: shift.certain):  # what is certain on top
        place = middle[0] + scale * shift.right_px, middle[1] + scale * shift.down_px
        draw.circle(place, 3, _colour(shift, limit_px))
    draw.rectangle((left, top, left + SIDE_PX, top + SIDE_PX), outline=LINE)
    _write(draw, (left, top + SIDE_PX + 3), f"shift of each pair, -{reach:.1f} to {reach:.1f} px")


def _legend(draw: ImageDraw.ImageDraw, shifts: Sequence[Shift], limit_px: float) -> None:
    left, top = _corner(2)
    certain = [shift for shift in shifts if shift.certain]
    off = sum(shift.length_px > limit_px for shift in certain)
    lines = (
        (FINE, f"{len(certain) - off} pairs within {limit_px:g} px"),
        (OFF, f"{off} pairs off by more"),
        (UNCERTAIN, f"{len(shifts) - len(certain)} pairs cannot be told\n(certainty below {MIN_CERTAINTY:g})"),
    )
    for number, (colour, words) in enumerate(lines):
        draw.circle((left + 8, top + 18 + 34 * number), 6, colour)
        _write(draw, (left + 24, top + 10 + 34 * number), words)
    if off:
        text = f"Below: edges of the worst, middle {SHOWN_PX} px;\nsource red, target cyan, both white"
        _write(draw, (left, top + 160), text)


def _overlay(shift: Shift, collection: Collection) -> Image.Image:
    """Return the edges of source (red) and target (cyan) on each other, enlarged."""
    place = next(i for i, picture in enumerate(collection.sources) if picture.id == shift.id)
    source, target = collection.sources[place], collection.targets[place]
    red, cyan = (_edges(picture) for picture in (source, target))
    pixels = (255 * np.stack([red, cyan, cyan], axis=2)).round().astype(np.uint8)
    image = Image.fromarray(pixels)
    scale = SIDE_PX / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.NEAREST)


def _edges(picture: Picture) -> NDArray[np.float32]:
    """Return the gradient magnitude of the middle, [h, w] in [0, 1]."""
    height, width = (min(length, SHOWN_PX) for length in picture.size)
    window = (picture.size[0] - height) // 2, (picture.size[1] - width) // 2, height, width
    pixels, _ = picture.read(window)
    gray = luma(pixels)[0] if len(pixels) == 3 else pixels[0]
    magnitude = np.hypot(*np.gradient(gray))
    return (magnitude / max(float(np.percentile(magnitude, 98)), 1e-6)).clip(0, 1)


def _shortened(name: str, most: int = 44) -> str:
    return name if len(name) <= most else f"...{name[3 - most :]}"


def _write(draw: ImageDraw.ImageDraw, place: tuple[float, float], words: str) -> None:
    draw.text(place, words, INK, font=ImageFont.load_default(14))
