"""From what a user names to what is colorized: one file, the files of a folder or of a pattern."""

import glob
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nirtrans.errors import DataError, InputError
from nirtrans.io.geotiff import RASTER_SUFFIXES
from nirtrans.io.images import IMAGE_SUFFIXES
from nirtrans.io.parts import PARTS_SUFFIX, Parts
from nirtrans.io.sources import ITEM_SUFFIX, LIST_SUFFIX, is_list

log = logging.getLogger("nirtrans")
SUFFIXES = {*IMAGE_SUFFIXES, *RASTER_SUFFIXES}
WRITTEN_AS = {".vrt": ".tif", ".jp2": ".tif", LIST_SUFFIX: ".tif", ITEM_SUFFIX: ".tif"}
"""Formats that are read but written as GeoTIFF."""
WILDCARDS = frozenset("*?[")


@dataclass(frozen=True)
class Job:
    """One file to translate.

    Attributes:
        source: A path, or a name that only GDAL opens.
        target: What to write.
    """

    source: str
    target: Path


def find_jobs(source: str, target: Path, *, overwrite: bool = False, resume: bool = False) -> list[Job]:
    """List what is to be done.

    Args:
        source: A file, a folder, a pattern such as `photos/*.png`, a name that GDAL opens (/vsi..., https://...), or
            a list of rasters (tiles.txt or @FILE), or a STAC item (.json).
        target: A file, or for folders and patterns a folder that mirrors the source.
        overwrite: Replace what is there.
        resume: Leave out what is there already.

    Raises:
        DataError: If nothing is found.
        InputError: If the target exists, or is the source.
    """
    jobs = list(_jobs(source, target))
    for job in jobs:
        if _same_file(job.source, job.target):
            raise InputError(f"{job.target} is the source itself; choose another DST")
        if job.target.is_dir():
            raise InputError(f"cannot write {job.target}: it is a folder; choose another DST")
    done = [job for job in jobs if job.target.exists()]
    if done and not (overwrite or resume):
        more = f" and {len(done) - 1} more" if len(done) > 1 else ""
        raise InputError(
            f"{done[0].target}{more} exists; give --overwrite to replace, or --resume to keep what is there"
        )
    return jobs if overwrite else [job for job in jobs if job not in done]


def _jobs(source: str, target: Path) -> Iterator[Job]:
    path = Path(source).expanduser()
    if source.startswith("/vsi") or "://" in source:
        yield Job(source, _into(target, Path(Path(source).name)))
    elif source.startswith("@") and is_list(source):
        yield Job(source, _into(target, Path(source[1:]).with_suffix(LIST_SUFFIX)))
    elif path.is_dir():
        yield from _mirrored(path, sorted(path.rglob("*")), target)
    elif path.exists():
        yield Job(str(path), _into(target, Path(path.name)))
    elif WILDCARDS & set(source):
        root = _fixed_part(path)
        yield from _mirrored(root, [Path(name) for name in sorted(glob.glob(str(path), recursive=True))], target)
    else:
        raise DataError(f"{source}: no such file or folder")


def _into(target: Path, name: Path) -> Path:
    """Place one file: under its own name if the target is a folder, else as the target is called."""
    if target.is_dir():
        target = target / name.with_suffix(WRITTEN_AS.get(name.suffix.lower(), name.suffix))
    if target.suffix.lower() not in SUFFIXES - WRITTEN_AS.keys():
        known = ", ".join(sorted(SUFFIXES - WRITTEN_AS.keys()))
        raise InputError(f"cannot write {target}: the suffix decides the format; use one of {known}")
    return target


def _mirrored(root: Path, paths: Sequence[Path], target: Path) -> Iterator[Job]:
    """Mirror files below `root` under the target; what lies in the target itself is no source."""
    if target.exists() and not target.is_dir():
        raise InputError(f"cannot write into {target}: it is a file; choose a folder, as {root} is one")
    if target.resolve() == root.resolve():
        raise InputError(f"{target} is the source itself; choose another DST")
    files = [path for path in paths if path.suffix.lower() in SUFFIXES and path.is_file()]
    files = [path for path in files if not path.name.startswith(".") and target.resolve() not in path.resolve().parents]
    files = [path for path in files if path.parent.suffix != PARTS_SUFFIX]
    if not files:
        raise DataError(f"{root}: no picture or raster found; expected {', '.join(sorted(SUFFIXES))}")
    taken: dict[Path, Path] = {}
    for path in files:
        suffix = WRITTEN_AS.get(path.suffix.lower(), path.suffix)
        place = (target / path.relative_to(root)).with_suffix(suffix)
        if place in taken:
            raise DataError(f"{path} and {taken[place]} would both become {place}; translate them one by one")
        taken[place] = path
        yield Job(str(path), place)


def warn_if_fresh(job: Job) -> None:
    """Say so when there is nothing to resume."""
    if not Parts(job.target).exist():
        log.warning("%s: no interrupted run is there to resume; starting anew", job.target)


def _fixed_part(pattern: Path) -> Path:
    """Return the folder above the first wildcard."""
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if WILDCARDS & set(part))
    return Path(*parts[:first]) if first else Path()


def _same_file(source: str, target: Path) -> bool:
    return Path(source).exists() and target.exists() and target.samefile(source)
