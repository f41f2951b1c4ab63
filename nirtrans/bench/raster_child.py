"""Measure one way through a raster in a process of its own: wall and CPU time, peak memory, time to start.

`python -m nirtrans.bench.raster_child TASK` is the child; it prints one line of JSON.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from nirtrans.errors import RunError


@dataclass(frozen=True)
class Task:
    """What a child does.

    Attributes:
        way: One of `nirtrans.bench.raster_ways.WAYS`.
        source: The scene.
        target: Where the colours go.
        network: See `nirtrans.bench.raster_networks.open_network`.
        statistics: Of the scene; None to find them where the way needs them.
        tile_px: Side of the cores; None to choose.
        threads: CPU threads.
        device: Where the network is.
        resume: Go on with an interrupted run.
    """

    way: str
    source: str
    target: str
    network: str = "grey"
    statistics: str | None = None
    tile_px: int | None = None
    threads: int = 2
    device: str = "cpu"
    resume: bool = False


@dataclass(frozen=True)
class Cost:
    """What it cost.

    Attributes:
        wall_s: From the opened weights to the complete result.
        cpu_s: All threads.
        start_s: From the start of the process to the opened weights.
        base_mb: Memory of a process that has imported everything and opened the weights, MB of 1e6 bytes.
        peak_mb: The most memory it ever had.
    """

    wall_s: float
    cpu_s: float
    start_s: float
    base_mb: float
    peak_mb: float


def measure(task: Task) -> Cost:
    """Run a task in a child process.

    Raises:
        RunError: If it fails, with its last line.
    """
    done = subprocess.run(command(task), capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RunError(f"{task.way} of {task.source} ended with {done.returncode}: {last}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def command(task: Task) -> list[str]:
    """Return the command line of the child."""
    return [sys.executable, "-m", "nirtrans.bench.raster_child", json.dumps(asdict(task) | {"began": time.time()})]


def work(task: Task, began: float) -> Cost:
    """Do a task in this process, which was started at `began` (seconds since 1970)."""
    import rasterio  # noqa: F401  counted as starting, since every way needs it

    from nirtrans.bench.raster_networks import open_network
    from nirtrans.bench.raster_ways import WAYS, Stopwatch
    from nirtrans.bench.timing import status_kb
    from nirtrans.inference.device import use_threads
    from nirtrans.inference.memory import share_heap

    if task.way == "colorize":
        share_heap()  # as the command does
    use_threads(task.threads)
    colorizer = open_network(task.network, task.device)
    start_s, base_kb, watch = time.time() - began, status_kb("VmRSS"), Stopwatch()
    WAYS[task.way](task, colorizer, watch)
    return Cost(watch.wall_s, watch.cpu_s, start_s, base_kb * 1024 / 1e6, status_kb("VmHWM") * 1024 / 1e6)


def main(text: str) -> None:
    """Do what the JSON says and print what it cost."""
    given = json.loads(text)
    began = given.pop("began")
    print(json.dumps(asdict(work(Task(**given), began))))


if __name__ == "__main__":
    main(sys.argv[1])
