"""Several rasters on one pixel grid as one: the files that a list names, later ones over earlier ones.

Where a part is invalid by its own nodata value, mask or alpha band, the parts below it show. Between the parts nothing
is valid.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nirtrans.errors import DataError
from nirtrans.io.geotiff import Raster
from nirtrans.io.transforms import apply, shifted
from nirtrans.io.virtual import Piece, VirtualBand, VirtualRaster, describe, is_remote

OFF_GRID_PX = 1e-3
"""Pixels by which a part may miss the grid of the first, since coordinates are rounded."""
LARGEST_PX = 2**31 - 1
"""Longest side that GDAL knows."""


@dataclass(frozen=True)
class BandFacts:
    """What is told of one band; parts agree in it.

    Attributes:
        dtype: Sample type.
        description: Empty if there is none.
        colour: Colour interpretation.
        scale: Physical value = number * scale + offset.
        offset: See scale.
    """

    dtype: str
    description: str
    colour: str
    scale: float
    offset: float


@dataclass(frozen=True)
class Part:
    """What is told of one file."""

    name: str
    size: tuple[int, int]
    crs: Any
    transform: Any
    bands: tuple[BandFacts, ...]
    masks: tuple[frozenset[str], ...]
    tags: tuple[dict[str, str], ...]

    @property
    def alpha(self) -> int | None:
        """Number of the alpha band."""
        return next((n for n, band in enumerate(self.bands, start=1) if band.colour == "alpha"), None)


def read_mosaic(path: Path) -> VirtualRaster:
    """Join the rasters that a text file names, one path or address per line, relative to the file.

    Raises:
        DataError: If the list is empty or cannot be read, a part cannot be opened, or parts do not fit together.
    """
    parts = [look(name) for name in _listed(path)]
    first = parts[0]
    for part in parts[1:]:
        check_alike(part, first)
    places = [_place(part, first) for part in parts]
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    sides = zip(parts, places, strict=True)
    right, bottom = np.max([np.add(part.size, place) for part, place in sides], axis=0).tolist()
    size = (right - left, bottom - top)
    if max(size) > LARGEST_PX:
        raise DataError(f"{path}: its parts are {size[0]} x {size[1]} px apart; join neighbours alone")
    moved = [(x - left, y - top) for x, y in places]
    bands = [_band(parts, moved, number) for number in range(1, len(first.bands) + 1)]
    transform = shifted(first.transform, left, top)
    return describe(str(path), bands, size=size, crs=first.crs, transform=transform, tags=_common(parts, 0))


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


def look(name: str) -> Part:
    """Open a file and return what is told of it; raises DataError if that fails."""
    with Raster(name, failure=DataError) as raster:
        dataset = raster.dataset
        bands = zip(raster.dtypes, raster.descriptions, raster.colours, dataset.scales, dataset.offsets, strict=True)
        return Part(
            name,
            (raster.width, raster.height),
            raster.crs,
            raster.transform,
            tuple(BandFacts(*facts) for facts in bands),
            tuple(frozenset(flag.name for flag in flags) for flags in dataset.mask_flag_enums),
            tuple(dataset.tags(number) for number in range(raster.count + 1)),
        )


def check_alike(part: Part, first: Part) -> None:
    """Raise DataError if two files differ in anything but place, size and content."""
    asked: dict[str, Callable[[Part], Any]] = {
        "coordinate systems": lambda p: p.crs,
        "numbers of bands": lambda p: len(p.bands),
        "sample types": lambda p: _told(band.dtype for band in p.bands),
        "descriptions of bands": lambda p: _told(band.description for band in p.bands),
        "scales and offsets": lambda p: _told(f"{band.scale:g},{band.offset:g}" for band in p.bands),
        "colour interpretations": lambda p: _told(band.colour for band in p.bands),
    }
    for what, value in asked.items():
        here, there = value(part), value(first)
        if here != there:
            raise DataError(
                f"{part.name} and {first.name} have different {what}: {here} and {there}; one raster needs the same"
            )


def _told(words: Iterator[str]) -> str:
    return "|".join(word or "-" for word in words)


def _place(part: Part, first: Part) -> tuple[int, int]:
    """Return column and row of a part in the pixels of the first."""
    if part.transform.is_identity and part.crs is None:
        raise DataError(f"{part.name}: has no coordinates; a mosaic needs rasters with a transform")
    near, far = (np.array(apply(~first.transform, *apply(part.transform, *at))) for at in ((0, 0), part.size))
    grown = far - near - part.size
    if np.abs(grown).max() > OFF_GRID_PX:
        sizes = " and ".join(f"{p.transform.a:.10g},{p.transform.e:.10g}" for p in (part, first))
        raise DataError(f"{part.name} and {first.name} have different pixels: {sizes}; bring them to one grid first")
    whole = np.rint(near)
    if np.abs(near - whole).max() > OFF_GRID_PX:
        off = "{:.3g} and {:.3g} px".format(*(near - whole))
        raise DataError(f"{part.name} lies {off} off the grid of {first.name}; bring them to one grid first")
    return int(whole[0]), int(whole[1])


def _band(parts: Sequence[Part], places: Sequence[tuple[int, int]], number: int) -> VirtualBand:
    facts = parts[0].bands[number - 1]
    values, masks = [], []
    for part, place in zip(parts, places, strict=True):
        values.append(Piece(part.name, str(number), part.size, place, _shown(part, number)))
        masks.append(_mask(part, place, number))
    return VirtualBand(
        facts.dtype, values, masks, facts.description, facts.colour, facts.scale, facts.offset,
        tags=_common(parts, number),
    )  # fmt: skip


def _shown(part: Part, number: int) -> dict[str, str]:
    """Say which pixels of a part cover those of earlier ones."""
    if number == part.alpha:
        return {"NODATA": "0"}
    return {} if "all_valid" in part.masks[number - 1] else {"UseMaskBand": "true"}


def _mask(part: Part, place: tuple[int, int], number: int) -> Piece:
    """Return the mask of a band of a part; alpha is left to the alpha band, which may be an input."""
    flags = part.masks[number - 1]
    if "alpha" in flags:
        return Piece(part.name, f"mask,{part.alpha}", part.size, place)  # all of it is valid
    options = {} if "all_valid" in flags else {"NODATA": "0"}
    return Piece(part.name, f"mask,{number}", part.size, place, options)


def _common(parts: Sequence[Part], number: int) -> dict[str, str]:
    """Return the tags of a band, or of the file for 0, that all parts have alike."""
    return {
        key: text
        for key, text in parts[0].tags[number].items()
        if all(part.tags[number].get(key) == text for part in parts)
    }
