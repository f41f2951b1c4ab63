"""Colour points that a user gives for a picture: their values, and whether they fit the picture.

A point is a place in pixels, counted from 0 at the upper left, and the colour that it has.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nirtrans.errors import DataError
from nirtrans.io.orientation import shown_size, stored_place

LARGEST_RADIUS_PX = 10_000
FARTHEST_PX = 1e9
LONGEST_QUOTE = 60
HEX = re.compile(r"#[0-9a-fA-F]{6}")
Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Hint:
    """The colour of one place.

    Attributes:
        x: Pixels from the left border; 0 up to the width, which is outside.
        y: Pixels from the upper border.
        color: Red, green and blue, 0 to 255.
        radius: The colour fills the square of 2 * radius + 1 pixels around the place; None leaves it to what draws it.
    """

    x: float
    y: float
    color: Rgb
    radius: int | None = None


@dataclass(frozen=True)
class Hints:
    """The points of one picture.

    Attributes:
        points: At least one; no two of them in one pixel.
        size: Height and width of the picture that they belong to; None if nobody said.
        origin: The file, for errors.
    """

    points: tuple[Hint, ...]
    size: tuple[int, int] | None = None
    origin: str = "hints"

    def on(self, height: int, width: int) -> "Hints":
        """Return the points in a picture of this size; points of a smaller or larger copy of it are scaled.

        Raises:
            DataError: If a point lies outside, or the other picture has another shape.
        """
        if self.size not in (None, (height, width)):
            return self._scaled(height, width)
        for number, hint in enumerate(self.points, start=1):
            if not (0 <= hint.x < width and 0 <= hint.y < height):
                raise DataError(
                    f"{self.origin}: point {number} at x {hint.x:g}, y {hint.y:g} lies outside the picture of "
                    f"{width} x {height} px; count from 0 at the upper left"
                )
        return self

    def stored(self, height: int, width: int, orientation: int) -> "Hints":
        """Return the points of a picture that is shown turned where its pixels are stored, in this size.

        Raises:
            DataError: As `on` does, for the picture as it is shown.
        """
        hints = self.on(*shown_size((height, width), orientation))
        places = [stored_place(hint.x, hint.y, (height, width), orientation) for hint in hints.points]
        points = tuple(replace(hint, x=x, y=y) for hint, (x, y) in zip(hints.points, places, strict=True))
        return Hints(points, (height, width), self.origin)

    def _scaled(self, height: int, width: int) -> "Hints":
        own_height, own_width = self.size or (height, width)
        across, down = width / own_width, height / own_height
        shortest = min(own_height, own_width, height, width)  # sides of a copy were rounded to whole pixels
        if abs(across - down) * shortest > max(across, down):
            raise DataError(
                f"{self.origin}: belongs to a picture of {own_width} x {own_height} px, this one has {width} x "
                f"{height}, another shape; correct width and height, or leave them out"
            )
        scale = (across * down) ** 0.5
        radii = [None if hint.radius is None else round(hint.radius * scale) for hint in self.points]
        points = tuple(
            Hint(hint.x * across, hint.y * down, hint.color, radius)
            for hint, radius in zip(self.points, radii, strict=True)
        )
        return Hints(points, (height, width), self.origin)


def make_hints(points: Iterable[Hint], *, size: tuple[int, int] | None = None, origin: str = "hints") -> Hints:
    """Put points together.

    Raises:
        DataError: If there are none, or two lie in one pixel.
    """
    seen: dict[tuple[int, int], int] = {}
    chosen = tuple(points)
    for number, hint in enumerate(chosen, start=1):
        pixel = (math.floor(hint.x), math.floor(hint.y))
        first = seen.setdefault(pixel, number)
        if first != number:
            place = f"x {pixel[0]}, y {pixel[1]}"
            raise DataError(f"{origin}: point {number} repeats the place of point {first} ({place}); leave one out")
    if not chosen:
        raise DataError(f"{origin}: expected at least one point, got none")
    return Hints(chosen, size, origin)


def hints_of(points: Iterable[Sequence[float]]) -> Hints:
    """Take points as (x, y, r, g, b) or (x, y, r, g, b, radius), colours 0 to 255.

    Raises:
        DataError: If one is something else.

    Example:
        >>> hints_of([(3, 4, 255, 0, 0)]).points[0].color
        (255, 0, 0)
    """
    found = []
    for number, point in enumerate(points, start=1):
        where = f"hints: point {number}"
        values = list(point) if isinstance(point, Iterable) and not isinstance(point, str | Mapping) else []
        if len(values) not in (5, 6):
            raise DataError(f"{where}: expected (x, y, r, g, b) or (x, y, r, g, b, radius), got {shown(point)}")
        values = [getattr(value, "item", lambda value=value: value)() for value in values]  # numbers of NumPy, too
        found.append(parse_hint(where, values[0], values[1], values[2:5], *values[5:]))
    return make_hints(found)


def parse_hint(where: str, x: Any, y: Any, color: Any, radius: Any = None) -> Hint:
    """Check the values of one point.

    Raises:
        DataError: Beginning with `where`.
    """
    for name, value in (("x", x), ("y", y)):
        if not _is_number(value):
            raise DataError(f"{where}: expected a number of pixels as {name}, got {shown(value)}")
    if radius is not None and (not _is_whole(radius) or not 0 <= radius <= LARGEST_RADIUS_PX):
        raise DataError(f"{where}: expected a radius of 0 to {LARGEST_RADIUS_PX} whole pixels, got {shown(radius)}")
    return Hint(x, y, _color(where, color), None if radius is None else int(radius))


def _color(where: str, color: Any) -> Rgb:
    if isinstance(color, str) and HEX.fullmatch(color):
        return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
    if isinstance(color, list) and len(color) == 3 and all(_is_whole(part) and 0 <= part <= 255 for part in color):
        return int(color[0]), int(color[1]), int(color[2])
    expected = 'expected a colour as "#rrggbb" or [r, g, b], whole numbers of 0 to 255'
    raise DataError(f"{where}: {expected}, got {shown(color)}")


def shown(value: Any) -> str:
    """Return a value as an error quotes it, on one line and not longer than that."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + " ..."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST_PX


def _is_whole(value: Any) -> bool:
    return _is_number(value) and value == int(value)
