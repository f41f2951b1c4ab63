"""Finished tiles on disk while a raster is being made: bytes that are only ever appended, and a journal beside them.

A record of the journal follows the bytes that it describes, so that whatever ends the process, what the journal tells
is there. After a power cut it may not be; `reopen` therefore checks every record and goes on from the first bad one.
"""

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType

from nirtrans.errors import InputError, IOFailure
from nirtrans.io.atomic import write_failure

Blocks = Sequence[Sequence[bytes]]
"""Of each image of the file (picture, mask), the compressed blocks of one tile row by row; b"" for absent ones."""
SYNC_BYTES = 64 * 2**20
"""Bytes that a power cut may cost."""


@dataclass(frozen=True)
class Record:
    """One finished tile.

    Attributes:
        tile: Its number in the plan.
        begin: Where its bytes begin.
        lengths: Bytes of its blocks, image by image.
        crc: CRC-32 of its bytes and of all else that is told here.
        facts: What else is to be known of it, such as counts of pixels.
    """

    tile: int
    begin: int
    lengths: tuple[tuple[int, ...], ...]
    crc: int = 0
    facts: Mapping[str, int] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """Where its bytes end."""
        return self.begin + sum(map(sum, self.lengths))

    def checksum(self, payload: bytes) -> int:
        """Return what `crc` must be for these bytes."""
        told = (self.tile, self.begin, self.lengths, sorted(self.facts.items()))
        return zlib.crc32(repr(told).encode(), zlib.crc32(payload))

    def offsets(self) -> Iterator[tuple[tuple[int, int], ...]]:
        """Yield offset and length of the blocks, image by image; absent ones are 0, 0."""
        at = self.begin
        for lengths in self.lengths:
            places = []
            for length in lengths:
                places.append((at, length) if length else (0, 0))
                at += length
            yield tuple(places)


class BlockStore:
    """Append the blocks of tiles to a file, with a journal.

    Args:
        path: The file; the journal is `path` with the suffix .jsonl.
        key: What determines the bytes; a journal of another key is refused.
        head: What the file begins with.
    """

    def __init__(self, path: Path, *, key: str, head: bytes = b"") -> None:
        self.path, self.key, self.head = path, key, head
        self.journal = path.with_suffix(".jsonl")
        self.records: list[Record] = []
        self._unsynced = 0
        try:
            self._lines = self.journal.open("a+b")
            self._lock()
            self._data = path.open("r+b" if path.exists() else "w+b")
            self._reopen()
        except OSError as error:
            raise write_failure(path, error) from error

    def __enter__(self) -> "BlockStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, tile: int, blocks: Blocks, *, name: str = "", **facts: int) -> Record:
        """Write one tile behind the last.

        Args:
            tile: Its number.
            blocks: What it is made of.
            name: What it is called in messages.
            facts: What is to be known of it.

        Raises:
            IOFailure: If the disk is full; the tiles before are kept.
        """
        payload = b"".join(block for image in blocks for block in image)
        lengths = tuple(tuple(len(block) for block in image) for image in blocks)
        record = Record(tile, self.end, lengths, facts=facts)
        record = replace(record, crc=record.checksum(payload))
        try:
            self._data.write(payload)
            self._data.flush()
            self._write_line(asdict(record))
        except OSError as error:
            reason = error.strerror or str(error)
            where = name or f"tile {tile}"
            raise IOFailure(
                f"writing {where} to {self.path} failed: {reason}; free space, then --resume goes on"
            ) from error
        self.records.append(record)
        self._unsynced += len(payload)
        if self._unsynced > SYNC_BYTES:
            self.sync()
        return record

    @property
    def end(self) -> int:
        """Bytes of the file that are good."""
        return self.records[-1].end if self.records else len(self.head)

    def sync(self) -> None:
        """Bring everything to the disk, the bytes before what tells of them."""
        for file in (self._data, self._lines):
            os.fsync(file.fileno())
        self._unsynced = 0

    def close(self) -> None:
        """Release the files; what could not be written was reported when it was appended."""
        for file in (self._data, self._lines):
            with contextlib.suppress(OSError):
                file.close()

    def _lock(self) -> None:
        """Keep other processes out; the system releases the lock with the process, however it ends."""
        try:
            fcntl.flock(self._lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{self.path} is being written by another process; wait for it, or choose another DST"
            ) from None

    def _reopen(self) -> None:
        """Take over what an earlier process has left, up to the first record that is not whole."""
        self._lines.seek(0)
        first, *lines = self._lines.read().splitlines(keepends=True) or [b""]
        if _parsed(first).get("key", self.key) != self.key:
            remedy = "give the same options and files as before, or --overwrite to start anew"
            raise InputError(f"{self.path.parent} belongs to another run; {remedy}")
        good = len(first) if _parsed(first) else 0
        for line in lines:
            record = _record(_parsed(line))
            if record is None or not self._holds(record):
                break
            self.records.append(record)
            good += len(line)
        self._begin(good)

    def _begin(self, good: int) -> None:
        """Cut off what is not whole, and write the head: assembling, when it was interrupted, may have changed it."""
        self._lines.truncate(good)
        self._data.truncate(self.end)
        self._data.seek(0)
        self._data.write(self.head)
        self._data.flush()
        self._data.seek(self.end)
        if not good:
            self._write_line({"key": self.key})

    def _holds(self, record: Record) -> bool:
        if record.begin != self.end or record.end > self._data.seek(0, os.SEEK_END):
            return False
        self._data.seek(record.begin)
        payload = self._data.read(record.end - record.begin)
        return len(payload) == record.end - record.begin and record.checksum(payload) == record.crc

    def _write_line(self, content: Mapping[str, object]) -> None:
        self._lines.write(json.dumps(content).encode() + b"\n")
        self._lines.flush()


def _parsed(line: bytes) -> dict[str, object]:
    """Return what a line of the journal says; nothing if it was cut short."""
    if not line.endswith(b"\n"):
        return {}
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _record(content: Mapping[str, object]) -> Record | None:
    match content:
        case {"tile": int(tile), "begin": int(begin), "lengths": list(lengths), "crc": int(crc), "facts": dict(facts)}:
            if all(isinstance(image, list) and all(map(_is_length, image)) for image in lengths):
                return Record(tile, begin, tuple(map(tuple, lengths)), crc, facts)
    return None


def _is_length(content: object) -> bool:
    return isinstance(content, int) and content >= 0
