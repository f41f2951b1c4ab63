"""`nirtrans colorize`: translate a picture, a folder of pictures, or a raster."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nirtrans.cli.options import Bands, Debug, Device, Overwrite, ProgressOption, Sensor, SkipBad, Threads, parse_bands

if TYPE_CHECKING:
    from nirtrans.inference.jobs import JobOptions

Tile = Annotated[str, typer.Option("--tile", metavar="N|auto", help="Side of the tiles in pixels; 0: all at once.")]
Halo = Annotated[
    str, typer.Option("--halo", metavar="N|auto", help="Margin of the tiles; auto: what the weights need.")
]
InputRange = Annotated[
    str | None,
    typer.Option("--input-range", metavar="LO,HI", help="Values that become black and white, or percentile:2,98."),
]
AnyGsd = Annotated[bool, typer.Option("--any-gsd", help="Accept pixels twice as large or small as those of training.")]
Batch = Annotated[
    str, typer.Option("--batch", metavar="N|auto", help="Tiles or pictures that the network sees together.")
]
PrecisionOption = Annotated[
    Literal["fp32", "bf16", "fp16"], typer.Option("--precision", help="Of convolutions; fp16 needs a GPU.")
]
SeamOption = Annotated[
    Literal["exact", "blend"],
    typer.Option("--seam", help="Tiles that agree, or are faded; for networks that see the whole picture."),
]
NormStatsOption = Annotated[
    Literal["scene", "frozen", "tile"],
    typer.Option("--norm-stats", help="Of layers that normalise: from the scene, --stats-in, or each tile."),
]
Readers = Annotated[int, typer.Option("--readers", min=1, max=256, help="Threads that decode one read.")]
Queue = Annotated[int, typer.Option("--queue", min=1, max=1024, help="Tiles read ahead of the network.")]
CacheMax = Annotated[
    str, typer.Option("--cachemax", metavar="MB|auto", help="GDAL's cache of decoded blocks in megabytes.")
]
SampleType = Annotated[
    Literal["auto", "uint8", "uint16", "float32"],
    typer.Option(
        "--dtype",
        help="Samples of the result. auto: uint8; where lightness is kept, 16 bits of a source stay if DST holds them.",
    ),
]
Size = Annotated[
    str,
    typer.Option("--size", metavar="N|auto", help="Shorter side at which gray pictures are seen; auto: of training."),
]
UpsampleOption = Annotated[
    Literal["guided", "bilinear"],
    typer.Option("--upsample", help="How their chroma is enlarged: along edges of lightness, or evenly."),
]
MaxPixels = Annotated[
    int, typer.Option("--max-pixels", min=1, metavar="N", help="Refuse larger pictures by what their header says.")
]
MaskKind = Annotated[
    Literal["internal", "alpha", "nodata"], typer.Option("--mask", help="How rasters tell pixels without data.")
]
Compression = Annotated[
    Literal["zstd", "deflate", "lzw", "jpeg", "none"], typer.Option("--compress", help="Compression of rasters.")
]

Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with an interrupted raster; leave out files that are there already.")
]
Level = Annotated[int, typer.Option("--level", help="Effort of zstd (1 to 22) or deflate (1 to 12).")]
BigTiff = Annotated[
    Literal["if_safer", "yes", "no"], typer.Option("--bigtiff", help="64-bit offsets; if_safer: above 2 GB of samples.")
]
Overviews = Annotated[
    Literal["average", "nearest", "none"] | None,
    typer.Option("--overviews", help="Smaller pictures inside the file; average with --cog, else none."),
]
Cog = Annotated[bool, typer.Option("--cog", help="Make a cloud-optimised GeoTIFF.")]
WindowOption = Annotated[
    str | None, typer.Option("--window", metavar="X,Y,W,H", help="Make this part of a raster alone, in pixels.")
]
Bounds = Annotated[
    str | None, typer.Option("--bbox", metavar="L,B,R,T", help="The same in the coordinates of the raster.")
]
AreaOption = Annotated[
    Path | None, typer.Option("--aoi", metavar="FILE", help="GeoJSON; outside its polygons a raster has no data.")
]
MaskHalo = Annotated[
    int, typer.Option("--mask-halo", metavar="K", help="Leave out pixels within K of one without data.")
]
ShardOption = Annotated[
    str | None, typer.Option("--shard", metavar="I/N", help="Make part I of N; --resume assembles them.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS|FILE", help="Make a raster on the workers of this Dask scheduler."),
]
StatsIn = Annotated[
    Path | None, typer.Option("--stats-in", metavar="FILE", help="Statistics of this scene or of its neighbour.")
]
StatsOut = Annotated[
    Path | None, typer.Option("--stats-out", metavar="FILE", help="Write the statistics of the scene.")
]


HintsOption = Annotated[
    Path | None, typer.Option("--hints", metavar="FILE|FOLDER", help="Colour points: .json, .csv or .txt.")
]
ScribblesOption = Annotated[
    Path | None,
    typer.Option("--scribbles", metavar="FILE|FOLDER", help="Strokes on a copy of the gray picture or on a layer."),
]
PaletteOption = Annotated[
    Path | None, typer.Option("--palette", metavar="FILE|FOLDER", help="A picture whose colours are wanted.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what a raster will take (tiles, memory, disk, time); write nothing.")
]


def colorize(
    source: Annotated[
        str, typer.Argument(metavar="SRC", help="A picture, folder, pattern, raster, list of rasters or STAC item.")
    ],
    target: Annotated[Path, typer.Argument(metavar="DST", help="A file, or a folder that mirrors SRC.")],
    weights: Annotated[str, typer.Option("--weights", metavar="FILE|NAME", help="A .safetensors file or run folder.")],
    bands: Bands = None,
    sensor: Sensor = None,
    scale: Annotated[float | None, typer.Option("--scale", help="Physical value = number * scale + offset.")] = None,
    offset: Annotated[float | None, typer.Option("--offset", help="See --scale.")] = None,
    input_range: InputRange = None,
    any_gsd: AnyGsd = False,
    window: WindowOption = None,
    bbox: Bounds = None,
    aoi: AreaOption = None,
    mask_halo: MaskHalo = 0,
    tile: Tile = "auto",
    halo: Halo = "auto",
    seam: SeamOption = "exact",
    batch: Batch = "auto",
    precision: PrecisionOption = "fp32",
    norm_stats: NormStatsOption = "scene",
    block: Annotated[int | None, typer.Option("--block", min=16, max=4096, help="Side of blocks of the file.")] = None,
    dtype: SampleType = "auto",
    size: Size = "auto",
    upsample: UpsampleOption = "guided",
    hints: HintsOption = None,
    scribbles: ScribblesOption = None,
    palette: PaletteOption = None,
    max_pixels: MaxPixels = 10**9,
    mask: MaskKind = "internal",
    compress: Compression = "zstd",
    level: Level = 1,
    bigtiff: BigTiff = "if_safer",
    overviews: Overviews = None,
    cog: Cog = False,
    overwrite: Overwrite = False,
    resume: Resume = False,
    shard: ShardOption = None,
    scheduler: Scheduler = None,
    stats_in: StatsIn = None,
    stats_out: StatsOut = None,
    dry_run: DryRun = False,
    skip_bad: SkipBad = False,
    readers: Readers = 1,
    queue: Queue = 4,
    cachemax: CacheMax = "auto",
    device: Device = "auto",
    threads: Threads = None,
    progress: ProgressOption = "auto",
    debug: Debug = False,
) -> None:
    """Translate a picture, a folder or a raster to RGB; rasters keep grid, coordinates and mask."""
    from nirtrans.inference.device import use_threads
    from nirtrans.inference.forward import NetworkOptions
    from nirtrans.inference.geotiff import Course
    from nirtrans.inference.hints import HintFiles
    from nirtrans.inference.jobs import JobOptions
    from nirtrans.inference.memory import share_heap
    from nirtrans.inference.output_mask import MaskOptions
    from nirtrans.inference.photo import PhotoOptions
    from nirtrans.inference.pictures import PictureOptions
    from nirtrans.inference.raster_plan import TileOptions, parse_part
    from nirtrans.inference.resources import Resources
    from nirtrans.inference.scaling import SourceOptions
    from nirtrans.io.parts import Shard
    from nirtrans.io.raster_form import RasterForm
    from nirtrans.progress import Progress

    share_heap()
    use_threads(threads)
    options = JobOptions(
        source=SourceOptions(parse_bands(bands), sensor, scale, offset, input_range, any_gsd),
        tiling=TileOptions(_number("--tile", tile), _number("--halo", halo), *parse_part(window, bbox), seam=seam),
        network=NetworkOptions(precision, norm_stats),
        form=RasterForm(
            "uint8" if dtype == "auto" else dtype,
            mask,
            compress,
            block_px=block,
            level=level,
            bigtiff=bigtiff,
            overviews=overviews,
            cog=cog,
        ),
        course=Course(
            resume=resume,
            overwrite=overwrite,
            shard=Shard.parse(shard) if shard else None,
            stats_in=stats_in,
            stats_out=stats_out,
            resources=Resources(threads, _number("--batch", batch), queue, readers, _number("--cachemax", cachemax)),
            progress=Progress(progress),
        ),
        mask=MaskOptions(aoi, mask_halo),
        pictures=PictureOptions(
            dtype if dtype in ("uint8", "uint16") else None, max_pixels, PhotoOptions(_number("--size", size), upsample)
        ),
        hints=HintFiles(hints, scribbles, palette),
        skip_bad=skip_bad,
    )
    if dry_run:
        _foretell(source, target, options, weights=weights, device=device)
    else:
        _translate(source, target, options, weights=weights, device=device, scheduler=scheduler)


def _translate(
    source: str, target: Path, options: "JobOptions", *, weights: str, device: str, scheduler: str | None
) -> None:
    """Do what the options say, and tell what was written."""
    from nirtrans.inference.cluster import connected
    from nirtrans.inference.colorizer import load_colorizer
    from nirtrans.inference.job_list import find_jobs, warn_if_fresh
    from nirtrans.inference.jobs import run_job, run_jobs

    course = options.course
    jobs = find_jobs(source, target, overwrite=course.overwrite, resume=course.resume)
    colorizer = load_colorizer(weights, device=device)
    with connected(scheduler, weights=weights, device=device) as cluster:
        options = replace(options, course=replace(course, cluster=cluster))
        if len(jobs) != 1 or Path(source).is_dir():
            count = run_jobs(colorizer, jobs, options)
            typer.echo(f"{target}: {count} written" if jobs else f"{target}: everything is there already")
            return
        if course.resume:
            warn_if_fresh(jobs[0])
        done = run_job(colorizer, jobs[0], options)
    part = course.shard and f"part {course.shard.number}/{course.shard.count} made, --resume assembles them"
    clamped = ""
    if done and done.clamped:
        low, high = done.statistics.input_range
        clamped = f"; {done.clamped:.2%} of the input lay outside {low:.6g} to {high:.6g} and was clamped"
    typer.echo(f"{jobs[0].target}: {part or 'written'}{clamped}")


def _foretell(source: str, target: Path, options: "JobOptions", *, weights: str, device: str) -> None:
    """Tell what each raster will take."""
    from nirtrans.inference.colorizer import load_colorizer
    from nirtrans.inference.job_list import find_jobs
    from nirtrans.inference.jobs import foretell_job

    colorizer = load_colorizer(weights, device=device)
    for job in find_jobs(source, target, overwrite=options.course.overwrite, resume=options.course.resume):
        typer.echo(f"{job.target}, not written\n{foretell_job(colorizer, job, options).text()}")


def _number(flag: str, text: str) -> int | None:
    """Read a whole number; None for auto."""
    from nirtrans.errors import InputError

    if text == "auto":
        return None
    if not text.isdecimal() or int(text) > 10**6:
        raise InputError(f"{flag} expects auto or a whole number up to 1000000, got {text!r}")
    return int(text)
