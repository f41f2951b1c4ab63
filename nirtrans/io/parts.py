"""The folder `DST.parts` that a raster grows in: found again by `--resume`, gone when the raster is complete."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nirtrans.errors import InputError
from nirtrans.io.assembly import assemble
from nirtrans.io.atomic import make_folder, write_failure
from nirtrans.io.block_store import BlockStore
from nirtrans.io.geotiff import Window


def parts_folder(target: Path) -> Path:
    """Return where the parts of a raster lie while it is made."""
    return target.with_name(f"{target.name}.parts")


@contextmanager
def open_store(target: Path, *, key: str, head: bytes, resume: bool) -> Iterator[BlockStore]:
    """Open what a raster grows in; if it breaks off, what was done is kept.

    Args:
        target: The raster to be.
        key: What determines its bytes.
        head: What it begins with.
        resume: Go on with what an earlier run has left, if anything.

    Raises:
        InputError: If it cannot be written, an earlier run has left something and `resume` is off, or it was another.
        IOFailure: If the disk is full.
    """
    folder = parts_folder(target)
    if folder.exists() and not resume:
        raise InputError(f"{folder} holds an interrupted run; give --resume to go on, or --overwrite to start anew")
    make_folder(target.parent)
    make_folder(folder)
    store = BlockStore(folder / "1-of-1.tif", key=key, head=head)
    try:
        yield store
    finally:
        store.close()
        if not store.records:
            discard(target)


def discard(target: Path) -> None:
    """Throw away what earlier runs have left."""
    shutil.rmtree(parts_folder(target), ignore_errors=True)


def finish(store: BlockStore, windows: Mapping[int, Window], target: Path) -> None:
    """Assemble the raster and put it under its name.

    Raises:
        IOFailure: If the disk is full; what is there can be resumed.
    """
    store.close()
    path = assemble([store], windows)
    try:
        path.replace(target)
    except OSError as error:
        raise write_failure(target, error) from error
    discard(target)
