"""Rasters: the whole pipeline beside the cost of reading and writing alone, and beside plain scripts.

Every figure is that of a child process. The contestants of a table take turns; of their times the least counts, of
their peaks of memory the largest. The floor F is the larger of the processor times that reading the source and writing
the result take by themselves, on one thread each: where one thread reads and one writes, nothing is faster. A pipeline
that encodes on all cores can be.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from nirtrans.bench.case import absent
from nirtrans.bench.raster_memory import memory
from nirtrans.bench.raster_networks import pausing
from nirtrans.bench.raster_place import Place, Sizes
from nirtrans.bench.raster_restart import restart
from nirtrans.bench.raster_speed import speed
from nirtrans.bench.report import environment
from nirtrans.bench.tables import Findings, collect
from nirtrans.errors import InputError, RunError

PEERS = {"geoai": "geoai", "torchgeo": "torchgeo", "terratorch": "terratorch"}
PACKAGES = ("torch", "numpy", "rasterio")
SIZES = {
    "full": Sizes(),
    "quick": Sizes(
        scene_px=1536,
        network_px=256,
        memory_px=(1024, 2048),
        stripe_px=512,
        restarts=((pausing(4e-7), 1536, 512),),
        rounds=1,
        network={"width": 4, "blocks": 1},
    ),
}


def run(
    *, threads: list[int], devices: list[str], out: Path | None = None, compiled: bool = False, quick: bool = False
) -> str:
    """Measure the raster pipeline with the most of the `threads`; see `nirtrans.bench.suites.run_suite`.

    Raises:
        InputError: If torch.compile is asked for.
        RunError: If a child fails, or, at the end, if contestants came to different pixels.
    """
    if compiled:
        raise InputError("--compiled: no network of this benchmark is compiled; leave it out")
    texts: list[str] = []
    failures: list[str] = []
    for device in devices:
        command = f"nirtrans bench geotiff{' --quick' * quick} --device {device}"
        about = environment(device, PACKAGES) | {"command": command, "threads": max(threads), "absent": absent(PEERS)}
        with TemporaryDirectory() as folder:
            place = Place(Path(folder), SIZES["quick" if quick else "full"], max(threads), device, failures)
            texts.append(collect(findings(place), about, out, f"geotiff-{device}"))
    if failures:
        raise RunError("; ".join(failures))
    return "\n".join(texts)


def findings(place: Place) -> Iterator[Findings]:
    """Yield every table with the goals that it decides."""
    yield from speed(place)
    yield memory(place)
    yield restart(place)
