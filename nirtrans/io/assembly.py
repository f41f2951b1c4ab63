"""From finished tiles to one GeoTIFF: blocks are copied as they are and the file's tables say where they stand."""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nirtrans.io.atomic import write_failure
from nirtrans.io.block_store import BlockStore, Record
from nirtrans.io.geotiff import Window
from nirtrans.io.tiff_blocks import BlockTable, read_tables


def assemble(stores: Sequence[BlockStore], window_of: Callable[[int], Window]) -> Path:
    """Join the stores of all shards in their first one's file, which then is a complete GeoTIFF.

    Args:
        stores: In order; the first begins with the file as it was laid out, the others with their blocks.
        window_of: Gives the window of a tile by its number.

    Returns:
        The file. A store that is opened on it again takes it back to what it was.

    Raises:
        IOFailure: If the disk is full.
    """
    path = stores[0].path
    try:
        with path.open("r+b") as file:
            file.seek(stores[0].end)
            placed = [(window_of(record.tile), record, 0) for record in stores[0].records]
            for store in stores[1:]:
                shift = file.tell()
                with store.path.open("rb") as part:
                    shutil.copyfileobj(part, file, length=2**22)
                placed += [(window_of(record.tile), record, shift) for record in store.records]
            _fill_tables(file, placed)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise write_failure(path, error) from error
    return path


def _fill_tables(file: BinaryIO, placed: Iterable[tuple[Window, Record, int]]) -> None:
    tables = read_tables(file)
    arrays = [(table.offsets.read(file), table.lengths.read(file)) for table in tables]
    for window, record, shift in placed:
        for table, (offsets, lengths), places in zip(tables, arrays, record.offsets(), strict=False):
            at = _indices(table, window)
            stand, long = np.array(places, dtype=np.int64).T
            offsets[at], lengths[at] = np.where(long > 0, stand + shift, 0), long
    for table, (offsets, lengths) in zip(tables, arrays, strict=True):
        table.offsets.write(file, offsets)
        table.lengths.write(file, lengths)


def _indices(table: BlockTable, window: Window) -> np.ndarray:
    """Return the numbers of the blocks that a window covers, row by row; it begins on a block."""
    top, left, height, width = window
    (block_height, block_width), across = table.block_px, table.across
    rows = top // block_height + np.arange(-(-height // block_height))
    columns = left // block_width + np.arange(-(-width // block_width))
    return (rows[:, None] * across + columns).ravel()
