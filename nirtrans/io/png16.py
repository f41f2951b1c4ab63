"""Encode PNG of 16 bits per sample, which Pillow cannot write in colour; profile and EXIF go with it.

Source: PNG specification, third edition, chunks IHDR, iCCP, eXIf, IDAT and IEND.
"""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}
_FILTER_UP = 2


def write_png16(path: Path, stack: NDArray[np.uint16], *, icc: bytes | None = None, exif: bytes | None = None) -> None:
    """Write [H, W, channels], uint16: gray, gray and alpha, RGB, or RGB and alpha."""
    height, width, channels = stack.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPE[channels], 0, 0, 0)
    with path.open("wb") as file:
        file.write(SIGNATURE)
        file.write(_chunk(b"IHDR", header))
        if icc:
            file.write(_chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc)))
        if exif:
            file.write(_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")))
        file.write(_chunk(b"IDAT", zlib.compress(_filtered(stack), 6)))
        file.write(_chunk(b"IEND", b""))


def _filtered(stack: NDArray[Any]) -> bytes:
    """Replace every row by its bytewise difference to the row above, marked as filter type 2."""
    rows = np.ascontiguousarray(stack, dtype=">u2").view(np.uint8).reshape(stack.shape[0], -1)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    marks = np.full((len(rows), 1), _FILTER_UP, dtype=np.uint8)
    return np.hstack([marks, rows - above]).tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
