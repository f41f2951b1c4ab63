"""What a user may name as a raster beside files: a list of files that make up a mosaic."""

from pathlib import Path

from nirtrans.io.mosaic import read_mosaic
from nirtrans.io.virtual import VirtualRaster

LIST_SUFFIX = ".txt"


def find_source(name: str) -> str | VirtualRaster:
    """Return what is to be opened for a name: `tiles.txt` and `@tiles` name lists, all else is opened as it is.

    Raises:
        DataError: If the list or its rasters cannot be used.
    """
    if is_list(name):
        return read_mosaic(Path(name.removeprefix("@")).expanduser())
    return name


def is_list(name: str) -> bool:
    """Tell whether a name is that of a list of rasters."""
    return name.startswith("@") or (name.lower().endswith(LIST_SUFFIX) and "://" not in name)
