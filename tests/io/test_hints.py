"""Files of colour points: every format, round trips, and what is said of each mistake."""

import json
from pathlib import Path

import numpy as np
import pytest

from nirtrans.errors import DataError, InputError
from nirtrans.io.hint_points import Hint, Hints, hints_of, make_hints
from nirtrans.io.hints import read_hints, write_hints

RED, BLUE = Hint(3, 4, (255, 0, 0), radius=0), Hint(10, 2, (0, 0, 255), radius=2)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def point(**changes: object) -> str:
    values = {"x": 3, "y": 4, "color": "#ff0000"} | changes
    return json.dumps([{key: value for key, value in values.items() if value is not None}])


LIST = """[{"x": 3, "y": 4, "color": "#FF0000", "radius": 0},
           {"x": 10, "y": 2, "color": [0, 0, 255], "radius": 2}]"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("h.json", LIST),
        ("h.json", '{"points": ' + LIST + "}"),
        ("h.csv", "x,y,r,g,b,radius\n3,4,255,0,0,0\n\n10,2,0,0,255,2\n"),
        ("h.csv", "\ufeffY, X, Radius, R, G, B\r\n4,3,0,255,0,0\r\n2,10,2,0,0,255"),
        ("h.txt", "x,y,r,g,b,radius\n3,4,255,0,0,0\n10,2,0,0,255,2\n"),
        ("points", "  " + LIST),
    ],
)
def test_formats(tmp_path: Path, name: str, text: str) -> None:
    assert read_hints(written(tmp_path, name, text)).points == (RED, BLUE)


@pytest.mark.parametrize(
    "text", ["3 4 255 0 0\n1 1 0 9 8\n", "2\n3 4 255 0 0\n\n1\t1 0 9 8", " 2 \n3 4 255 0 0\n1 1 0 9 8\n"]
)
def test_seeds_of_the_challenge(tmp_path: Path, text: str) -> None:
    found = read_hints(written(tmp_path, "0801.txt", text))
    assert found.points == (RED, Hint(1, 1, (0, 9, 8), radius=0))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("h.json", '[{"x": 3,\n "y" 4}]', r"h\.json: line 2, column 6: Expecting ':'"),
        ("h.json", "", r"line 1, column 1"),
        ("h.json", "[" * 100_000, "nested too deeply"),
        ("h.json", "[]", "at least one point"),
        ("h.json", "{}", "expected a list of points"),
        ("h.json", "[3]", "point 1: expected {.*got 3"),
        ("h.json", point(x=None), "point 1: has no x"),
        ("h.json", point(colour="red"), "unknown key 'colour'; known: x, y, color, radius"),
        ("h.json", point(color="red"), "point 1: expected a colour"),
        ("h.json", point(color=[255, 0]), "point 1: expected a colour"),
        ("h.json", point(color=[256, 0, 0]), "0 to 255, got .256, 0, 0."),
        ("h.json", point(color=[-1, 0, 0]), "0 to 255"),
        ("h.json", point(color=[0.5, 0, 0]), "0 to 255"),
        ("h.json", point(color=[True, 0, 0]), "0 to 255"),
        ("h.json", point(x="3"), "number of pixels as x, got '3'"),
        ("h.json", '[{"x": NaN, "y": 4, "color": "#ff0000"}]', "number of pixels as x, got nan"),
        ("h.json", '[{"x": 1e999, "y": 4, "color": "#ff0000"}]', "number of pixels as x, got inf"),
        ("h.json", '[{"x": 1' + "0" * 5000 + ', "y": 4, "color": "#ff0000"}]', "absurd numbers"),
        ("h.json", point(radius=-1), "radius of 0 to 10000"),
        ("h.json", point(radius=1.5), "radius of 0 to 10000"),
        ("h.json", json.dumps(2 * json.loads(point())), r"point 2 repeats the place of point 1 \(x 3, y 4\)"),
        ("h.json", json.dumps({"points": json.loads(point()), "width": 5}), "expected width and height"),
        ("h.json", json.dumps({"points": json.loads(point()), "width": 3, "height": 9}), "lies outside .* 3 x 9 px"),
        ("h.csv", "x,y,r,g\n1,2,3,4\n", "line 1: expected the header x,y,r,g,b"),
        ("h.csv", "x,y,r,g,b\n1,2,3,4\n", "line 2: expected 5 values, got 4"),
        ("h.csv", "x,y,r,g,b\n1,2,3,4,5\n1,1,3,four,5\n", "line 3: expected a number as g, got 'four'"),
        ("h.csv", "x,y,r,g,b\n1,2,3,4,500\n", "line 2: expected a colour"),
        ("h.csv", "", "line 1: expected the header"),
        ("h.csv", "x,y,r,g,b\n", "at least one point"),
        ("h.txt", "3\n1 2 3 4 5\n", "line 1: announces 3 points, 1 follow"),
        ("h.txt", "1 2 3 4 5\n1 2 3 4\n", "line 2: expected x y R G B, five numbers, got 4"),
        ("h.txt", "1 2 3 4 five\n", "line 1: expected a number as b, got 'five'"),
        ("h.txt", "1 2 3 4 nan\n", "line 1: expected a colour"),
        ("h.txt", "", "at least one point"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_hints(written(tmp_path, name, text))
    assert str(caught.value).startswith(str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    with pytest.raises(DataError, match=r"no text.*--scribbles takes pictures"):
        read_hints(tmp_path / "h.json")
    with pytest.raises(DataError, match="No such file"):
        read_hints(tmp_path / "absent.json")
    with pytest.raises(DataError, match="Is a directory"):
        read_hints(tmp_path)


def test_points_outside_are_named_with_the_size_of_the_picture() -> None:
    hints = make_hints([RED, BLUE])
    assert hints.on(5, 11) is hints
    with pytest.raises(DataError, match="point 2 at x 10, y 2 lies outside the picture of 10 x 5 px"):
        hints.on(5, 10)
    with pytest.raises(DataError, match="point 1 at x -1"):
        make_hints([Hint(-1, 0, (0, 0, 0))]).on(5, 10)


def test_points_of_a_smaller_copy_are_scaled() -> None:
    hints = Hints((Hint(50, 30, (1, 2, 3), radius=2),), size=(67, 100))
    (scaled,) = hints.on(2667, 4000).points
    assert (scaled.x, scaled.radius) == (2000, 80)
    assert scaled.y == pytest.approx(30 * 2667 / 67)
    with pytest.raises(DataError, match="100 x 67 px, this one has 2667 x 4000, another shape"):
        hints.on(4000, 2667)


def test_round_trips(tmp_path: Path) -> None:
    hints = make_hints([RED, BLUE, Hint(1.5, 7, (1, 2, 3))], size=(8, 20))
    write_hints(tmp_path / "h.json", hints)
    read = read_hints(tmp_path / "h.json")
    assert (read.points, read.size) == (hints.points, hints.size)
    write_hints(tmp_path / "h.txt", make_hints([RED]))
    assert (tmp_path / "h.txt").read_text() == "3 4 255 0 0\n"
    assert read_hints(tmp_path / "h.txt").points == (RED,)


def test_text_holds_whole_pixels_alone(tmp_path: Path) -> None:
    for hint in (BLUE, Hint(1.5, 0, (0, 0, 0))):
        with pytest.raises(InputError, match="whole pixels without a radius"):
            write_hints(tmp_path / "h.txt", make_hints([hint]))
    with pytest.raises(InputError, match=r"\.json or \.txt"):
        write_hints(tmp_path / "h.csv", make_hints([RED]))
    assert not list(tmp_path.iterdir())


def test_points_of_python() -> None:
    assert hints_of([(3, 4, 255, 0, 0, 0), [10, 2, 0, 0, 255, 2]]).points == (RED, BLUE)
    assert hints_of(np.array([[3, 4, 255, 0, 0]])).points == (Hint(3, 4, (255, 0, 0)),)
    for wrong in ([(3, 4, 255)], ["abcde"], [3], [(3, 4, 0.5, 0.1, 0.2)], [{"x": 1}], [(3, 4, 255, 0, 0, 0, 0)]):
        with pytest.raises(DataError, match="hints: point 1"):
            hints_of(wrong)
