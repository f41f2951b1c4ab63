"""Rasters made of others: bands put together from pieces of files, as GDAL's VRT describes them.

A description is opened by GDAL as it stands, so no file is written, and each thread may open its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

PREFIXES = {
    "http": "/vsicurl/http://",
    "https": "/vsicurl/https://",
    "s3": "/vsis3/",
    "gs": "/vsigs/",
    "az": "/vsiaz/",
    "file": "/",
}
"""What GDAL puts before names at other places."""


class VirtualRaster(NamedTuple):
    """A raster that no file holds.

    Attributes:
        name: What the user called it, for messages.
        description: The VRT.
    """

    name: str
    description: str


@dataclass(frozen=True)
class Piece:
    """A whole band of a file at its place.

    Attributes:
        file: Path or address.
        band: Number from 1, or "mask,N".
        size: Width and height.
        place: Column and row of its corner.
        options: What GDAL is told about pixels that are not to be shown, such as {"NODATA": "0"}.
    """

    file: str
    band: str
    size: tuple[int, int]
    place: tuple[int, int] = (0, 0)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class VirtualBand:
    """A band, later pieces over earlier ones.

    Attributes:
        dtype: Sample type as rasterio calls it.
        pieces: Of its values.
        mask: Pieces of its mask; none if every pixel is valid or `nodata` tells.
        description: Empty if there is none.
        colour: Colour interpretation as rasterio calls it.
        scale: Physical value = number * scale + offset.
        offset: See scale.
        nodata: Value of invalid pixels; None if there is none.
        tags: Tags of the band.
        block: Height and width of the blocks of its files, which decide how it is walked; of sides
            below 32, and for None, GDAL makes its choice.
    """

    dtype: str
    pieces: Sequence[Piece]
    mask: Sequence[Piece] = ()
    description: str = ""
    colour: str = "undefined"
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    block: tuple[int, int] | None = None


@dataclass(frozen=True)
class Place:
    """Where a raster lies.

    Attributes:
        size: Width and height.
        crs: Coordinate system as rasterio gives it; None if there is none.
        transform: Affine transform from pixels to coordinates.
        rpcs: Rational polynomial coefficients as GDAL's tags.
    """

    size: tuple[int, int]
    crs: Any
    transform: Any
    rpcs: Mapping[str, str] = field(default_factory=dict)


def describe(name: str, bands: Iterable[VirtualBand], place: Place, tags: Mapping[str, str]) -> VirtualRaster:
    """Describe a raster of some bands; the name is what the user called it."""
    root = Element("VRTDataset", rasterXSize=str(place.size[0]), rasterYSize=str(place.size[1]))
    if place.crs is not None:
        SubElement(root, "SRS").text = place.crs.to_wkt(version="WKT2_2019")
    t = place.transform
    SubElement(root, "GeoTransform").text = ",".join(map(repr, map(float, (t.c, t.a, t.b, t.f, t.d, t.e))))
    _add_tags(root, tags)
    _add_tags(root, place.rpcs, domain="RPC")
    for number, band in enumerate(bands, start=1):
        _add_band(root, band, number)
    return VirtualRaster(name, tostring(root, encoding="unicode"))


def gdal_name(file: str) -> str:
    """Return the name by which GDAL opens a file from anywhere.

    Example:
        >>> gdal_name("https://example.org/a.tif?key=1")
        '/vsicurl/https://example.org/a.tif?key=1'
    """
    scheme, found, rest = file.partition("://")
    if found and scheme in PREFIXES:
        return PREFIXES[scheme] + rest.lstrip("/")
    return file if file.startswith("/vsi") else str(Path(file).absolute())


def is_remote(file: str) -> bool:
    """Tell whether a name is none of the file system."""
    return file.startswith("/vsi") or bool(urlsplit(file).scheme and "://" in file)


def _add_tags(parent: Element, tags: Mapping[str, str], **domain: str) -> None:
    if tags:
        holder = SubElement(parent, "Metadata", domain)
        for key, text in tags.items():
            SubElement(holder, "MDI", key=key).text = text


def _add_band(root: Element, band: VirtualBand, number: int) -> None:
    node = SubElement(root, "VRTRasterBand", dataType=_gdal_type(band.dtype), band=str(number))
    if band.block is not None:
        node.attrib.update(blockYSize=str(band.block[0]), blockXSize=str(band.block[1]))
    SubElement(node, "Description").text = band.description
    _add_tags(node, band.tags)
    if band.nodata is not None:
        SubElement(node, "NoDataValue").text = repr(float(band.nodata))
    SubElement(node, "ColorInterp").text = band.colour
    SubElement(node, "Offset").text = repr(float(band.offset))
    SubElement(node, "Scale").text = repr(float(band.scale))
    _add_pieces(node, band.pieces)
    if band.mask:
        _add_pieces(SubElement(SubElement(node, "MaskBand"), "VRTRasterBand", dataType="Byte"), band.mask)


def _gdal_type(dtype: str) -> str:
    from rasterio.dtypes import dtype_rev, typename_fwd

    return typename_fwd[dtype_rev[dtype]]


def _add_pieces(parent: Element, pieces: Iterable[Piece]) -> None:
    for piece in pieces:
        node = SubElement(parent, "ComplexSource" if piece.options else "SimpleSource")
        SubElement(node, "SourceFilename", relativeToVRT="0").text = gdal_name(piece.file)
        SubElement(node, "SourceBand").text = piece.band
        for rectangle, place in (("SrcRect", (0, 0)), ("DstRect", piece.place)):
            sides = zip(("xOff", "yOff", "xSize", "ySize"), (*place, *piece.size), strict=True)
            SubElement(node, rectangle, {key: str(number) for key, number in sides})
        for key, text in piece.options.items():
            SubElement(node, key).text = text
