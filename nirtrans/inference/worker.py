"""One tile on a worker of a cluster, which opens the raster and the weights itself and returns compressed blocks.

Each thread of a worker has a handle of its own and makes one tile from reading to compressing on one processor: n
threads use n processors. They share the network; as many run it at once as the memory holds, on a GPU one.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Semaphore, local
from typing import NamedTuple

import torch

from nirtrans import __version__
from nirtrans.errors import InputError, NirtransError
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.device import use_threads
from nirtrans.inference.encoding import Encoded, encode
from nirtrans.inference.forward import Forward, NetworkOptions
from nirtrans.inference.output_mask import OutputMask
from nirtrans.inference.raster_plan import walk
from nirtrans.inference.resources import Resources
from nirtrans.inference.scaling import RasterScene
from nirtrans.inference.scene_statistics import SceneStatistics, use_statistics
from nirtrans.inference.stream import colour_batch
from nirtrans.inference.tiling import Grid, Tile
from nirtrans.io.gdal import bound_gdal_cache
from nirtrans.io.geotiff import Raster
from nirtrans.io.raster_form import RasterForm
from nirtrans.io.virtual import VirtualRaster

KEPT = 2
"""Networks, each frozen at the statistics of a scene, that a process keeps."""


@dataclass(frozen=True)
class Inputs:
    """What a worker must find where it runs.

    Attributes:
        source: The raster, by its whole path or a name that GDAL opens.
        identity: See `nirtrans.io.geotiff.Raster.identity`.
        weights: A file by its whole path, or the name of shipped weights or of a formula.
        digest: SHA-256 of the weights.
        device: auto, cpu, cuda or cuda:N.
        versions: Of what decides the bytes of the result, by name.
    """

    source: str | VirtualRaster
    identity: str
    weights: str
    digest: str
    device: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Work:
    """All that a worker must know of a raster to make any of its tiles.

    Attributes:
        inputs: What to open.
        make_scene: Turns a handle of the raster into the scene.
        grid: How the scene is cut.
        network: How the network is run.
        form: How samples are stored.
        mask: Which pixels are wanted.
        masked: Whether any pixel of the result may be invalid.
        statistics: What the first pass has found.
        resources: What the user allows; the number of threads is the worker's own.
        key: A digest of all that determines the bytes.
    """

    inputs: Inputs
    make_scene: Callable[[Raster], RasterScene]
    grid: Grid
    network: NetworkOptions
    form: RasterForm
    mask: OutputMask
    masked: bool
    statistics: SceneStatistics
    resources: Resources
    key: str


def versions() -> dict[str, str]:
    """Return the versions of what decides the bytes of a result; builds for other devices count as equal."""
    import rasterio

    return {"nirtrans": __version__, "torch": torch.__version__.partition("+")[0], "GDAL": rasterio.__gdal_version__}


async def check_inputs(inputs: Inputs) -> None:
    """Find out, beside what the worker else does, whether it can open what a run needs; raises as `encode_tile_of`."""
    await asyncio.to_thread(_check, inputs)


def same(work: Work) -> Work:
    """Return what is given: as a task, it is held once by each worker, and made anew when one is lost."""
    return work


def encode_tile_of(work: Work, tile: Tile) -> Encoded:
    """Colour and compress one tile in a thread of a worker.

    Raises:
        InputError: If versions, raster or weights are not those of the client, naming the host.
        NirtransError: Whatever else goes wrong, with the name of the host.
    """
    with _named_host():
        ready, scene = _ready_for(work), _HANDLE.scene_of(work)
        given = work.mask.read_tile(scene, tile)
        use_threads(1)  # torch counts by thread
        with ready.turns:
            (done,) = colour_batch(ready.forward, [(tile, given)])
        return encode(done, form=work.form, masked=work.masked)


@contextmanager
def _named_host() -> Iterator[None]:
    """Say in errors where they happened."""
    try:
        yield
    except NirtransError as error:
        error.__context__ = None  # what GDAL raised cannot be sent
        raise type(error)(f"worker on {socket.gethostname()}: {error}") from None


def _check(inputs: Inputs) -> None:
    with _named_host():
        _load(inputs)
        _open(inputs).close()


def _open(inputs: Inputs, decoders: int = 1) -> Raster:
    """Open the raster; raises InputError if it is not the client's."""
    name = inputs.source
    if isinstance(name, str) and Path(name).is_absolute() and not name.startswith("/vsi") and not Path(name).exists():
        raise InputError(f"{name} is not there; workers read from a file system that they share")
    raster = Raster(name, decoders=decoders)
    if raster.identity() != inputs.identity:
        raise InputError(f"{raster.path} is another file than at the client (place, size or time); share or copy it")
    return raster


def _load(inputs: Inputs) -> Colorizer:
    """Load the weights; raises InputError if they or the versions are not the client's."""
    here = versions()
    for name, version in inputs.versions.items():
        if here.get(name) != version:
            raise InputError(f"{name} is {here.get(name)} here and {version} at the client; install the same")
    if Path(inputs.weights).is_absolute() and not Path(inputs.weights).exists():
        raise InputError(f"{inputs.weights} is not there; workers read weights from a file system that they share")
    colorizer = load_colorizer(inputs.weights, device=inputs.device)
    if colorizer.digest != inputs.digest:
        kinds = f"SHA-256 {colorizer.digest[:12]} here, {inputs.digest[:12]} at the client"
        raise InputError(f"{inputs.weights} holds other weights ({kinds}); share the file or copy it")
    return colorizer


class _Ready(NamedTuple):
    """A network that is frozen at the statistics of one scene; `turns` are as many as may run it at once."""

    forward: Forward
    turns: Semaphore


_READY: dict[str, _Ready] = {}
"""By key of the work, the latest last."""
_PREPARING = Lock()


def _ready_for(work: Work) -> _Ready:
    """Return the network for some work, loaded once in this process."""
    with _PREPARING:
        if work.key not in _READY:
            while len(_READY) >= KEPT:
                del _READY[next(iter(_READY))]
            _READY[work.key] = _prepare(work)
        return _READY[work.key]


def _prepare(work: Work) -> _Ready:
    from distributed import get_worker

    colorizer = _load(work.inputs)
    if work.statistics.frozen and work.network.norm_stats != "tile":
        use_statistics(colorizer, work.statistics)
    resources = replace(work.resources, threads=get_worker().state.nthreads)
    turns = resources.pace(colorizer, work.grid).workers
    return _Ready(colorizer.forward(work.network.precision), Semaphore(turns))


class _Handle(local):
    """The raster as this thread has it open, since GDAL's handles are not thread-safe."""

    key = ""
    scene: RasterScene | None = None

    def scene_of(self, work: Work) -> RasterScene:
        """Return the scene of some work, opened once while it is the same work."""
        if self.scene is None or self.key != work.key:
            if self.scene is not None:
                self.scene.raster.close()
                self.scene = None
            raster = _open(work.inputs, work.resources.readers)
            bound_gdal_cache(walk(raster, work.grid, work.resources.cache_mb)[1])
            self.key, self.scene = work.key, work.make_scene(raster)
        return self.scene


_HANDLE = _Handle()
