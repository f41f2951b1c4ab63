"""What files tell of themselves, and whether they may be joined into one raster."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nirtrans.errors import DataError
from nirtrans.io.geotiff import Raster
from nirtrans.io.transforms import apply

OFF_GRID_PX = 1e-3
"""Pixels by which a part may miss the grid of the first, since coordinates are rounded."""
REMEDY = "bring them to one grid first"


@dataclass(frozen=True)
class BandFacts:
    """What is told of one band.

    Attributes:
        dtype: Sample type.
        description: Empty if there is none.
        colour: Colour interpretation.
        scale: Physical value = number * scale + offset.
        offset: See scale.
        block: Height and width of the blocks.
        nodata: Value of invalid pixels; None if there is none.
        mask: Flags of its mask, as rasterio calls them.
    """

    dtype: str
    description: str
    colour: str
    scale: float
    offset: float
    block: tuple[int, int]
    nodata: float | None
    mask: frozenset[str]


@dataclass(frozen=True)
class RasterFacts:
    """What is told of one file.

    Attributes:
        name: Path or address.
        size: Width and height.
        crs: Coordinate system; None if there is none.
        transform: From pixels to coordinates.
        bands: In the order of the file.
        tags: Of the file, then of each band.
        rpcs: Rational polynomial coefficients; empty if there are none.
    """

    name: str
    size: tuple[int, int]
    crs: Any
    transform: Any
    bands: tuple[BandFacts, ...]
    tags: tuple[dict[str, str], ...]
    rpcs: dict[str, str]

    @property
    def alpha(self) -> int | None:
        """Number of the alpha band."""
        return next((n for n, band in enumerate(self.bands, start=1) if band.colour == "alpha"), None)


def look(name: str) -> RasterFacts:
    """Open a file and return what is told of it; raises DataError if that fails."""
    with Raster(name, failure=DataError) as raster:
        dataset = raster.dataset
        masks = (frozenset(flag.name for flag in flags) for flags in dataset.mask_flag_enums)
        stored = dataset.scales, dataset.offsets, dataset.block_shapes, dataset.nodatavals, masks
        bands = zip(raster.dtypes, raster.descriptions, raster.colours, *stored, strict=True)
        return RasterFacts(
            name,
            (raster.width, raster.height),
            raster.crs,
            raster.transform,
            tuple(BandFacts(*facts) for facts in bands),
            tuple(dataset.tags(number) for number in range(raster.count + 1)),
            dataset.tags(ns="RPC"),
        )


def check_alike(part: RasterFacts, first: RasterFacts) -> None:
    """Raise DataError if two files differ in anything but place, size and content."""
    asked: dict[str, Callable[[RasterFacts], Any]] = {
        "coordinate systems": lambda p: p.crs,
        "numbers of bands": lambda p: len(p.bands),
        "sample types": lambda p: _told(band.dtype for band in p.bands),
        "descriptions of bands": lambda p: _told(band.description for band in p.bands),
        "scales and offsets": lambda p: _told(f"{band.scale},{band.offset}" for band in p.bands),
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


def check_same_pixels(part: RasterFacts, first: RasterFacts) -> None:
    """Raise DataError unless two files cover the same pixels."""
    if part.crs != first.crs:
        raise DataError(f"{part.name} and {first.name} have different coordinate systems: {part.crs} and {first.crs}")
    if part.size != first.size:
        sizes = " and ".join("{} x {} px".format(*p.size) for p in (part, first))
        raise DataError(f"{part.name} and {first.name} have different resolutions: {sizes}; {REMEDY}")
    if part.transform != first.transform and place_on(part, first) != (0, 0):
        raise DataError(f"{part.name} and {first.name} show different places; {REMEDY}")


def place_on(part: RasterFacts, first: RasterFacts) -> tuple[int, int]:
    """Return column and row of a part in the pixels of the first; raises DataError if it lies between them."""
    if part.transform.is_identity and part.crs is None:
        raise DataError(f"{part.name}: has no coordinates; a mosaic needs rasters with a transform")
    near, far = (np.array(apply(~first.transform, *apply(part.transform, *at))) for at in ((0, 0), part.size))
    grown = far - near - part.size
    if np.abs(grown).max() > OFF_GRID_PX:
        sizes = " and ".join(f"{p.transform.a:.10g},{p.transform.e:.10g}" for p in (part, first))
        raise DataError(f"{part.name} and {first.name} have different pixels: {sizes}; {REMEDY}")
    whole = np.rint(near)
    if np.abs(near - whole).max() > OFF_GRID_PX:
        off = "{:.3g} and {:.3g} px".format(*(near - whole))
        raise DataError(f"{part.name} lies {off} off the grid of {first.name}; {REMEDY}")
    return int(whole[0]), int(whole[1])


def common_tags(parts: Sequence[RasterFacts], number: int) -> dict[str, str]:
    """Return the tags of a band, or of the file for 0, that all parts have alike."""
    return {
        key: text
        for key, text in parts[0].tags[number].items()
        if all(part.tags[number].get(key) == text for part in parts)
    }
