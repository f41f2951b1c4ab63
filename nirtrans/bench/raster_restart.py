"""What a run costs that was killed half-way and resumed."""

import filecmp
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from nirtrans.bench.raster_child import Task, command, measure
from nirtrans.bench.raster_place import Place
from nirtrans.bench.tables import Findings, Goal, Table
from nirtrans.errors import RunError
from nirtrans.io.parts import Parts

POLL_S = 0.002


def restart(place: Place) -> Findings:
    """Kill runs at half of their tiles, resume them, and compare with uninterrupted ones."""
    rows: dict[str, list[float | None]] = {}
    goals = []
    for network, side, tile in place.sizes.restarts:
        task = place.task("colorize", place.scene(side), network or place.weights())
        tiles = (-(-side // tile)) ** 2
        name = f"{'grey' if network else 'small'} network, {side} x {side} px, {tiles} tiles"
        whole, rest = _interrupted(place, replace(task, tile_px=tile), name, tiles)
        rows[name] = [whole, rest, rest / whole]
        goals.append(Goal(f"killed at half, resumed: wall / uninterrupted, {name}", rest / whole, 0.55))
    note = "kill -9, then --resume, statistics given. Start of the process not counted; files are equal byte by byte."
    return Table("Restart", note, ["uninterrupted s", "resumed s", "ratio"], rows), goals


def _interrupted(place: Place, task: Task, name: str, tiles: int) -> tuple[float, float]:
    """Return the seconds of a run and of the second half of a killed one."""
    again = replace(task, target=str(place.folder / "again.tif"))
    whole = measure(task).wall_s
    kill_at(again, tiles=tiles // 2)
    rest = measure(replace(again, resume=True)).wall_s
    one, other = Path(task.target), Path(again.target)
    if not filecmp.cmp(one, other, shallow=False):
        place.failures.append(f"{name}: the resumed run came to other bytes")
    for path in (one, other):
        path.unlink()
    return whole, rest


def kill_at(task: Task, *, tiles: int) -> None:
    """Start a task and kill its process when so many tiles are done.

    Raises:
        RunError: If it ends before that.
    """
    journal = Parts(Path(task.target)).folder / "1-of-1.jsonl"
    child = subprocess.Popen(command(task), stdout=subprocess.DEVNULL)
    while child.poll() is None and _lines(journal) <= tiles:
        time.sleep(POLL_S)
    child.kill()
    child.wait()
    if not journal.exists():
        raise RunError(f"{task.way} of {task.source} ended before it could be interrupted")


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
