"""How much memory a raster takes at most; the size of the scene has no part in it beyond 8 million pixels."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.forward import NetworkOptions
from nirtrans.inference.raster_plan import Seam
from nirtrans.inference.scaling import RasterScene
from nirtrans.inference.statistics import MAX_SAMPLES, SAMPLE_PX, depends_on_picture
from nirtrans.inference.stream import Pace
from nirtrans.inference.tiling import Grid
from nirtrans.io.overview import MOST_PX
from nirtrans.io.raster_form import RasterForm

KERNELS_BYTES = 48 * 2**20
"""What torch keeps of kernels for the sizes at hand; 20 to 30 MB measured for a network of 2 million parameters."""
SCATTERED_BYTES = 384 * 2**20
"""What malloc holds for each worker between blocks in use; up to 340 MB measured with 2 million parameters."""
POOLING = 1.25
"""Memory of a pass that takes statistics, of one that does not; 1.1 measured."""


class RasterMemory(NamedTuple):
    """Bytes of one process.

    Attributes:
        program: What it takes before it begins, and kernels that are made ready for the sizes at hand.
        cache: GDAL's cache of decoded blocks.
        tiles: All tiles under way.
        first: The first pass over the scene, which is over before the tiles begin.
    """

    program: int
    cache: int
    tiles: int
    first: int

    @property
    def total(self) -> int:
        """The most that the process takes."""
        return self.program + self.cache + max(self.tiles, self.first)


def raster_memory(
    colorizer: Colorizer,
    scene: RasterScene,
    grid: Grid,
    pace: Pace,
    network: NetworkOptions,
    form: RasterForm,
    cache_bytes: int,
    seam: Seam = "exact",
) -> RasterMemory:
    """Return what a raster takes; called before it begins, since it counts what the program holds now."""
    tiles = _tile_bytes(colorizer, scene, grid, pace, form)
    if seam == "blend":  # sums and weights of a row of tiles, and of its neighbours at the end
        tiles += (2 * grid.counts()[0] + 2) * 16 * grid.tile_px**2
    return RasterMemory(
        _resident_bytes() + KERNELS_BYTES, cache_bytes, tiles, _first_pass_bytes(colorizer, scene, network)
    )


def _tile_bytes(colorizer: Colorizer, scene: RasterScene, grid: Grid, pace: Pace, form: RasterForm) -> int:
    """Return the most bytes that all tiles under way take.

    With o pixels of the outer window, c channels of b bytes, t pixels of the core, N = workers x batch:
    (queue + N + 1) x 4 c o wait for the network or are in it; a tile that is read takes (b + 8) c o + 4 o; N (a o + f)
    are activations, a bytes for each pixel and f at any size, where the network runs on the CPU; N x 12 o are its
    colours, and each tile that is encoded, by N workers or as many as wait beside one, takes (16 + 6 s) t for samples
    of s bytes. For each worker 384 MB may be free and not given back.
    """
    outer, core = grid.largest_px(), (grid.tile_px or max(grid.wanted[2:])) ** 2
    channels, size = len(scene.bands), np.dtype(scene.raster.dtypes[scene.bands[0] - 1]).itemsize
    passes = pace.workers * pace.batch
    waiting = (pace.queue + passes + 1) * 4 * channels * outer
    reading = (size + 8) * channels * outer + 4 * outer
    activations = passes * colorizer.activations.of(outer) if colorizer.device.type == "cpu" else 0
    colours = passes * 12 * outer
    encoded = passes if pace.workers > 1 else passes + 2 * pace.finishers + 1
    encoding = encoded * (16 + 6 * np.dtype(form.dtype).itemsize) * core
    return int(waiting + reading + activations + colours + encoding + pace.workers * SCATTERED_BYTES)


def _first_pass_bytes(colorizer: Colorizer, scene: RasterScene, network: NetworkOptions) -> int:
    """Return the most bytes of the first pass: a look at 8 million pixels, or statistics of the network."""
    seen, size = min(MOST_PX, scene.height * scene.width), np.dtype(scene.raster.dtypes[0]).itemsize
    look = seen * (3 * size * len(scene.bands) + 4)
    if network.norm_stats != "scene" or not depends_on_picture(colorizer.system):
        return look
    sampled = min(scene.height * scene.width, max(colorizer.budget_px, 4 * SAMPLE_PX**2))
    if scene.height * scene.width > colorizer.budget_px:
        sampled = min(sampled, MAX_SAMPLES * SAMPLE_PX**2)
    return max(look, math.ceil(POOLING * colorizer.activations.of(sampled)))


def _resident_bytes() -> int:
    """Return the memory that this process holds now."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])
