"""What a user may name as a raster beside files: a list of files that make up a mosaic, a STAC item."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from nirtrans.io.mosaic import read_mosaic
from nirtrans.io.stac import read_item
from nirtrans.io.virtual import VirtualRaster, is_remote

LIST_SUFFIX, ITEM_SUFFIX = ".txt", ".json"


def find_source(name: str, bands: Sequence[str]) -> str | VirtualRaster:
    """Return what is to be opened for a name: `tiles.txt` and `@tiles` name lists, `.json` a STAC item.

    Args:
        name: As the user gives it; all else is opened as it is.
        bands: What is wanted of a STAC item, such as ("nir",).

    Raises:
        DataError: If the list or the item, or the rasters that they name, cannot be used.
    """
    if is_list(name):
        return read_mosaic(Path(name.removeprefix("@")).expanduser())
    return read_item(name, bands) if is_item(name) else name


def is_list(name: str) -> bool:
    """Tell whether a name is that of a list of rasters; files may begin with @ as well."""
    if name.startswith("@") and not Path(name).exists():
        return True
    return name.lower().endswith(LIST_SUFFIX) and not is_remote(name)


def is_item(name: str) -> bool:
    """Tell whether a name is that of a STAC item."""
    return urlsplit(name).path.lower().endswith(ITEM_SUFFIX) and not name.startswith("/vsi")
