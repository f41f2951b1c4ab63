"""What a user says of the colours of a picture: files of points, strokes and palettes, drawn at any size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import floor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.color.chroma import chroma
from nirtrans.color.guidance import Guidance, paint_boxes, resize_guidance
from nirtrans.color.palette import ab_histogram, mean_saturation
from nirtrans.errors import DataError, InputError
from nirtrans.inference.photo import GuidanceFor, Size
from nirtrans.io.hint_points import Hints, hints_of
from nirtrans.io.hints import HINT_SUFFIXES, read_hints
from nirtrans.io.images import IMAGE_SUFFIXES, read_image, to_unit
from nirtrans.io.orientation import UPRIGHT
from nirtrans.io.scribbles import Scribbles, read_scribbles
from nirtrans.models.chroma_system import GuidanceKind

RADIUS_PX = 2
"""Of points that have none, in pixels that the system sees: the mean size of the patches that networks learn from."""
PALETTE_PX = 256
"""Longer side at which the colours of a reference picture are counted."""
Palette = tuple[Tensor, Tensor]
"""Histogram [1, 313] and saturation [1, 1]."""


@dataclass(frozen=True)
class HintFiles:
    """Where the hints of pictures stand; each is a file, or a folder of files called as the pictures.

    Attributes:
        points: Colour points.
        scribbles: A marked copy of the picture, or a transparent layer with strokes.
        palette: A picture whose colours as a whole are wanted.
    """

    points: Path | None = None
    scribbles: Path | None = None
    palette: Path | None = None

    def flags(self) -> list[str]:
        """Return the options that are given."""
        named = {"--hints": self.points, "--scribbles": self.scribbles, "--palette": self.palette}
        return [flag for flag, path in named.items() if path is not None]

    def kinds(self) -> set[GuidanceKind]:
        """Return what the files speak of."""
        points: set[GuidanceKind] = {"points"} if self.points or self.scribbles else set()
        return points | ({"histogram"} if self.palette else set())

    def check(self, pictures: int) -> None:
        """Refuse one file of hints for several pictures.

        Raises:
            InputError: Naming the option; a palette may be shared.
        """
        for flag, path in (("--hints", self.points), ("--scribbles", self.scribbles)):
            if pictures > 1 and path is not None and not path.is_dir():
                raise InputError(f"{flag} {path}: one file for {pictures} pictures; give a folder of files named alike")

    def of(self, source: Path, gray: NDArray, orientation: int = UPRIGHT) -> GuidanceFor | None:
        """Return the hints of a picture, to be drawn at the size of the network; None if there are none.

        Args:
            source: The file.
            gray: Its pixels as stored, [H, W].
            orientation: How it is turned when it is shown, which is how hints see it.

        Raises:
            DataError: If a file is absent, unreadable or does not fit the picture.
        """
        if not self.flags():
            return None
        size = (gray.shape[0], gray.shape[1])
        points, strokes, palette = None, None, None
        if self.points is not None:
            points = read_hints(_file(self.points, source, HINT_SUFFIXES)).stored(*size, orientation)
        if self.scribbles is not None:
            drawn = _file(self.scribbles, source, IMAGE_SUFFIXES)
            strokes = read_scribbles(drawn, gray, orientation=orientation)
        if self.palette is not None:
            palette = read_palette(_file(self.palette, source, IMAGE_SUFFIXES))
        return partial(draw, picture=size, points=points, strokes=strokes, palette=palette)


def _file(path: Path, source: Path, suffixes: Sequence[str]) -> Path:
    """Return the file itself, or that of a folder which is called as the source."""
    if not path.is_dir():
        return path
    named = [path / f"{source.stem}{suffix}" for suffix in suffixes]
    found = [file for file in named if file.exists()]
    if len(found) != 1:
        what = "none" if not found else " and ".join(file.name for file in found)
        raise DataError(f"{path}: expected one file {source.stem} ({', '.join(suffixes)}) for {source}, got {what}")
    return found[0]


def guidance_from(hints: Hints | str | Path | Iterable[Sequence[float]], picture: Size) -> GuidanceFor:
    """Return points of a picture, to be drawn at any size.

    Args:
        hints: Points as `read_hints` returns them, a file of them, or (x, y, r, g, b[, radius]) each.
        picture: Height and width.

    Raises:
        DataError: If they are malformed or lie outside.
    """
    if isinstance(hints, str | Path):
        hints = read_hints(Path(hints))
    points = hints if isinstance(hints, Hints) else hints_of(hints)
    return partial(draw, picture=picture, points=points.on(*picture))


def draw(
    size: Size,
    *,
    picture: Size,
    points: Hints | None = None,
    strokes: Scribbles | None = None,
    palette: Palette | None = None,
) -> Guidance:
    """Draw hints of a picture at another size; points lie over strokes.

    Args:
        size: Height and width of the result.
        picture: Height and width that the hints belong to.
        points: Inside the picture.
        strokes: Of the size of the picture.
        palette: As `read_palette` returns it.
    """
    drawn = Guidance(torch.zeros(1, 2, *size), torch.zeros(1, 1, *size))
    if strokes is not None:
        drawn = resize_guidance(_strokes(strokes), size)
    if points is not None:
        over = _points(points, picture, size)
        drawn = Guidance(torch.where(over.mask > 0, over.ab, drawn.ab), torch.maximum(over.mask, drawn.mask))
    return Guidance(drawn.ab, drawn.mask, *(palette or ()))


def _points(hints: Hints, picture: Size, size: Size) -> Guidance:
    """Fill the square of each point, at least one pixel; where squares meet, the mean of their colours.

    A radius is one of the picture; a point without one fills a square of 5 px of what the system sees.
    """
    rgb = torch.tensor([hint.color for hint in hints.points], dtype=torch.float32) / 255  # [K, 3]
    ab = chroma(rgb.T[None, :, :, None])[..., 0].transpose(1, 2)  # [1, K, 2]
    sides = [
        [
            *_side(hint.y, hint.radius, size[0] / picture[0], size[0]),
            *_side(hint.x, hint.radius, size[1] / picture[1], size[1]),
        ]
        for hint in hints.points
    ]
    top, bottom, left, right = torch.tensor(sides).unbind(1)
    return paint_boxes(ab, torch.stack([top, left, bottom, right], 1)[None], size)


def _side(place: float, radius: int | None, scale: float, length: int) -> tuple[int, int]:
    """Return first and last (exclusive) pixel of a square along one axis, inside the picture."""
    if radius is None:
        centre = min(floor(place * scale), length - 1)
        return max(0, centre - RADIUS_PX), min(centre + RADIUS_PX + 1, length)
    first = min(max(0, floor((floor(place) - radius) * scale)), length - 1)
    return first, min(max(first + 1, round((floor(place) + radius + 1) * scale)), length)


def _strokes(strokes: Scribbles) -> Guidance:
    mask = torch.from_numpy(strokes.drawn)[None, None]
    ab = chroma(torch.from_numpy(strokes.colours).permute(2, 0, 1)[None])
    return Guidance(ab.where(mask, 0.0), mask.float())


@lru_cache(maxsize=1)
def read_palette(path: Path) -> Palette:
    """Return histogram and saturation of a reference picture; transparent pixels do not count.

    Raises:
        DataError: If the file is unreadable or gray, or nothing of it is opaque.
    """
    image = read_image(path)
    if image.pixels.shape[2] != 3:
        raise DataError(f"{path}: a gray picture has no palette; give one in colour")
    opaque = np.ones(image.pixels.shape[:2], bool) if image.alpha is None else to_unit(image.alpha) == 1
    if not opaque.any():
        raise DataError(f"{path}: nothing of it is opaque, so it has no palette; give another picture")
    rgb = torch.from_numpy(to_unit(image.pixels).clip(0, 1)).permute(2, 0, 1)[None]
    known = torch.from_numpy(opaque)[None, None].float()
    scale = min(1, PALETTE_PX / max(rgb.shape[2:]))
    height, width = (max(1, round(side * scale)) for side in rgb.shape[2:])
    share, total = (F.adaptive_avg_pool2d(x, (height, width)) for x in (known, rgb * known))
    valid = share > 0
    small = total / share.where(valid, 1)
    return ab_histogram(chroma(small), valid), mean_saturation(small, valid)
