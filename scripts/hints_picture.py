"""Make docs/images/hints.jpg: a gray picture, the points that are told, and what systems make of them.

    python scripts/hints_picture.py frame.jpg docs/images/hints.jpg --weights RUN levin2004 --points 30

The frame is one of Big Buck Bunny (Blender Foundation, CC BY 3.0). The points lie on a grid, moved at random within
their cells; their colours are those of the picture. Systems that colour without hints are shown without and with them.
"""

import argparse
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from nirtrans.data.derive import luma
from nirtrans.inference.colorizer import load_colorizer
from nirtrans.io.images import read_image, to_unit
from nirtrans.models.chroma_system import ChromaSystem

Point = tuple[int, int, int, int, int]
WIDTH_PX, GAP_PX, DOT_PX = 420, 6, 8


def grid_points(pixels: NDArray[np.uint8], count: int, seed: int) -> list[Point]:
    """Return about `count` points (x, y, r, g, b), one in each cell of a grid as wide as the picture."""
    height, width = pixels.shape[:2]
    rows = max(1, round(math.sqrt(count * height / width)))
    columns = max(1, round(count / rows))
    draws = np.random.default_rng(seed).uniform(0.2, 0.8, (rows, columns, 2))
    places = [
        (int((column + draws[row, column, 0]) * width / columns), int((row + draws[row, column, 1]) * height / rows))
        for row in range(rows)
        for column in range(columns)
    ]
    return [(x, y, *(int(value) for value in pixels[y, x])) for x, y in places]


def with_dots(gray: NDArray[np.uint8], points: list[Point]) -> NDArray[np.uint8]:
    """Draw the points over the gray picture."""
    shown = Image.fromarray(gray).convert("RGB")
    pen = ImageDraw.Draw(shown)
    for x, y, *colour in points:
        box = (x - DOT_PX, y - DOT_PX, x + DOT_PX, y + DOT_PX)
        pen.ellipse(box, fill=tuple(colour), outline=(255, 255, 255), width=2)
    return np.asarray(shown)


def views(pixels: NDArray[np.uint8], names: list[str], points: list[Point]) -> list[NDArray[np.uint8]]:
    """Return the points on gray, what each system makes without and with them, and the truth."""
    gray = (255 * luma(to_unit(pixels).transpose(2, 0, 1))[0]).round().astype(np.uint8)
    shown = [with_dots(gray, points)]
    for name in names:
        colorizer = load_colorizer(name)
        system = colorizer.system
        alone = isinstance(system, ChromaSystem) and not system.needs_guidance
        found = [colorizer.colorize(gray)] if alone else []
        found.append(colorizer.colorize(gray, hints=points))
        shown += [(255 * rgb).round().astype(np.uint8) for rgb in found]
    return [*shown, pixels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", nargs="+", required=True, help="weights, run folders, or formulas")
    parser.add_argument("--points", type=int, default=30)
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    pixels = read_image(arguments.picture).pixels
    shown = views(pixels, arguments.weights, grid_points(pixels, arguments.points, arguments.seed))
    height = round(WIDTH_PX * pixels.shape[0] / pixels.shape[1])
    rows = math.ceil(len(shown) / arguments.columns)
    size = (arguments.columns * (WIDTH_PX + GAP_PX) - GAP_PX, rows * (height + GAP_PX) - GAP_PX)
    sheet = Image.new("RGB", size, "white")
    for number, view in enumerate(shown):
        row, column = divmod(number, arguments.columns)
        small = Image.fromarray(view).resize((WIDTH_PX, height), Image.Resampling.LANCZOS)
        sheet.paste(small, (column * (WIDTH_PX + GAP_PX), row * (height + GAP_PX)))
    sheet.save(arguments.out, quality=88, optimize=True)


if __name__ == "__main__":
    main()
