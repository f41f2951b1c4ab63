"""Open what GDAL opens, and know again what it was made of."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nirtrans.errors import DataError
from nirtrans.io.gdal import gdal_errors, gdal_reason, reading

if TYPE_CHECKING:
    from rasterio.io import DatasetReader


def open_dataset(path: str, decoders: int) -> "DatasetReader":
    """Open what GDAL opens, with so many threads that decode its blocks.

    Raises:
        DataError: If it is none, or damaged in what describes it.
    """
    import rasterio

    try:
        with reading(decoders):
            dataset = rasterio.open(path)
            _load_metadata(dataset)
            return dataset
    except gdal_errors() as error:
        local = "/vsi" not in path and "://" not in path
        if local and not Path(path).exists():
            raise DataError(f"{path}: no such file; give a raster that exists") from None
        reason = gdal_reason(error)
        raise DataError(f"{path}: cannot be opened as a raster ({reason}); if it is one, copy it again") from None


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
