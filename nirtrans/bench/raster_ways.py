"""The ways through a raster that are measured: reading and writing alone, ours and its stages, plain scripts.

Each is a function of a task, an opened network and a stopwatch, which it starts when everything is opened that is not
to be counted.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from nirtrans.bench.raster_child import Task
from nirtrans.bench.raster_scenes import PATTERN_PX, pattern
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.device import one_thread_each
from nirtrans.inference.geotiff import Course, colorize_raster
from nirtrans.inference.raster_plan import TileOptions, plan
from nirtrans.inference.resources import Resources
from nirtrans.inference.scaling import RasterScene, SourceOptions, open_scene, unit_range
from nirtrans.inference.scene import read_tile
from nirtrans.inference.scene_statistics import read_statistics
from nirtrans.inference.stream import ahead, colour_batch
from nirtrans.inference.tiling import Grid, Window
from nirtrans.io.geotiff import Raster
from nirtrans.io.geotiff_write import encode_tile
from nirtrans.io.raster_form import BLOCK_PX, RasterForm

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

FORM = RasterForm(block_px=BLOCK_PX)
"""What every way writes: uint8, ZSTD 1, predictor 2, blocks of 512."""
Options = Mapping[str, Any]
PLAIN: Options = {}
ALL_CORES: Options = {"num_threads": "all_cpus"}


class Stopwatch:
    """Wall and CPU time of a block of code, all threads of the process."""

    wall_s = cpu_s = 0.0

    def __enter__(self) -> "Stopwatch":
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *exception: object) -> None:
        self.wall_s, self.cpu_s = time.perf_counter() - self._began[0], time.process_time() - self._began[1]


def read_blocks(task: Task, colorizer: Colorizer, watch: Stopwatch) -> None:
    """Decode every block of the source once, in its order."""
    import rasterio

    with rasterio.open(task.source) as source, watch:
        for window in _blocks(source.height, source.width):
            source.read(1, window=_slices(window))


def write_blocks(task: Task, colorizer: Colorizer, watch: Stopwatch, *, options: Options = PLAIN) -> None:
    """Encode and write the colours of the scene, which is known beforehand, block by block."""
    import rasterio

    colours = FORM.encode(_colours(task, colorizer), None)
    with rasterio.open(task.source) as source:
        profile = _profile(source, options)
    with watch, rasterio.open(task.target, "w", **profile) as target:
        for top, left, height, width in _blocks(profile["height"], profile["width"]):
            row, column = top % PATTERN_PX, left % PATTERN_PX
            block = colours[:, row : row + height, column : column + width]
            target.write(block, window=_slices(Window(top, left, height, width)))


def read_tiles(task: Task, colorizer: Colorizer, watch: Stopwatch) -> None:
    """Our stage of reading: tiles with their halo, scaled, validity looked for."""
    with _opened(task, colorizer) as (scene, grid), watch:
        for tile in grid.tiles():
            read_tile(scene, tile)


def encode_tiles(task: Task, colorizer: Colorizer, watch: Stopwatch) -> None:
    """Our stage of encoding: colours of tiles to compressed blocks."""
    colours = _colours(task, colorizer)
    with _opened(task, colorizer) as (scene, _), watch:
        for top in range(0, scene.height, PATTERN_PX):
            for left in range(0, scene.width, PATTERN_PX):
                encode_tile(colours[:, : scene.height - top, : scene.width - left], None, FORM, masked=False)


def colorize(task: Task, colorizer: Colorizer, watch: Stopwatch) -> None:
    """The whole command, but for the start of the process."""
    statistics = Path(task.statistics) if task.statistics else None
    course = Course(stats_in=statistics, resume=task.resume, resources=Resources(task.threads))
    with watch:
        tiling = TileOptions(tile_px=task.tile_px)
        colorize_raster(colorizer, task.source, Path(task.target), tiling=tiling, form=FORM, course=course)


def plain_loop(task: Task, colorizer: Colorizer, watch: Stopwatch, *, options: Options = PLAIN) -> None:
    """A serial script: read a window, run the network, write the window."""
    import rasterio

    with _opened(task, colorizer) as (scene, grid):
        tiles, profile, paint = list(grid.tiles()), _profile(scene.raster.dataset, options), _painter(task, colorizer)
    with watch, rasterio.open(task.source) as source, rasterio.open(task.target, "w", **profile) as target:
        for tile in tiles:
            colours = paint(source.read(1, window=_slices(tile.outer)))
            target.write(colours[:, *tile.core.within(tile.outer)], window=_slices(tile.core))


def whole_array(task: Task, colorizer: Colorizer, watch: Stopwatch) -> None:
    """A script that reads all, runs the network on overlapping tiles, and writes all."""
    import rasterio

    with _opened(task, colorizer) as (scene, grid):
        tiles, profile, paint = list(grid.tiles()), _profile(scene.raster.dataset, PLAIN), _painter(task, colorizer)
    with watch, rasterio.open(task.source) as source, rasterio.open(task.target, "w", **profile) as target:
        numbers = source.read(1)
        colours = np.empty((3, *numbers.shape), dtype=np.uint8)
        everything = Window(0, 0, *numbers.shape)
        for tile in tiles:
            seen = paint(numbers[tile.outer.within(everything)])
            colours[:, *tile.core.within(everything)] = seen[:, *tile.core.within(tile.outer)]
        target.write(colours)


def network(task: Task, colorizer: Colorizer, watch: Stopwatch) -> None:
    """The network alone, on tiles in memory that include their halo, each thread with a tile of its own."""
    with _opened(task, colorizer) as (scene, grid):
        inputs = [[(tile, read_tile(scene, tile))] for tile in grid.tiles()]
        workers = Resources(task.threads).pace(colorizer, grid).workers
    colour = partial(colour_batch, colorizer.forward())
    with one_thread_each(), watch:
        for _ in ahead(colour, inputs, count=workers, workers=workers):
            pass


def shared_network(task: Task, colorizer: Colorizer, watch: Stopwatch) -> None:
    """The same, all threads together on one tile after the other."""
    with _opened(task, colorizer) as (scene, grid):
        inputs = [[(tile, read_tile(scene, tile))] for tile in grid.tiles()]
    forward = colorizer.forward()
    with watch:
        for batch in inputs:
            colour_batch(forward, batch)


def idle(task: Task, colorizer: Colorizer, watch: Stopwatch) -> None:
    """Nothing: the memory of a process that has imported everything and opened the weights."""


WAYS: dict[str, Callable[[Task, Colorizer, Stopwatch], None]] = {
    "read_blocks": read_blocks,
    "write_blocks": write_blocks,
    "write_blocks, all cores": partial(write_blocks, options=ALL_CORES),
    "read_tiles": read_tiles,
    "encode_tiles": encode_tiles,
    "colorize": colorize,
    "plain_loop": plain_loop,
    "plain_loop, all cores": partial(plain_loop, options=ALL_CORES),
    "whole_array": whole_array,
    "network": network,
    "shared_network": shared_network,
    "idle": idle,
}


@contextmanager
def _opened(task: Task, colorizer: Colorizer) -> Iterator[tuple[RasterScene, Grid]]:
    """Open the source as our command does and cut it as that does."""
    known = read_statistics(Path(task.statistics)).rule() if task.statistics else None
    with Raster(task.source) as raster:
        scene = open_scene(raster, colorizer.info, SourceOptions(), known=known)
        yield scene, plan(colorizer, scene, TileOptions(tile_px=task.tile_px), FORM)


def _range(task: Task) -> tuple[float, float]:
    """Return the numbers that become black and white."""
    return read_statistics(Path(str(task.statistics))).input_range


def _colours(task: Task, colorizer: Colorizer) -> NDArray[np.float32]:
    """Return what a network that costs nothing makes of the pattern of the scenes, [3, 1024, 1024]."""
    unit = unit_range(pattern().astype(np.float32), *_range(task)).clip(0, 1)
    return colorizer.forward()(torch.from_numpy(unit)[None, None])[0].contiguous().numpy()


def _painter(task: Task, colorizer: Colorizer) -> Callable[[NDArray[np.uint16]], NDArray[np.uint8]]:
    """Return what a plain script does with a window [h, w]: scale, run the network, round."""
    low, high = _range(task)

    def paint(numbers: NDArray[np.uint16]) -> NDArray[np.uint8]:
        unit = ((torch.from_numpy(numbers.astype(np.float32)) - low) / (high - low)).clamp(0, 1)
        with torch.inference_mode():
            rgb = colorizer.system.colorize(unit[None, None].to(colorizer.device))[0]
            return (rgb.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()

    return paint


def _profile(source: "DatasetReader", options: Options) -> dict[str, Any]:
    grid = {"height": source.height, "width": source.width, "crs": source.crs, "transform": source.transform}
    return {"driver": "GTiff", "dtype": "uint8", "count": 3, **grid, **FORM.creation_options(), **options}


def _blocks(height: int, width: int) -> Iterator[Window]:
    for top in range(0, height, BLOCK_PX):
        for left in range(0, width, BLOCK_PX):
            yield Window(top, left, min(BLOCK_PX, height - top), min(BLOCK_PX, width - left))


def _slices(window: Window) -> tuple[tuple[int, int], tuple[int, int]]:
    return (window.top, window.bottom), (window.left, window.right)
