"""Commands in processes of their own, which may be limited, interrupted or killed."""

import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from rasterio.transform import Affine

ROOT = Path(__file__).parents[2]
MAIN = "from nirtrans.cli.app import main; main()"
FLAGS = ("--device", "cpu", "--progress", "none", "--tile", "96", "--block", "32", "--threads", "1")
SIZE = (330, 400)


class Ended(NamedTuple):
    """How a process ended."""

    code: int
    err: str


def start(arguments: Sequence[object], *, before: str = "", most_bytes: int | None = None) -> subprocess.Popen[str]:
    """Start `nirtrans` with these arguments.

    Args:
        arguments: Words of the command line.
        before: Python that runs first, in the same process.
        most_bytes: Size that no file may exceed, which stands for a full disk.
    """

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which shells let jobs in the background ignore
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    call = [sys.executable, "-c", f"{before}\n{MAIN}", *map(str, arguments)]
    return subprocess.Popen(
        call, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=ROOT, preexec_fn=prepare
    )


def finish(process: subprocess.Popen[str]) -> Ended:
    """Wait for a process."""
    err = process.communicate(timeout=120)[1]
    return Ended(process.returncode, err)


def write_scene(path: Path) -> Path:
    """Write a near-infrared scene with a hole; its tiles compress badly."""
    values = np.random.default_rng(0).integers(100, 4000, SIZE, dtype=np.uint16)
    values[:100, :90] = 0
    place = {"crs": "EPSG:32633", "transform": Affine(10, 0, 4e5, 0, -10, 5e6), "nodata": 0}
    shape = {"count": 1, "height": SIZE[0], "width": SIZE[1], "dtype": "uint16", "tiled": True}
    shape |= {"compress": "deflate", "blockxsize": 64, "blockysize": 64}
    with rasterio.open(path, "w", "GTiff", **shape, **place) as made:
        made.write(values, 1)
        made.set_band_description(1, "nir")
    return path
