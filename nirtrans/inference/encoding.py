"""From the colours of one tile to what the file holds of it; alike in this process and on a worker of a cluster."""

from collections.abc import Mapping

from nirtrans.inference.stream import ColouredTile
from nirtrans.io.block_store import Blocks
from nirtrans.io.geotiff_write import encode_tile
from nirtrans.io.raster_form import RasterForm

Encoded = tuple[Blocks, Mapping[str, int]]
"""The compressed blocks of a tile, and what the journal tells of it: `valid_px`, `outside`, `measured` (of Clamped)."""


def encode(done: ColouredTile, *, form: RasterForm, masked: bool) -> Encoded:
    """Compress one tile; see `nirtrans.io.geotiff_write.encode_tile`."""
    if done.colours is None:
        return (), {"valid_px": 0, **done.clamped._asdict()}
    core = done.tile.core
    count = core.height * core.width if done.valid is None else int(done.valid.sum())
    blocks = encode_tile(done.colours, done.valid, form, masked=masked)
    return blocks, {"valid_px": count, **done.clamped._asdict()}
