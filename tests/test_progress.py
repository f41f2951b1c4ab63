"""Progress lines: JSON, plain, and silence; no escape codes in a pipe."""

import io
import json

from nirtrans.progress import Progress, clock


def run_task(mode: str) -> str:
    stream = io.StringIO()
    with Progress(mode, stream).task("train", total=3, done=1) as task:
        task.advance(loss=0.123456)
        task.advance(phase="end")
    return stream.getvalue()


def test_json_lines_count_to_the_end() -> None:
    lines = [json.loads(line) for line in run_task("json").splitlines()]
    assert [(line["event"], line["done"], line["total"]) for line in lines] == [("train", n, 3) for n in (1, 2, 3)]
    assert lines[0]["left_s"] is None
    assert lines[1]["loss"] == 0.1235
    assert lines[2]["left_s"] == 0


def test_json_survives_infinity() -> None:
    stream = io.StringIO()
    with Progress("json", stream).task("x", total=1) as task:
        task.advance(psnr=float("inf"))
    assert json.loads(stream.getvalue().splitlines()[-1])["psnr"] == "inf"


def test_plain_shows_first_and_last_without_escapes() -> None:
    text = run_task("auto")  # a StringIO is no terminal
    assert "train 2/3" in text
    assert "train 3/3" in text
    assert "\x1b" not in text


def test_resumed_units_do_not_count_as_speed() -> None:
    with Progress("none").task("train", total=100, done=99) as task:
        assert task.left_s() is None
        task.advance()
        assert task.left_s() == 0


def test_silence() -> None:
    assert run_task("none") == ""


def test_clock() -> None:
    assert [clock(s) for s in (None, 5, 65, 3723, 90061)] == ["?", "0:05", "1:05", "1:02:03", "1 d 1:01:01"]
