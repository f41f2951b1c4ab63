"""What a raster will take, told before anything is written: tiles, memory, disk and time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from nirtrans.errors import IOFailure
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.device import one_thread_each
from nirtrans.inference.disk import free_bytes, needed_bytes
from nirtrans.inference.encoding import encode
from nirtrans.inference.forward import NetworkOptions
from nirtrans.inference.raster_memory import RasterMemory, raster_memory
from nirtrans.inference.raster_plan import TileOptions, lay_tiles
from nirtrans.inference.resources import Resources
from nirtrans.inference.scaling import RasterScene, Rule, SourceOptions, open_scene
from nirtrans.inference.scene import read_tile
from nirtrans.inference.stream import Pace, colour_batch
from nirtrans.inference.tiling import Grid, Tile
from nirtrans.io.gdal import gdal_cache
from nirtrans.io.geotiff import Raster
from nirtrans.io.overview import percentiles
from nirtrans.io.raster_form import RasterForm
from nirtrans.io.virtual import VirtualRaster
from nirtrans.progress import clock

T = TypeVar("T")
UNKNOWN = Rule(0.0, 0.0, filled=False, valid_share=1.0)
"""Stands for percentiles of the scene, which a forecast does without: they cost a look at all of it."""
MB, GB = 1e6, 1e9
TRIED = 16
"""Tiles among which one is looked for that holds something to measure."""


class Seconds(NamedTuple):
    """What one thread would take for all tiles, from one that was measured."""

    reading: float
    network: float
    encoding: float


@dataclass(frozen=True)
class Forecast:
    """What a raster will take.

    Attributes:
        scene: What is read.
        grid: Its tiles.
        pace: How many of them are under way at once.
        threads: CPU threads.
        memory: The most that is held at once.
        disk_bytes: What the target will take while it is made.
        free_bytes: What is free there.
        seconds: By stage.
    """

    scene: RasterScene
    grid: Grid
    pace: Pace
    threads: int
    memory: RasterMemory
    disk_bytes: int
    free_bytes: int
    seconds: Seconds

    @property
    def total_s(self) -> float:
        """Seconds for all tiles: those of the slowest stage, or all stages over all threads."""
        reading, network, encoding = self.seconds
        finishers = max(self.pace.workers, self.pace.finishers)
        return max(reading, network / self.pace.workers, encoding / finishers, sum(self.seconds) / self.threads)

    def text(self) -> str:
        """Say it in a few lines."""
        scene, grid, pace, memory = self.scene, self.grid, self.pace, self.memory
        size = f"{grid.tile_px} px" if grid.tile_px else "the whole scene"
        walk = f"in strips of {grid.strip_px // grid.tile_px} tiles" if grid.strip_px else "row by row"
        reading, network, encoding = map(clock, self.seconds)
        lines = {
            "scene": f"{scene.width} x {scene.height} px, bands {', '.join(map(str, scene.bands))}",
            "tiles": f"{len(grid)} of {size}, {walk}",
            "halo": f"{grid.halo_px} px, stride {grid.stride_px} px: {grid.excess():.2f} px computed per pixel",
            "at once": f"{pace.workers} in the network, {pace.batch} together, {pace.queue} read ahead",
            "memory": f"at most {memory.total / GB:.2f} GB: program {memory.program / MB:.0f} MB, blocks "
            f"{memory.cache / MB:.0f} MB, tiles {memory.tiles / MB:.0f} MB or first pass {memory.first / MB:.0f} MB",
            "disk": f"about {self.disk_bytes / GB:.2g} GB, free {self.free_bytes / GB:.3g} GB",
            "time": f"about {clock(self.total_s)} after the first pass; by one thread reading {reading}, network "
            f"{network}, encoding {encoding} (one tile was measured)",
        }
        return "\n".join(f"{name:8} {text}" for name, text in lines.items())


def forecast_raster(
    colorizer: Colorizer,
    source: Path | str | VirtualRaster,
    target: Path,
    *,
    options: SourceOptions,
    tiling: TileOptions,
    network: NetworkOptions,
    form: RasterForm,
    resources: Resources,
) -> Forecast:
    """Plan a raster and measure one tile of it; raises as `nirtrans.inference.geotiff.colorize_raster`."""
    threads = resources.thread_count
    with gdal_cache(), one_thread_each(), Raster(source, failure=IOFailure, decoders=resources.readers) as raster:
        scene = open_scene(raster, colorizer.info, options, known=UNKNOWN)
        grid, form, cache_bytes = lay_tiles(colorizer, scene, tiling, form, resources.cache_mb)
        pace = replace(resources, threads=threads).pace(colorizer, grid)
        with gdal_cache(cache_bytes):
            seconds = Seconds(*(each * len(grid) for each in _measure(colorizer, scene, grid, network, form)))
        return Forecast(
            scene,
            grid,
            pace,
            threads,
            raster_memory(colorizer, scene, grid, pace, network, form, cache_bytes, tiling.seam),
            needed_bytes(form, grid.wanted, scene.valid_share),
            free_bytes(target),
            seconds,
        )


def _scaled(scene: RasterScene, tile: Tile) -> RasterScene:
    """Give a scene of unknown range that of one tile."""
    if scene.low < scene.high:
        return scene
    low, high = percentiles(*scene.raster.read(scene.bands, tile.core)) or (0.0, 1.0)
    return replace(scene, low=low, high=high)


def _measure(
    colorizer: Colorizer, scene: RasterScene, grid: Grid, network: NetworkOptions, form: RasterForm
) -> tuple[float, float, float]:
    """Return the seconds that one thread takes to read, colour and encode a tile, if possible one with valid pixels."""
    for number in range(len(grid) // 2, len(grid), max(1, len(grid) // 2 // TRIED)):
        tile = grid.tile(number)
        scaled = _scaled(scene, tile)
        given, reading_s = _timed(partial(read_tile, scaled, tile))
        if given.source is not None:
            break
    (done,), network_s = _timed(lambda: colour_batch(colorizer.forward(network.precision), [(tile, given)]))
    _, encoding_s = _timed(lambda: encode(done, form=form, masked=given.valid is not None))
    return reading_s, network_s, encoding_s


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began
