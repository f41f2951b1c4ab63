"""The folder `DST.parts` that a raster grows in: found again by `--resume`, gone when the raster is complete."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from nirtrans.errors import InputError
from nirtrans.io.assembly import assemble
from nirtrans.io.atomic import make_folder, write_failure
from nirtrans.io.block_store import BlockStore
from nirtrans.io.geotiff import Window

PARTS_SUFFIX = ".parts"


@dataclass(frozen=True)
class Shard:
    """One of several parts of a scene that are made by processes of their own.

    Attributes:
        number: From 1.
        count: How many there are.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read I/N; raises InputError if it is not that."""
        found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", text)
        if not found or int(found[1]) > int(found[2]):
            raise InputError(f"--shard expects I/N with I from 1 to N, got {text!r}")
        return cls(int(found[1]), int(found[2]))

    def span(self, tiles: int) -> range:
        """Return the numbers of its tiles, of so many in all."""
        return range((self.number - 1) * tiles // self.count, self.number * tiles // self.count)


class Parts:
    """What is there of a raster before it is complete.

    Args:
        target: The raster to be.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.folder = target.with_name(target.name + PARTS_SUFFIX)
        self.statistics = self.folder / "statistics.json"

    def exist(self) -> bool:
        """Tell whether an earlier run has left something."""
        return self.folder.exists()

    def shard_count(self) -> int:
        """Return among how many shards the parts that are there were divided; 1 if there are none."""
        names = [re.fullmatch(r"\d+-of-(\d+)\.tif", path.name) for path in sorted(self.folder.glob("*.tif"))]
        return max((int(name[1]) for name in names if name), default=1)

    def make_folder(self) -> None:
        """Create the folder; raises InputError if that cannot be done."""
        make_folder(self.target.parent)
        make_folder(self.folder)

    @contextmanager
    def open(self, shard: Shard, *, key: str, head: bytes) -> Iterator[BlockStore]:
        """Open the store of one shard; what was done in it is kept if the block breaks off.

        Args:
            shard: Which one.
            key: What determines its bytes.
            head: What the raster begins with.

        Raises:
            InputError: If it belongs to another run, or another process is writing it.
            IOFailure: If the disk is full.
        """
        self.make_folder()
        store = self._store(shard, key, head)
        try:
            yield store
        finally:
            store.close()
            if not store.records and shard.count == 1:
                self.discard()

    def finish(
        self,
        count: int,
        *,
        key: str,
        head: bytes,
        tiles: int,
        window_of: Callable[[int], Window],
        dress: Callable[[Path], Path],
    ) -> list[BlockStore]:
        """Assemble the raster from all shards and put it under its name.

        Args:
            count: How many shards there are.
            key: What determines the bytes.
            head: What the raster begins with.
            tiles: How many tiles the raster has.
            window_of: Gives the window of a tile by its number.
            dress: Makes what is delivered of the assembled file.

        Raises:
            InputError: If shards are missing or unfinished, naming them.
            IOFailure: If the disk is full; what is there can be resumed.
        """
        shards = [Shard(number, count) for number in range(1, count + 1)]
        with ExitStack() as stack:
            stores = {
                shard: stack.enter_context(self._store(shard, key, head))
                for shard in shards
                if self._path(shard).exists()
            }
            whole = {shard for shard in stores if len(stores[shard].records) == len(shard.span(tiles))}
            missing = ", ".join(str(shard.number) for shard in shards if shard not in whole)
            if missing:
                remedy = f"run each with --shard I/{count}, then --resume"
                raise InputError(f"{self.folder}: parts {missing} of {count} are not finished; {remedy}")
            path = dress(assemble(list(stores.values()), window_of))
        try:
            path.replace(self.target)
        except OSError as error:
            raise write_failure(self.target, error) from error
        self.discard()
        return list(stores.values())

    def discard(self) -> None:
        """Throw away what is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, shard: Shard) -> Path:
        return self.folder / f"{shard.number}-of-{shard.count}.tif"

    def _store(self, shard: Shard, key: str, head: bytes) -> BlockStore:
        return BlockStore(self._path(shard), key=key, head=head if shard.number == 1 else b"")
