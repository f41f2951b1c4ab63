"""Shards of one raster by several processes at once, some of them killed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_processes import FLAGS, finish, start, write_scene
from tiny_weights import tiny_weights

Command = Callable[..., Any]
KILLED = """
import os, signal
from nirtrans.io.block_store import BlockStore
append = BlockStore.append
def killed(self, *args, **facts):
    if len(self.records) == 1:
        self._data.write(b"half a tile")
        self._data.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return append(self, *args, **facts)
BlockStore.append = killed
"""


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., list[object]]:
    """Return the words of a command that colorizes a scene into `name`."""
    scene = write_scene(tmp_path / "in.tif")

    def words(*more: object, name: str = "out.tif") -> list[object]:
        return ["colorize", scene, tmp_path / name, "--weights", tiny_weights("instance"), *FLAGS, *more]

    return words


def test_two_processes_at_once(tmp_path: Path, nirtrans: Command, call: Callable[..., list[object]]) -> None:
    """Both find nothing when they begin, and look at the whole scene."""
    running = [start(call("--shard", f"{number}/2")) for number in (1, 2)]
    assert nirtrans(*call(name="whole.tif")).code == 0
    assert [finish(process) for process in running] == [(0, ""), (0, "")]
    assert nirtrans(*call("--resume")).code == 0
    assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tif", "out.tif", "whole.tif"]


def test_killed_shards_are_made_again(tmp_path: Path, nirtrans: Command, call: Callable[..., list[object]]) -> None:
    killed = [start(call("--shard", f"{number}/5"), before=KILLED) for number in (2, 4)]
    assert nirtrans(*call(name="whole.tif")).code == 0
    assert [finish(process).code for process in killed] == [-9, -9]
    again = start(call("--shard", "2/5", "--resume"))
    for number in (1, 3, 5):
        assert nirtrans(*call("--shard", f"{number}/5")).code == 0
    assert finish(again) == (0, "")
    early = nirtrans(*call("--resume"))
    assert early.code == 2
    assert "parts 4 of 5 are not finished" in early.error
    assert nirtrans(*call("--shard", "4/5")).code == 0
    assert nirtrans(*call("--resume")).code == 0
    assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()


@pytest.mark.slow
def test_one_shard_twice_at_once(tmp_path: Path, nirtrans: Command, call: Callable[..., list[object]]) -> None:
    """The second finds the first at work, or done; none of them harms the other."""
    running = [start(call("--shard", "1/2")) for _ in range(2)]
    ended = [finish(process) for process in running]
    assert {process.code for process in ended} <= {0, 2}
    assert 0 in {process.code for process in ended}
    assert all(process.code == 0 or "is being written by another process" in process.err for process in ended)
    assert nirtrans(*call("--shard", "2/2")).code == 0
    assert nirtrans(*call("--resume")).code == 0
    assert nirtrans(*call(name="whole.tif")).code == 0
    assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()
