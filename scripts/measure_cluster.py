"""Measure a raster on Dask workers of one thread each on this machine, beside one local thread.

    python scripts/measure_cluster.py --workers 1 2 --rounds 3

Two networks: a small one with fresh weights, which takes processors, and one that does nothing for as long as a GPU
might compute, which shows how workers scale where processors are busy. Scheduler and client are charged apart.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from distributed import Client

from nirtrans.bench.raster_networks import open_network, pausing, write_small_weights
from nirtrans.bench.raster_scenes import write_scene
from nirtrans.inference.cluster import Cluster
from nirtrans.inference.geotiff import Course, colorize_raster
from nirtrans.inference.raster_plan import TileOptions
from nirtrans.inference.resources import Resources

LOCAL = "one local thread"
PRELOAD = """from nirtrans.bench.raster_networks import open_network
from nirtrans.inference import worker
worker.load_colorizer = open_network
"""


class Spent(NamedTuple):
    """Seconds: wall, processors in all, and those of scheduler and client (of a local run 0)."""

    wall: float
    processors: float
    overhead: float = 0.0


def main() -> None:
    """Measure in rounds, and print the best of each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=2048, help="pixels of the square scene")
    parser.add_argument("--tile", type=int, default=256)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pause", type=float, default=4e-6, help="seconds per pixel of the network that pauses")
    asked = parser.parse_args()
    print("| network | way | wall, s | of one local thread | processors, s | of it scheduler and client |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_scene(place / "in.tif", asked.side)
        networks = {"small": str(write_small_weights(place / "w.safetensors")), "pauses": pausing(asked.pause)}
        for kind, network in networks.items():
            local = min(run(place, network, asked.tile) for _ in range(asked.rounds))
            show(kind, LOCAL, local, local)
            for count in asked.workers:
                with farm(place, count) as processes:
                    run_farm(place, network, asked.tile, processes)  # which loads the network
                    best = min(run_farm(place, network, asked.tile, processes) for _ in range(asked.rounds))
                show(kind, f"workers: {count}", best, local)


def show(network: str, way: str, spent: Spent, local: Spent) -> None:
    """Print one line of the table."""
    speed, share = local.wall / spent.wall, spent.overhead / spent.processors
    print(
        f"| {network} | {way} | {spent.wall:.1f} | {speed:.2f} x | {spent.processors:.1f} | {share:.1%} |", flush=True
    )


def run(place: Path, network: str, tile_px: int, cluster: Cluster | None = None) -> Spent:
    """Colour the scene once."""
    course = Course(overwrite=True, resources=Resources(threads=1), cluster=cluster)
    colorizer = open_network(network, "cpu")
    began, before = time.perf_counter(), cpu_s()
    colorize_raster(colorizer, place / "in.tif", place / "out.tif", tiling=TileOptions(tile_px), course=course)
    return Spent(time.perf_counter() - began, cpu_s() - before)


def run_farm(place: Path, network: str, tile_px: int, processes: list[subprocess.Popen[bytes]]) -> Spent:
    """Colour the scene once by scheduler and workers."""
    before = [cpu_s(process.pid) for process in processes]
    with Client(scheduler_file=str(place / "dask.json"), set_as_default=False) as client:
        client.wait_for_workers(len(processes) - 1)
        here = run(place, network, tile_px, Cluster(client, "here", network, "cpu"))
    there = [cpu_s(process.pid) - spent for process, spent in zip(processes, before, strict=True)]
    return Spent(here.wall, here.processors + sum(there), here.processors + there[0])


@contextmanager
def farm(place: Path, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start a scheduler, which comes first, and workers of one thread each."""
    file, preload = place / "dask.json", place / "preload.py"
    preload.write_text(PRELOAD)
    shared = ["--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1"]
    alone = ["--no-nanny", "--nthreads", "1", "--memory-limit", "0", "--preload", str(preload)]
    calls = [["scheduler", "--port", "0", *shared]]
    calls += [["worker", *shared, *alone, "--local-directory", str(place)]] * count
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen([sys.executable, "-m", "dask", *call], **quiet) for call in calls]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
        file.unlink(missing_ok=True)


def cpu_s(pid: int | None = None) -> float:
    """Return the seconds of processor time that a process has taken; this one if None."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
