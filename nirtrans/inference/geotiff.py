"""Colorize a raster in bounded memory: a thread reads, the network runs, threads encode, blocks are appended."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from nirtrans import __version__
from nirtrans.errors import DataError, InputError, IOFailure
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.encoding import Encoded, encode
from nirtrans.inference.output_mask import MaskOptions, OutputMask, open_mask
from nirtrans.inference.raster_plan import TileOptions, fitting_block, plan, sweep_bytes
from nirtrans.inference.scaling import RasterScene, SourceOptions, open_scene
from nirtrans.inference.scene_statistics import (
    SceneStatistics,
    find_statistics,
    read_statistics,
    use_statistics,
    write_statistics,
)
from nirtrans.inference.stream import ahead, colorize_tiles
from nirtrans.inference.tiling import Grid, Tile, Window
from nirtrans.io.block_store import BlockStore
from nirtrans.io.gdal import CACHE_BYTES, gdal_cache
from nirtrans.io.geotiff import Raster
from nirtrans.io.geotiff_write import lay_out, may_have_holes
from nirtrans.io.overviews import dress
from nirtrans.io.parts import Parts, Shard
from nirtrans.io.raster_form import RasterForm
from nirtrans.io.virtual import VirtualRaster
from nirtrans.progress import SILENT, Progress

log = logging.getLogger("nirtrans")
MOST_ENCODERS = 8
"""Threads that compress; each holds a tile, and eight encode faster than one thread reads."""


@dataclass(frozen=True)
class Course:
    """How a result comes about; of no influence on its pixels but for statistics that are given.

    Attributes:
        resume: Go on with an interrupted run, or assemble shards.
        overwrite: Throw away an interrupted run.
        shard: The part to make; None for all of it.
        stats_in: Statistics of a first pass over this scene or its neighbour; None to make one.
        stats_out: Where to write them.
        encoders: Threads that compress.
        progress: Where to show it.
    """

    resume: bool = False
    overwrite: bool = False
    shard: Shard | None = None
    stats_in: Path | None = None
    stats_out: Path | None = None
    encoders: int = 2
    progress: Progress = SILENT


def encoder_count(threads: int | None) -> int:
    """Return how many threads compress where so many may compute; None for all processors."""
    return min(threads or os.cpu_count() or 1, MOST_ENCODERS)


@dataclass(frozen=True)
class Result:
    """What was done.

    Attributes:
        tiles: Number of tiles.
        valid_tiles: Those that held a valid pixel.
        statistics: What the first pass found.
        complete: Whether the raster stands under its name; if not, shards of it are missing.
    """

    tiles: int
    valid_tiles: int
    statistics: SceneStatistics
    complete: bool = True


@dataclass(frozen=True)
class RasterJob:
    """All that determines one result, and where its parts lie."""

    colorizer: Colorizer
    scene: RasterScene
    grid: Grid
    form: RasterForm
    statistics: SceneStatistics
    parts: Parts
    mask: OutputMask

    @cached_property
    def masked(self) -> bool:
        """Whether any pixel of the result may be invalid."""
        return self.mask.area is not None or may_have_holes(self.scene.raster)

    @cached_property
    def tiles(self) -> Sequence[Tile]:
        """All tiles, in the order of the file."""
        return list(self.grid.tiles())

    @cached_property
    def head(self) -> bytes:
        """The file without blocks, its colours marked as synthetic and all that determines them named."""
        sample = self.statistics.sample
        origin: dict[str, object] = {
            "version": __version__,
            "model": self.colorizer.info.model,
            "weights_sha256": self.colorizer.digest,
            **self.scene.describe(),
            **self.mask.describe(),
            "halo_px": self.grid.halo_px,
            "statistics": None if sample is None else sample.model_dump(),
        }
        tags = {"SYNTHETIC_COLOR": "YES", "NIRTRANS": json.dumps(origin)}
        return lay_out(self.scene.raster, self.form, tags, self.grid.wanted, masked=self.masked)

    def windows(self) -> dict[int, Window]:
        """The window of each tile in the file."""
        top, left, _, _ = self.grid.wanted
        return {
            n: Window(core.top - top, core.left - left, *core[2:]) for n, core in enumerate(t.core for t in self.tiles)
        }

    @cached_property
    def key(self) -> str:
        """A digest of all that determines the bytes."""
        rest = f"{self.grid} {self.statistics.model_dump_json()} {self.scene.raster.identity()}"
        return hashlib.sha256(self.head + rest.encode()).hexdigest()


def colorize_raster(
    colorizer: Colorizer,
    source: Path | str | VirtualRaster,
    target: Path,
    *,
    options: SourceOptions = SourceOptions(),
    tiling: TileOptions = TileOptions(),
    form: RasterForm = RasterForm(),
    mask: MaskOptions = MaskOptions(),
    course: Course = Course(),
    failure: type[DataError] | type[IOFailure] = IOFailure,
) -> Result:
    """Write an RGB GeoTIFF on the grid of a raster; see the documentation of rasters for what is kept.

    What was done is kept beside the target until the raster is complete.

    Raises:
        DataError: If the raster cannot be opened, or its bands or scaling cannot be found.
        InputError: If options contradict each other, the target cannot be written, or parts of it are another run's.
        IOFailure: If reading or writing breaks off, naming the window (reading: or what is given as `failure`).
        KeyboardInterrupt: After SIGINT or (Terminated) SIGTERM, saying how to go on.
        OutOfMemory: If a tile does not fit the device.
    """
    parts = Parts(target)
    _clear(parts, course)
    known = _known_statistics(parts, course)
    with gdal_cache(CACHE_BYTES), Raster(source, failure=failure) as raster:
        _check_target(target, raster)
        scene = open_scene(raster, colorizer.info, options, known=None if known is None else known.rule())
        grid = plan(colorizer, scene, tiling, form)
        form = form if form.block_px else replace(form, block_px=fitting_block(grid))
        output = open_mask(mask, raster, grid.wanted)
        with gdal_cache(sweep_bytes(raster, grid)):
            try:
                statistics = _first_pass(colorizer, scene, parts, known, course)
                return _run(RasterJob(colorizer, scene, grid, form, statistics, parts, output), course)
            finally:
                colorizer.thaw()


def _check_target(target: Path, raster: Raster) -> None:
    """Refuse to write over a file that the raster is made of."""
    if target.exists() and any(Path(name).exists() and target.samefile(name) for name in raster.files):
        raise InputError(f"{target} is part of {raster.path}; choose another DST")


def _clear(parts: Parts, course: Course) -> None:
    """Throw away what an earlier run has left if that is wanted; refuse if nothing is said of it."""
    if not parts.exist() or course.resume or course.shard is not None:
        return
    if not course.overwrite:
        remedy = "give --resume to go on, or --overwrite to start anew"
        raise InputError(f"{parts.folder} holds an interrupted run; {remedy}")
    parts.discard()


def _known_statistics(parts: Parts, course: Course) -> SceneStatistics | None:
    """Return what the user gives, or what an interrupted run or another shard has found."""
    if course.stats_in is not None:
        return read_statistics(course.stats_in)
    return read_statistics(parts.statistics) if parts.statistics.exists() else None


def _first_pass(
    colorizer: Colorizer, scene: RasterScene, parts: Parts, known: SceneStatistics | None, course: Course
) -> SceneStatistics:
    """Freeze the network at the statistics of the scene and leave them to shards and resumed runs."""
    if known is not None:
        use_statistics(colorizer, known)
    statistics = known or find_statistics(colorizer, scene)
    parts.make_folder()
    write_statistics(parts.statistics, statistics)
    if course.stats_out is not None:
        write_statistics(course.stats_out, statistics)
    return statistics


def _run(job: RasterJob, course: Course) -> Result:
    """Make one shard or all of the raster, or assemble the shards that are there."""
    count = course.shard.count if course.shard else job.parts.shard_count()
    if course.shard or count == 1:
        shard = course.shard or Shard()
        with job.parts.open(shard, key=job.key, head=job.head) as store:
            _append_tiles(job, store, shard.span(len(job.tiles)), course)
        stores = [store]
    if course.shard is None:
        finishing = partial(dress, form=job.form)
        stores = job.parts.finish(count, key=job.key, head=job.head, windows=job.windows(), dress=finishing)
    records = [record for store in stores for record in store.records]
    valid_tiles = sum(record.facts["valid_px"] > 0 for record in records)
    if not valid_tiles and course.shard is None:
        part = " that is wanted" if job.mask.describe() else ""
        log.warning("%s holds no valid pixel%s; the result is empty as well", job.scene.raster.path, part)
    return Result(len(records), valid_tiles, job.statistics, complete=course.shard is None)


def _append_tiles(job: RasterJob, store: BlockStore, numbers: Sequence[int], course: Course) -> None:
    """Colorize and encode the tiles that the store does not hold yet, and append them in order."""
    left = numbers[len(store.records) :]
    try:
        with course.progress.task("colorize", len(numbers), done=len(store.records)) as task:
            for number, (blocks, facts) in zip(left, _encoded(job, left, course), strict=True):
                store.append(number, blocks, **facts)
                task.advance()
    except KeyboardInterrupt as stop:
        state = f"stopped after {len(store.records)} of {len(numbers)} tiles"
        raise type(stop)(f"{state}; the same command with --resume goes on") from None


def _encoded(job: RasterJob, numbers: Sequence[int], course: Course) -> Iterator[Encoded]:
    """Yield the blocks of tiles and what is to be known of them, in order."""
    tiles = [job.tiles[number] for number in numbers]
    system, device = job.colorizer.system, job.colorizer.device
    coloured = colorize_tiles(system, job.scene, tiles, device=device, read=job.mask.read_tile)
    compress = partial(encode, form=job.form, masked=job.masked)
    return ahead(compress, coloured, count=course.encoders, workers=course.encoders)
