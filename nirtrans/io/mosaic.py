"""Several rasters on one pixel grid as one: the files that a list names, later ones over earlier ones.

Where a part is invalid by its own nodata value, mask or alpha band, the parts below it show. Between the parts nothing
is valid.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nirtrans.errors import DataError
from nirtrans.io.raster_facts import BandFacts, RasterFacts, check_alike, common_tags, look, place_on
from nirtrans.io.transforms import shifted
from nirtrans.io.virtual import Piece, Place, VirtualBand, VirtualRaster, describe, is_remote

LARGEST_PX = 2**31 - 1
"""Longest side that GDAL knows."""


def read_mosaic(path: Path) -> VirtualRaster:
    """Join the rasters that a text file names, one path or address per line, relative to the file.

    Raises:
        DataError: If the list is empty or cannot be read, a part cannot be opened, or parts do not fit together.
    """
    parts = [look(name) for name in _listed(path)]
    first = parts[0]
    for part in parts[1:]:
        check_alike(part, first)
    places = [place_on(part, first) for part in parts]
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    sides = zip(parts, places, strict=True)
    right, bottom = np.max([np.add(part.size, place) for part, place in sides], axis=0).tolist()
    size = (right - left, bottom - top)
    if max(size) > LARGEST_PX:
        raise DataError(f"{path}: its parts are {size[0]} x {size[1]} px apart; join neighbours alone")
    moved = [(x - left, y - top) for x, y in places]
    bands = [_band(parts, moved, number) for number in range(1, len(first.bands) + 1)]
    transform = shifted(first.transform, left, top)
    return describe(str(path), bands, Place(size, first.crs, transform), common_tags(parts, 0))


def _listed(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as a list of rasters ({error}); give one path per line") from None
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not names:
        raise DataError(f"{path}: names no raster; give one path per line")
    for name in names:
        yield name if is_remote(name) else str(path.parent / Path(name).expanduser())


def _band(parts: Sequence[RasterFacts], places: Sequence[tuple[int, int]], number: int) -> VirtualBand:
    each = [part.bands[number - 1] for part in parts]
    facts, nodata = each[0], _shared_nodata(each)
    values, masks = [], []
    for part, place in zip(parts, places, strict=True):
        options = _shown(part, number) if nodata is None else {"NODATA": repr(nodata)}
        values.append(Piece(part.name, str(number), part.size, place, options))
        masks.append(_mask(part, place, number))
    height, width = (max(band.block[axis] for band in each) for axis in (0, 1))
    return VirtualBand(
        facts.dtype, values, masks if nodata is None else [], facts.description, facts.colour, facts.scale,
        facts.offset, nodata, common_tags(parts, number), (height, width),
    )  # fmt: skip


def _shared_nodata(bands: Sequence[BandFacts]) -> float | None:
    """Return the value that tells invalid pixels in all parts, which reads four times as fast as masks; else None."""
    if any(band.mask != {"nodata"} for band in bands) or len({repr(band.nodata) for band in bands}) > 1:
        return None
    return bands[0].nodata


def _shown(part: RasterFacts, number: int) -> dict[str, str]:
    """Say which pixels of a part cover those of earlier ones; all, where GDAL takes its alpha band for no mask."""
    if number == part.alpha:
        return {"NODATA": "0"} if any("alpha" in band.mask for band in part.bands) else {}
    return {} if "all_valid" in part.bands[number - 1].mask else {"UseMaskBand": "true"}


def _mask(part: RasterFacts, place: tuple[int, int], number: int) -> Piece:
    """Return the mask of a band of a part; alpha is left to the alpha band, which may be an input."""
    flags = part.bands[number - 1].mask
    if "alpha" in flags:
        return Piece(part.name, f"mask,{part.alpha}", part.size, place)  # all of it is valid
    options = {} if "all_valid" in flags else {"NODATA": "0"}
    return Piece(part.name, f"mask,{number}", part.size, place, options)
