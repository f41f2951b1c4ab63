"""From the colours of one tile to what the file holds of it; alike in this process and on a worker of a cluster."""

from collections.abc import Mapping

from nirtrans.inference.stream import ColouredTile
from nirtrans.io.block_store import Blocks
from nirtrans.io.geotiff_write import encode_tile
from nirtrans.io.raster_form import RasterForm

Encoded = tuple[Blocks, Mapping[str, int]]
"""The compressed blocks of a tile, and what the journal tells of it: `valid_px`."""


def encode(done: ColouredTile, *, form: RasterForm, masked: bool) -> Encoded:
    """Compress one tile; see `nirtrans.io.geotiff_write.encode_tile`."""
    tile, colours, valid = done
    if colours is None:
        return (), {"valid_px": 0}
    count = tile.core.height * tile.core.width if valid is None else int(valid.sum())
    return encode_tile(colours, valid, form, masked=masked), {"valid_px": count}
