"""Files of colour points: JSON, CSV, and the seed text of the NTIRE 2019 challenge on colorization, track 2.

Mistakes are told with file and line, or the number of the point counted from 1.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nirtrans.errors import DataError, InputError
from nirtrans.io.atomic import write_text
from nirtrans.io.hint_points import Hint, Hints, make_hints, parse_hint, shown

HINT_SUFFIXES = (".json", ".csv", ".txt")
LARGEST_BYTES = 16 * 2**20
KEYS = ("x", "y", "color", "radius")
COLUMNS = ("x", "y", "r", "g", "b")
Points = tuple[list[Hint], tuple[int, int] | None]
"""Points, and height and width of their picture if the file says so."""


def read_hints(path: Path) -> Hints:
    """Read colour points; the suffix tells the format, or the content where it is another.

    Raises:
        DataError: If the file cannot be read or is malformed; says where.
    """
    text = _text(path)
    reader = {".json": _json, ".csv": _csv}.get(path.suffix.lower()) or _reader_of(text)
    points, size = reader(text, str(path))
    hints = make_hints(points, size=size, origin=str(path))
    return hints if size is None else hints.on(*size)


def write_hints(path: Path, hints: Hints) -> None:
    """Write points atomically: JSON, or NTIRE text if the suffix is .txt.

    Raises:
        InputError: If the suffix is another, the target cannot be written, or text cannot hold a point: it has whole
            pixels and no radius.
    """
    if path.suffix.lower() == ".json":
        write_text(path, _as_json(hints))
    elif path.suffix.lower() == ".txt":
        write_text(path, "".join(_as_line(path, hint) for hint in hints.points))
    else:
        raise InputError(f"cannot write {path}: hints are written as .json or .txt")


def _as_json(hints: Hints) -> str:
    points = [
        {"x": hint.x, "y": hint.y, "color": "#{:02x}{:02x}{:02x}".format(*hint.color)}
        | ({} if hint.radius is None else {"radius": hint.radius})
        for hint in hints.points
    ]
    size = {} if hints.size is None else {"width": hints.size[1], "height": hints.size[0]}
    return json.dumps(size | {"points": points}, indent=1) + "\n"


def _as_line(path: Path, hint: Hint) -> str:
    if hint.radius or hint.x != int(hint.x) or hint.y != int(hint.y):
        raise InputError(f"cannot write {path}: text holds whole pixels without a radius; use .json")
    return " ".join(str(int(number)) for number in (hint.x, hint.y, *hint.color)) + "\n"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give a file of colour points") from None
    if len(content) > LARGEST_BYTES:
        raise DataError(f"{path}: larger than {LARGEST_BYTES // 2**20} MB; colour points are small files")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        known = ", ".join(HINT_SUFFIXES)
        raise DataError(f"{path}: no text; expected colour points ({known}), --scribbles takes pictures") from None


def _reader_of(text: str) -> Any:
    start = text.lstrip()
    if start[:1] in ("{", "["):
        return _json
    return _csv if start.partition("\n")[0].strip().lower().startswith("x,") else _seeds


def _json(text: str, origin: str) -> Points:
    """Read [{"x": 3, "y": 4, "color": "#ff0000"}, ...] or {"points": [...], "width": 640, "height": 480}."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{origin}: line {error.lineno}, column {error.colno}: {error.msg}; correct the JSON") from None
    except (RecursionError, ValueError):
        raise DataError(f"{origin}: nested too deeply or with absurd numbers; give a list of points") from None
    size = None
    if isinstance(content, dict):
        _check_keys(origin, content, ("points", "width", "height"))
        size, content = _json_size(origin, content), content.get("points")
    if not isinstance(content, list):
        raise DataError(f'{origin}: expected a list of points or {{"points": [...]}}, got {shown(content)}')
    return [_json_point(f"{origin}: point {number}", point) for number, point in enumerate(content, start=1)], size


def _json_size(origin: str, content: dict[str, Any]) -> tuple[int, int] | None:
    sides = [content.get("height"), content.get("width")]
    if sides == [None, None]:
        return None
    if not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in sides):
        raise DataError(
            f"{origin}: expected width and height as whole numbers from 1, got {shown(sides[1])} x {shown(sides[0])}"
        )
    return content["height"], content["width"]


def _json_point(where: str, point: Any) -> Hint:
    if not isinstance(point, dict):
        raise DataError(f'{where}: expected {{"x": .., "y": .., "color": ..}}, got {shown(point)}')
    _check_keys(where, point, KEYS)
    missing = [key for key in KEYS[:3] if key not in point]
    if missing:
        raise DataError(f"{where}: has no {missing[0]}; it needs x, y and color")
    return parse_hint(where, point["x"], point["y"], point["color"], point.get("radius"))


def _check_keys(where: str, content: dict[str, Any], known: Sequence[str]) -> None:
    strange = [key for key in content if key not in known]
    if strange:
        raise DataError(f"{where}: unknown key {shown(strange[0])}; known: {', '.join(known)}")


def _csv(text: str, origin: str) -> Points:
    """Read a header x,y,r,g,b or x,y,r,g,b,radius, columns in any order, and one point per line."""
    rows = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip().lower() for name in next(rows, [])]
    if sorted(header) not in (sorted(COLUMNS), sorted((*COLUMNS, "radius"))):
        raise DataError(
            f"{origin}: line 1: expected the header x,y,r,g,b or x,y,r,g,b,radius, got {shown(','.join(header))}"
        )
    points = []
    for where, values in _lines(rows, origin):
        if len(values) != len(header):
            raise DataError(f"{where}: expected {len(header)} values, got {len(values)}")
        point = {name: _number(where, name, value) for name, value in zip(header, values, strict=True)}
        colour = [point[name] for name in "rgb"]
        points.append(parse_hint(where, point["x"], point["y"], colour, point.get("radius")))
    return points, None


def _lines(rows: Any, origin: str) -> Iterator[tuple[str, list[str]]]:
    try:
        for values in rows:
            if any(value.strip() for value in values):
                yield f"{origin}: line {rows.line_num}", values
    except csv.Error as error:
        raise DataError(f"{origin}: line {rows.line_num}: {error}; correct the CSV") from None


def _seeds(text: str, origin: str) -> Points:
    """Read x y R G B per line, single pixels; the number of them may stand in a line of its own before."""
    lines = [(f"{origin}: line {n}", line.split()) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if lines and len(lines[0][1]) == 1:
        where, (count,) = lines.pop(0)
        if _number(where, "count", count) != len(lines):
            raise DataError(f"{where}: announces {count} points, {len(lines)} follow; correct one of them")
    points = []
    for where, values in lines:
        if len(values) != 5:
            raise DataError(f"{where}: expected x y R G B, five numbers, got {len(values)}: {shown(' '.join(values))}")
        numbers = [_number(where, name, value) for name, value in zip(COLUMNS, values, strict=True)]
        points.append(parse_hint(where, numbers[0], numbers[1], numbers[2:], radius=0))
    return points, None


def _number(where: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{where}: expected a number as {name}, got {shown(text.strip())}") from None
    return int(value) if value.is_integer() else value
