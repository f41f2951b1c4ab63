"""Compressed blocks of a tiled TIFF: where they stand, taken out of one file and put into another without decoding.

GDAL lays out a file whose blocks are all absent, with every tag in place; blocks that were encoded elsewhere (by other
threads, processes or machines) are appended, and only the two arrays that say where they stand are written anew. Files
are little-endian, classic or BigTIFF, with interleaved bands: as GDAL makes them here.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

WIDTH, HEIGHT, BLOCK_WIDTH, BLOCK_HEIGHT, OFFSETS, LENGTHS = 256, 257, 322, 323, 324, 325
_NUMBERS: dict[int, np.dtype[Any]] = {3: np.dtype("<u2"), 4: np.dtype("<u4"), 16: np.dtype("<u8")}
"""Types of whole numbers, TIFF 6.0 section 2 and BigTIFF."""


@dataclass(frozen=True)
class Array:
    """Whole numbers in a file.

    Attributes:
        at: First byte.
        dtype: Type of one number.
        count: How many.
    """

    at: int
    dtype: np.dtype[Any]
    count: int

    def read(self, file: BinaryIO) -> NDArray[np.int64]:
        """Return the numbers."""
        file.seek(self.at)
        return np.frombuffer(file.read(self.count * self.dtype.itemsize), dtype=self.dtype).astype(np.int64)

    def write(self, file: BinaryIO, numbers: ArrayLike) -> None:
        """Replace the numbers.

        Raises:
            ValueError: If there are not as many, or one is too large for the type.
        """
        given = np.asarray(numbers, dtype=np.int64)
        if given.shape != (self.count,) or (self.count and given.max() > np.iinfo(self.dtype).max):
            raise ValueError(
                f"expected {self.count} numbers of type {self.dtype}, got {given.shape} up to {given.max()}"
            )
        file.seek(self.at)
        file.write(given.astype(self.dtype).tobytes())


@dataclass(frozen=True)
class BlockTable:
    """Where the blocks of one image of a file stand; blocks of length 0 are absent.

    Attributes:
        down: Rows of blocks.
        across: Blocks per row.
        block_px: Height and width of a block.
        offsets: First byte of each block, row by row.
        lengths: Bytes of each block.
    """

    down: int
    across: int
    block_px: tuple[int, int]
    offsets: Array
    lengths: Array

    def read(self, file: BinaryIO) -> list[bytes]:
        """Return the blocks row by row, b"" for those that are absent."""
        return [_read_at(file, *place) for place in zip(self.offsets.read(file), self.lengths.read(file), strict=True)]


def read_tables(file: BinaryIO) -> list[BlockTable]:
    """Return the table of every image in a file in order: picture, mask, overviews.

    Raises:
        ValueError: If it is no little-endian tiled TIFF.
    """
    file.seek(0)
    head = file.read(16)
    if head[:4] not in (b"II*\0", b"II+\0"):
        raise ValueError(f"expected a little-endian TIFF, got {head[:4]!r}")
    form = _BIG if head[2:3] == b"+" else _CLASSIC
    (first,) = struct.unpack_from(form.offset, head, 8 if form is _BIG else 4)
    return [_table(file, fields) for fields in list(_directories(file, form, first))]


class _Form(NamedTuple):
    """Sizes that classic TIFF and BigTIFF differ in."""

    entries: str
    entry: str
    offset: str


_CLASSIC, _BIG = _Form("<H", "<HHI4s", "<I"), _Form("<Q", "<HHQ8s", "<Q")


def _directories(file: BinaryIO, form: _Form, at: int) -> Iterator[dict[int, Array]]:
    """Yield the whole numbers of each directory by tag, following the chain."""
    while at:
        (count,) = struct.unpack(form.entries, _read_at(file, at, struct.calcsize(form.entries)))
        start, size = at + struct.calcsize(form.entries), struct.calcsize(form.entry)
        raw = _read_at(file, start, count * size + struct.calcsize(form.offset))
        fields = {}
        for index in range(count):
            tag, kind, length, inline = struct.unpack_from(form.entry, raw, index * size)
            if kind in _NUMBERS:
                fits = length * _NUMBERS[kind].itemsize <= len(inline)
                place = start + (index + 1) * size - len(inline) if fits else struct.unpack(form.offset, inline)[0]
                fields[tag] = Array(place, _NUMBERS[kind], length)
        yield fields
        (at,) = struct.unpack_from(form.offset, raw, count * size)


def _table(file: BinaryIO, fields: Mapping[int, Array]) -> BlockTable:
    if not {OFFSETS, LENGTHS} <= fields.keys():
        raise ValueError("expected a tiled TIFF, got one in strips")
    sizes = (int(fields[tag].read(file)[0]) for tag in (HEIGHT, WIDTH, BLOCK_HEIGHT, BLOCK_WIDTH))
    height, width, block_height, block_width = sizes
    down, across = -(-height // block_height), -(-width // block_width)
    table = BlockTable(down, across, (block_height, block_width), fields[OFFSETS], fields[LENGTHS])
    if table.offsets.count != down * across:
        raise ValueError(f"expected {down} x {across} blocks of interleaved bands, got {table.offsets.count}")
    return table


def _read_at(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)
