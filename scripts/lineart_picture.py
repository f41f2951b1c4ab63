"""Make docs/images/lineart.png: a page of a comic with its derived lines, and held-out drawings that a run coloured.

    python scripts/lineart_picture.py DATA RUN docs/images/lineart.png

DATA holds peppercarrot/color (Pepper&Carrot, David Revoy, CC BY 4.0), openmoji72/line and openmoji72/color (OpenMoji,
CC BY-SA 4.0); RUN is a run of nirtrans-base-lineart-small on openmoji72, which held these drawings out.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nirtrans.data.derive import draw
from nirtrans.inference.colorizer import load_colorizer
from nirtrans.io.images import read_image, to_unit

PAGE = ("E16P05_0_0", (50, 120, 240, 310))  # name; top, left, height, width
DRAWINGS = (
    *("anxious face with sweat", "cowboy hat face", "police officer", "man health worker", "growing heart"),
    *("oncoming taxi", "tiger face", "leopard", "see-no-evil monkey", "frog", "waving hand", "pretzel"),
)
GAP_PX = 8
COLOURS = 256


def main(data: Path, run: Path, out: Path) -> None:
    """Paste three views of the page over three rows of drawings."""
    name, (top, left, height, width) = PAGE
    page = to_unit(_pixels(data / "peppercarrot" / "color", name)).transpose(2, 0, 1)
    views = [page, *(to_unit(np.repeat(draw(page, by=by), 3, axis=0)) for by in ("xdog", "canny"))]
    parts = [_row([view[:, top : top + height, left : left + width] for view in views])]
    colorizer = load_colorizer(run)
    lines = [to_unit(_pixels(data / "openmoji72" / "line", name)[..., :1]) for name in DRAWINGS]
    truth = [to_unit(_pixels(data / "openmoji72" / "color", name)).transpose(2, 0, 1) for name in DRAWINGS]
    parts.append(_row([np.repeat(picture.transpose(2, 0, 1), 3, axis=0) for picture in lines]))
    parts.append(_row([colorizer.colorize(picture).transpose(2, 0, 1) for picture in lines]))
    parts.append(_row(truth))
    widest = max(part.shape[2] for part in parts)
    sheet = np.concatenate([_padded(part, widest) for part in parts], axis=1)
    pixels = (255 * sheet.transpose(1, 2, 0)).round().astype(np.uint8)
    Image.fromarray(pixels).quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)


def _pixels(folder: Path, name: str) -> NDArray:
    return read_image(next(folder.glob(f"{name}.*"))).pixels


def _row(pictures: list[NDArray]) -> NDArray:
    """Join [3, H, W] side by side on white."""
    spaced = [np.pad(picture, ((0, 0), (GAP_PX, 0), (GAP_PX, 0)), constant_values=1) for picture in pictures]
    return np.concatenate(spaced, axis=2)


def _padded(row: NDArray, width: int) -> NDArray:
    spare = width - row.shape[2]
    return np.pad(row, ((0, 0), (0, GAP_PX), (spare // 2, spare - spare // 2 + GAP_PX)), constant_values=1)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
