"""Rasters and failures: full disks, signals, sources that break, parts that are not what they should be."""

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cli_processes import FLAGS, finish, start, write_scene
from tiny_weights import tiny_weights

Command = Callable[..., Any]
Call = Callable[..., list[object]]
Damage = Callable[[Path], object]


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_scene(tmp_path / "in.tif")


@pytest.fixture
def weights() -> Path:
    return tiny_weights("instance")


@pytest.fixture
def call(tmp_path: Path, scene: Path, weights: Path) -> Call:
    """Return the words of a command that colorizes the scene into `name`."""

    def words(*more: object, name: str = "out.tif") -> list[object]:
        return ["colorize", scene, tmp_path / name, "--weights", weights, *FLAGS, *more]

    return words


def made(nirtrans: Command, words: list[object]) -> bytes:
    """Colorize and return the bytes of the result."""
    assert nirtrans(*words).code == 0
    return Path(str(words[2])).read_bytes()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Return what comes of the scene in one go, by flags."""
    from nirtrans.cli.app import run

    @cache
    def colorize(*flags: str) -> bytes:
        folder = tmp_path_factory.mktemp("whole")
        words = [write_scene(folder / "in.tif"), folder / "out.tif", "--weights", tiny_weights("instance"), *FLAGS]
        assert run(["colorize", *map(str, words), *flags]) == 0
        return (folder / "out.tif").read_bytes()

    return colorize


@pytest.mark.parametrize(("flags", "share"), [(["--cog"], 0.99), (["--overviews", "average"], 0.95)])
def test_a_disk_that_fills_while_finishing(
    tmp_path: Path, nirtrans: Command, call: Call, expected: Callable[..., bytes], flags: list[str], share: float
) -> None:
    """GDAL passes over writes that fail as it closes a file."""
    ended = finish(start(call(*flags), most_bytes=int(share * len(expected(*flags)))))
    assert ended.code == 3, ended.err
    assert ended.err.startswith("error: finishing ")
    assert "free space, then --resume goes on" in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "out.tif").exists()
    assert made(nirtrans, call(*flags, "--resume")) == expected(*flags)


def test_a_disk_that_fills_while_assembling(
    tmp_path: Path, nirtrans: Command, call: Call, expected: Callable[..., bytes]
) -> None:
    for number in (1, 2):
        assert nirtrans(*call("--shard", f"{number}/2")).code == 0
    first = (tmp_path / "out.tif.parts" / "1-of-2.tif").stat().st_size
    ended = finish(start(call("--resume"), most_bytes=first + 1000))
    assert ended.code == 3, ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "out.tif").exists()
    assert made(nirtrans, call("--resume")) == expected()


@pytest.mark.parametrize(
    ("place", "name", "code"),
    [
        ("nirtrans.inference.geotiff.find_statistics", "SIGTERM", 143),
        ("nirtrans.io.parts.assemble", "SIGINT", 130),
        pytest.param("nirtrans.inference.geotiff.dress", "SIGTERM", 143, marks=pytest.mark.slow),
    ],
)
def test_signals_outside_of_the_tiles(
    tmp_path: Path,
    nirtrans: Command,
    call: Call,
    expected: Callable[..., bytes],
    place: str,
    name: str,
    code: int,
) -> None:
    module, function = place.rsplit(".", 1)
    before = (
        f"import os, signal, {module} as m; real = m.{function}\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # which jobs in the background begin without
        f"def interrupted(*a, **k): os.kill(os.getpid(), signal.{name}); return real(*a, **k)\n"
        f"m.{function} = interrupted"
    )
    ended = finish(start(call("--cog"), before=before))
    assert ended.code == code, ended.err
    assert ended.err.count("\n") == 1
    assert ("--resume goes on" in ended.err) == ("find_statistics" not in place)
    assert not (tmp_path / "out.tif").exists()
    assert made(nirtrans, call("--cog", "--resume")) == expected("--cog")


@pytest.mark.parametrize("touched", [True, False])
def test_a_source_that_breaks_and_is_repaired(
    tmp_path: Path, nirtrans: Command, call: Call, scene: Path, touched: bool
) -> None:
    """With another time of change it is another source; with the same one it is what it was."""
    statistics = tmp_path / "statistics.json"
    expected = made(nirtrans, call("--stats-out", statistics, name="whole.tif"))
    content, before = scene.read_bytes(), scene.stat()
    middle = len(content) * 2 // 3
    scene.write_bytes(content[:middle] + b"\xff" * 4000 + content[middle + 4000 :])
    os.utime(scene, ns=(before.st_atime_ns, before.st_mtime_ns))
    given = call("--stats-in", statistics)
    broken = nirtrans(*given)
    assert broken.code == 3
    assert "pixels at row" in broken.error
    assert not (tmp_path / "out.tif").exists()
    assert (tmp_path / "out.tif.parts" / "1-of-1.jsonl").read_text().count("tile") >= 1
    scene.write_bytes(content)
    if not touched:
        os.utime(scene, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = nirtrans(*given, "--resume")
    assert again.code == (2 if touched else 0)
    if touched:
        assert "belongs to another run" in again.error
    else:
        assert (tmp_path / "out.tif").read_bytes() == expected


def _edit(change: Callable[[list[dict[str, Any]]], object]) -> Damage:
    """Change the lines of a journal as what they say."""

    def damage(parts: Path) -> None:
        journal = parts / "1-of-2.jsonl"
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        change(lines)
        journal.write_text("".join(json.dumps(line) + "\n" for line in lines))

    return damage


def _scribble(name: str, content: bytes) -> Damage:
    return lambda parts: (parts / name).write_bytes(content)


DAMAGES: dict[str, Damage] = {
    "no journal": lambda parts: (parts / "1-of-2.jsonl").unlink(),
    "empty journal": _scribble("1-of-2.jsonl", b""),
    "journal is noise": _scribble("1-of-2.jsonl", bytes(range(256)) * 9),
    "journal is a list": _scribble("1-of-2.jsonl", b"[1]\n[2]\n"),
    "journal nests": _scribble("1-of-2.jsonl", b"[" * 100_000 + b"\n"),
    "another tile": _edit(lambda lines: lines[3].update(tile=7)),
    "tiles swapped": _edit(lambda lines: lines.insert(2, lines.pop(3))),
    "a line twice": _edit(lambda lines: lines.insert(3, lines[3])),
    "lengths of nothing": _edit(lambda lines: lines[4].update(lengths=[3, None])),
    "lengths of words": _edit(lambda lines: lines[4].update(lengths=[["a"], [{}]])),
    "negative lengths": _edit(lambda lines: lines[4].update(lengths=[[-5, 3], [2]])),
    "huge lengths": _edit(lambda lines: lines[4].update(lengths=[[10**30], [2]])),
    "lengths moved": _edit(lambda lines: lines[4]["lengths"][0].reverse()),
    "facts of words": _edit(lambda lines: lines[4].update(facts={"valid_px": "many"})),
    "other facts": _edit(lambda lines: lines[4]["facts"].update(valid_px=1)),
    "begins elsewhere": _edit(lambda lines: lines[4].update(begin=-1)),
    "no tiles": lambda parts: (parts / "1-of-2.tif").unlink(),
    "empty tiles": _scribble("1-of-2.tif", b""),
    "second part lost": lambda parts: (parts / "2-of-2.tif").unlink(),
    "foreign files": _scribble("notes.tif", b"none of ours"),
    "no statistics": lambda parts: (parts / "statistics.json").unlink(),
    "statistics are noise": _scribble("statistics.json", b"\xff{"),
    "statistics of others": _scribble("statistics.json", b'{"format": 1}'),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_parts_go_on_or_are_refused(
    tmp_path: Path, nirtrans: Command, call: Call, expected: Callable[..., bytes], name: str
) -> None:
    for number in (1, 2):
        assert nirtrans(*call("--shard", f"{number}/2")).code == 0
    DAMAGES[name](tmp_path / "out.tif.parts")
    results = [nirtrans(*call(*more)) for more in (["--shard", "1/2"], ["--shard", "2/2"], ["--resume"])]
    if any(result.code for result in results):
        assert "statistics" in name
        assert {result.code for result in results} == {2}
        assert all("statistics.json" in result.error for result in results)
        assert not (tmp_path / "out.tif").exists()
        assert made(nirtrans, call("--overwrite")) == expected()
    else:
        assert (tmp_path / "out.tif").read_bytes() == expected()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: (folder / "out.tif.parts").write_text("a file"), "out.tif.parts"),
        (lambda folder: (folder / "out.tif.parts").symlink_to("/proc/self"), "cannot write"),
        (lambda folder: (folder / "out.tif.parts" / "1-of-1.jsonl").mkdir(parents=True), "1-of-1"),
        (lambda folder: (folder / "out.tif" / "in.tif").mkdir(parents=True), "in.tif"),
    ],
    ids=["parts-are-a-file", "parts-cannot-be-written", "journal-is-a-folder", "target-is-a-folder"],
)
@pytest.mark.parametrize("flag", [None, "--resume", "--overwrite"])
def test_places_that_cannot_be_written(
    tmp_path: Path,
    nirtrans: Command,
    call: Call,
    prepare: Damage,
    message: str,
    flag: str | None,
) -> None:
    prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = nirtrans(*call(*[flag] if flag else []))
    assert result.code == (0 if message == "1-of-1" and flag == "--overwrite" else 2)
    if result.code:
        assert message in result.error or "holds an interrupted run" in result.error
        there = {path for path in tmp_path.rglob("*") if path.name != "statistics.json"}
        assert sorted(there) == before


def test_parts_of_another_run(tmp_path: Path, nirtrans: Command, call: Call, scene: Path) -> None:
    assert nirtrans(*call("--shard", "1/2")).code == 0
    others = (["--dtype", "uint16"], ["--tile", "128"], ["--weights", tiny_weights("batch")], ["--compress", "lzw"])
    for more in others:
        result = nirtrans(*call("--shard", "1/2", *more))
        assert result.code == 2, more
        assert "another run" in result.error or "other weights" in result.error
    os.utime(scene)
    assert "another run" in nirtrans(*call("--shard", "1/2")).error
    assert nirtrans(*call("--shard", "1/2", "--overwrite")).code == 2
