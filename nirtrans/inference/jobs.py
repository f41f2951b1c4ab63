"""Translate one file or many, each as a raster or as a picture."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nirtrans.errors import DataError, InputError, IOFailure
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.forecast import Forecast, forecast_raster
from nirtrans.inference.forward import NetworkOptions
from nirtrans.inference.geotiff import Course, Result, colorize_raster
from nirtrans.inference.guidance_kinds import check_guidance, check_kinds
from nirtrans.inference.hints import HintFiles
from nirtrans.inference.job_list import WRITTEN_AS, Job
from nirtrans.inference.output_mask import MaskOptions
from nirtrans.inference.photo import PhotoOptions, keeps_lightness
from nirtrans.inference.picture_jobs import colorize_pictures
from nirtrans.inference.pictures import PictureOptions
from nirtrans.inference.raster_plan import TileOptions
from nirtrans.inference.resources import DEFAULT
from nirtrans.inference.scaling import SourceOptions
from nirtrans.io.geotiff import RASTER_SUFFIXES, Raster
from nirtrans.io.raster_form import RasterForm
from nirtrans.io.sources import find_source, is_list
from nirtrans.progress import SILENT

log = logging.getLogger("nirtrans")


@dataclass(frozen=True)
class JobOptions:
    """How files are translated; see the classes of the fields."""

    source: SourceOptions
    tiling: TileOptions
    network: NetworkOptions
    form: RasterForm
    course: Course
    mask: MaskOptions
    pictures: PictureOptions = field(default_factory=PictureOptions)
    hints: HintFiles = field(default_factory=HintFiles)
    skip_bad: bool = False


def run_job(colorizer: Colorizer, job: Job, options: JobOptions) -> Result | None:
    """Translate one file and return what there is to say of a raster; raises as what it calls."""
    if is_raster(job.source, colorizer, options):
        _check_raster(colorizer, job, options)
        return colorize_raster(
            colorizer,
            find_source(job.source, colorizer.info.preprocessing.bands),
            job.target,
            options=options.source,
            tiling=options.tiling,
            network=options.network,
            form=options.form,
            mask=options.mask,
            course=options.course,
            failure=DataError if options.skip_bad else IOFailure,
        )
    _run_pictures(colorizer, [job], options)
    return None


def _run_pictures(
    colorizer: Colorizer, jobs: Sequence[Job], options: JobOptions, advance: Callable[[], None] = lambda: None
) -> int:
    """Translate pictures and return how many were left out."""
    if jobs:
        _check_picture_options(colorizer, jobs[0], options)
        options.hints.check(len(jobs))
    return colorize_pictures(
        colorizer,
        jobs,
        options.pictures,
        hints_of=options.hints.of if options.hints.flags() else None,
        batch=options.course.resources.batch,
        skip_bad=options.skip_bad,
        advance=advance,
    )


def foretell_job(colorizer: Colorizer, job: Job, options: JobOptions) -> Forecast:
    """Say what a raster will take; raises as `run_job`, and InputError for a picture."""
    if not is_raster(job.source, colorizer, options):
        raise InputError(f"--dry-run: for rasters alone, and {job.source} is a picture; leave it out")
    _check_raster(colorizer, job, options)
    return forecast_raster(
        colorizer,
        find_source(job.source, colorizer.info.preprocessing.bands),
        job.target,
        options=options.source,
        tiling=options.tiling,
        network=options.network,
        form=options.form,
        resources=options.course.resources,
    )


def run_jobs(colorizer: Colorizer, jobs: Sequence[Job], options: JobOptions) -> int:
    """Translate several files and return how many; unreadable ones are left out with a warning under `skip_bad`.

    Raises:
        DataError: If a file cannot be used and `skip_bad` is off, or none can be.
    """
    if jobs and options.course.shard is not None:
        raise InputError("--shard divides one raster; several files are divided by giving each process its own")
    if jobs and options.course.cluster is not None:
        raise InputError("--scheduler divides one raster; give the rasters one by one")
    each = replace(options, course=replace(options.course, progress=SILENT))
    rasters = {job for job in jobs if _is_raster_or_bad(job, colorizer, options)}
    pictures = [job for job in jobs if job not in rasters]
    with options.course.progress.task("colorize", len(jobs), unit="file") as task:
        bad = _run_pictures(colorizer, pictures, options, task.advance)
        for job in sorted(rasters, key=jobs.index):
            try:
                run_job(colorizer, job, each)
            except DataError as error:
                if not options.skip_bad:
                    raise
                log.warning("skipped: %s", error)
                bad += 1
            task.advance()
    if jobs and bad == len(jobs):
        raise DataError(f"none of {bad} files could be used; the first was {jobs[0].source}")
    if bad:
        log.warning("%d of %d files left out", bad, len(jobs))
    return len(jobs) - bad


def _is_raster_or_bad(job: Job, colorizer: Colorizer, options: JobOptions) -> bool:
    """Tell what is translated as a raster; what cannot be opened is refused there."""
    try:
        return is_raster(job.source, colorizer, options)
    except DataError:
        return True


def is_raster(source: str, colorizer: Colorizer, options: JobOptions) -> bool:
    """Tell a raster from a picture.

    A TIFF is a picture if it has no coordinates, holds 8 or 16 bits in gray or RGB, the weights learned from pictures,
    and nothing is said about bands or scaling. Where lightness is kept, floats in [0, 1] are a picture as well.
    """
    if source.startswith("/vsi") or "://" in source or is_list(source):
        return True
    suffix = Path(source).suffix.lower()
    if suffix not in RASTER_SUFFIXES or suffix in WRITTEN_AS:
        return suffix in WRITTEN_AS
    if colorizer.info.preprocessing.kind == "raster" or options.source != SourceOptions(any_gsd=options.source.any_gsd):
        return True
    with Raster(source) as raster:
        located = raster.crs or not raster.transform.is_identity or raster.dataset.gcps[0] or raster.dataset.rpcs
        if keeps_lightness(colorizer.system, colorizer.info) and raster.count <= 4:
            return bool(located)
        plain = raster.count == 1 or raster.colours[:3] == ("red", "green", "blue")
        return bool(located) or not plain or raster.dtypes[0] not in ("uint8", "uint16")


def _check_picture_options(colorizer: Colorizer, job: Job, options: JobOptions) -> None:
    """Refuse what only rasters or other weights have, rather than leave it undone."""
    if options.form.dtype == "float32":
        raise InputError("--dtype float32: for rasters alone; pictures hold uint8 or uint16")
    keeping = keeps_lightness(colorizer.system, colorizer.info)
    if options.pictures.photo != PhotoOptions() and not keeping:
        raise InputError(f"--size, --upsample: {colorizer.info.model} sees pictures as they are; leave them out")
    check_kinds(colorizer.system, options.hints.kinds())
    form, course, tiling, network, usual = options.form, options.course, options.tiling, options.network, DEFAULT
    resources = course.resources
    asked = {
        "--cog": form.cog,
        "--overviews": form.overviews is not None,
        "--shard": course.shard is not None,
        "--scheduler": course.cluster is not None,
        "--stats-in": course.stats_in is not None,
        "--stats-out": course.stats_out is not None,
        "--window": tiling.window is not None,
        "--bbox": tiling.bounds is not None,
        "--aoi": options.mask.aoi is not None,
        "--mask-halo": options.mask.halo_px > 0,
        "--seam": tiling.seam != "exact",
        "--precision": network.precision != "fp32",
        "--norm-stats": network.norm_stats != "scene",
        "--batch": resources.batch is not None and not keeping,
        "--queue": resources.queue != usual.queue,
        "--readers": resources.readers != usual.readers,
        "--cachemax": resources.cache_mb is not None,
    }
    flags = [flag for flag, given in asked.items() if given]
    if flags:
        raise InputError(f"{', '.join(flags)}: for rasters alone, and {job.source} is a picture; leave it out")


def _check_raster(colorizer: Colorizer, job: Job, options: JobOptions) -> None:
    """Refuse targets that are no GeoTIFF, and what only pictures have."""
    if job.target.suffix.lower() not in (".tif", ".tiff"):
        raise InputError(f"{job.source} is a raster, which is written as GeoTIFF; call DST something.tif")
    if options.pictures.photo != PhotoOptions():
        raise InputError(f"--size, --upsample: {job.source} is a raster, which is made in tiles; leave them out")
    if options.hints.flags():
        flags = ", ".join(options.hints.flags())
        raise InputError(f"{flags}: for pictures alone, and {job.source} is a raster; leave it out")
    check_guidance(colorizer.system, None)
