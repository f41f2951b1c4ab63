"""Open what GDAL opens, and know again what it was made of."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nirtrans.errors import DataError
from nirtrans.io.gdal import FORGETFUL, gdal_errors, gdal_reason, reading

if TYPE_CHECKING:
    from rasterio.io import DatasetReader


def open_dataset(path: str, decoders: int) -> "DatasetReader":
    """Open what GDAL opens, with so many threads that decode its blocks; remote files are asked for twice.

    Raises:
        DataError: If it is none, or damaged in what describes it.
    """
    try:
        return _open(path, decoders)
    except gdal_errors() as error:
        first = error
    if is_remote(path):
        forget(path)
        with suppress(*gdal_errors()):
            return _open(path, decoders)
    elif not Path(path).exists():
        raise DataError(f"{path}: no such file; give a raster that exists")
    raise DataError(f"{path}: cannot be opened as a raster ({gdal_reason(first)}); if it is one, copy it again")


def is_remote(path: str) -> bool:
    """Tell whether a raster is behind a server, or anything else that only GDAL opens."""
    return "/vsi" in path or "://" in path or path.startswith("<")


def _open(path: str, decoders: int) -> "DatasetReader":
    import rasterio

    with reading(decoders):
        dataset = rasterio.open(path)
        _load_metadata(dataset)
        return dataset


def forget(path: str) -> None:
    """Throw away what GDAL keeps of a remote file: a connection that broke off may have left half of a block."""
    import rasterio

    with suppress(*gdal_errors()), reading(1, **FORGETFUL):
        rasterio.open(path).close()


def files_of(dataset: "DatasetReader", *, seen: set[str]) -> Iterator[str]:
    """Yield what GDAL says that it reads, and look into virtual rasters among it."""
    for name in set(dataset.files) - seen:
        seen.add(name)
        yield name
        if name.lower().endswith(".vrt"):
            with open_dataset(name, decoders=1) as inner:
                yield from files_of(inner, seen=seen)


def stamp(name: str) -> str:
    """Return what changes when a file is replaced: place, size and time of a local one, else its name alone."""
    path = Path(name)
    if not path.is_file():
        return name
    stat = path.stat()
    return f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"


def _load_metadata(dataset: "DatasetReader") -> None:
    """Ask for what GDAL loads late: what it finds damaged would surface at whatever is asked next."""
    _ = dataset.mask_flag_enums, dataset.colorinterp, dataset.tags(), dataset.gcps, dataset.rpcs
