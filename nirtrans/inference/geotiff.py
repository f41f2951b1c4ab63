"""Colorize a raster in bounded memory: a thread reads, the network runs, threads encode, blocks are appended."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from nirtrans.errors import DataError, InputError, IOFailure
from nirtrans.inference.cluster import Cluster
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.device import one_thread_each
from nirtrans.inference.disk import check_disk, needed_bytes
from nirtrans.inference.forward import NetworkOptions
from nirtrans.inference.output_mask import MaskOptions, open_mask
from nirtrans.inference.raster_job import RasterJob
from nirtrans.inference.raster_plan import TileOptions, find_region, lay_tiles
from nirtrans.inference.resources import DEFAULT, Resources
from nirtrans.inference.scaling import RasterScene, SourceOptions, open_scene
from nirtrans.inference.scene_statistics import (
    SceneStatistics,
    find_statistics,
    read_statistics,
    use_statistics,
    write_statistics,
)
from nirtrans.inference.tile_source import encoded_tiles
from nirtrans.io.block_store import BlockStore
from nirtrans.io.gdal import gdal_cache
from nirtrans.io.geotiff import Raster
from nirtrans.io.overviews import dress
from nirtrans.io.parts import Parts, Shard
from nirtrans.io.raster_form import RasterForm
from nirtrans.io.virtual import VirtualRaster
from nirtrans.progress import SILENT, Progress

log = logging.getLogger("nirtrans")


@dataclass(frozen=True)
class Course:
    """How a result comes about; of no influence on its pixels but for statistics that are given.

    Attributes:
        resume: Go on with an interrupted run, or assemble shards.
        overwrite: Throw away an interrupted run.
        shard: The part to make; None for all of it.
        stats_in: Statistics of a first pass over this scene or its neighbour; None to make one.
        stats_out: Where to write them.
        resources: What may be used of the machine.
        cluster: Workers that make the tiles; None for this process.
        progress: Where to show it.
    """

    resume: bool = False
    overwrite: bool = False
    shard: Shard | None = None
    stats_in: Path | None = None
    stats_out: Path | None = None
    resources: Resources = DEFAULT
    cluster: Cluster | None = None
    progress: Progress = SILENT


@dataclass(frozen=True)
class Result:
    """What was done.

    Attributes:
        tiles: Number of tiles.
        valid_tiles: Those that held a valid pixel.
        clamped: Share of the valid input that lay outside the range and was clamped, 0 to 1.
        statistics: What the first pass found.
        complete: Whether the raster stands under its name; if not, shards of it are missing.
    """

    tiles: int
    valid_tiles: int
    clamped: float
    statistics: SceneStatistics
    complete: bool = True


def colorize_raster(
    colorizer: Colorizer,
    source: Path | str | VirtualRaster,
    target: Path,
    *,
    options: SourceOptions = SourceOptions(),
    tiling: TileOptions = TileOptions(),
    network: NetworkOptions = NetworkOptions(),
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
    colorizer.forward(network.precision)  # refuses what the device does not know, before anything is written
    if course.cluster is not None:
        if tiling.seam == "blend":
            raise InputError("--seam blend does not go with --scheduler: tiles need their neighbours; use --shard")
        course.cluster.check(course.cluster.inputs(source, colorizer.digest))
    parts = Parts(target)
    _clear(parts, course)
    known = _known_statistics(parts, course, network)
    resources = replace(course.resources, threads=course.resources.thread_count)
    course = replace(course, resources=resources)
    handle = Raster(source, failure=failure, decoders=resources.readers)
    with gdal_cache(), one_thread_each(), handle as raster:
        _check_target(target, raster)
        output = open_mask(mask, raster, find_region(raster, tiling))
        rule = None if known is None else known.rule()
        scene = open_scene(raster, colorizer.info, options, known=rule, threads=resources.thread_count)
        grid, form, cache_bytes = lay_tiles(colorizer, scene, tiling, form, resources.cache_mb)
        if not parts.exist():
            check_disk(target, needed_bytes(form, grid.wanted, scene.valid_share))
        with gdal_cache(cache_bytes):
            try:
                statistics = _first_pass(colorizer, scene, parts, known, course, network)
                return _run(
                    RasterJob(colorizer, scene, grid, network, form, statistics, parts, output, tiling.seam), course
                )
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


def _known_statistics(parts: Parts, course: Course, network: NetworkOptions) -> SceneStatistics | None:
    """Return what the user gives, or what an interrupted run or another shard has found."""
    if course.stats_in is not None:
        return read_statistics(course.stats_in)
    if network.norm_stats == "frozen":
        raise InputError("--norm-stats frozen takes the statistics of an earlier run; give them by --stats-in FILE")
    return read_statistics(parts.statistics) if parts.statistics.exists() else None


def _first_pass(
    colorizer: Colorizer,
    scene: RasterScene,
    parts: Parts,
    known: SceneStatistics | None,
    course: Course,
    network: NetworkOptions,
) -> SceneStatistics:
    """Freeze the network at the statistics of the scene and leave them to shards and resumed runs."""
    measured = known is not None and (known.sample is not None or course.stats_in is not None)
    if known is not None and measured and network.norm_stats != "tile":
        use_statistics(colorizer, known)
    statistics = known or find_statistics(colorizer, scene, network.norm_stats)
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
            _append_tiles(job, store, shard.span(len(job.grid)), course)
        stores = [store]
    if course.shard is None:
        stores = _put_together(job, count)
    return _result(job, stores, complete=course.shard is None)


def _put_together(job: RasterJob, count: int) -> list[BlockStore]:
    """Make one file of the tiles of so many shards, and of it what the form asks for."""
    finishing = partial(dress, form=job.form)
    try:
        return job.parts.finish(
            count, key=job.key, head=job.head, tiles=len(job.grid), window_of=job.window, dress=finishing
        )
    except KeyboardInterrupt as stop:
        state = "stopped while tiles were put together"
        raise type(stop)(f"{state}; the same command with --resume goes on") from None


def _result(job: RasterJob, stores: Sequence[BlockStore], *, complete: bool) -> Result:
    """Sum up what the journals tell, and warn if there is nothing."""
    facts = [record.facts for store in stores for record in store.records]
    valid_tiles = sum(fact["valid_px"] > 0 for fact in facts)
    if complete and not valid_tiles:
        part = " that is wanted" if job.mask.describe() else ""
        log.warning("%s holds no valid pixel%s; the result is empty as well", job.scene.raster.path, part)
    outside, measured = (sum(fact[name] for fact in facts) for name in ("outside", "measured"))
    clamped = outside / max(measured, 1)
    return Result(len(facts), valid_tiles, clamped, job.statistics, complete)


def _append_tiles(job: RasterJob, store: BlockStore, numbers: range, course: Course) -> None:
    """Colorize and encode the tiles that the store does not hold yet, and append them in order."""
    left = numbers[len(store.records) :]
    try:
        with course.progress.task("colorize", len(numbers), done=len(store.records)) as task:
            made = encoded_tiles(job, left, course.resources, course.cluster)
            for number, (blocks, facts) in zip(left, made, strict=True):
                store.append(number, blocks, name=job.name(number), **facts)
                task.advance()
    except KeyboardInterrupt as stop:
        state = f"stopped after {len(store.records)} of {len(numbers)} tiles"
        raise type(stop)(f"{state}; the same command with --resume goes on") from None
