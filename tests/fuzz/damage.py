"""Damage to TIFF files: bytes flipped, cut off and repeated; tags, counts, chains and sizes that lie."""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .sources import Rng, chance, pick

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, SAMPLES, ROWS, LENGTHS = (
    256,
    257,
    258,
    259,
    262,
    273,
    277,
    278,
    279,
)
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_LENGTHS = 322, 323, 324, 325
SIZES = (0, 1, 3, 15, 16, 17, 255, 4096, 65535, 65536, 10**6, 2**24, 2**30, 2**31 - 1, 2**31, 2**32 - 1)


class Entry(NamedTuple):
    """One field of a directory: where it stands, and what it says."""

    at: int
    tag: int
    kind: int
    count: int


class Layout(NamedTuple):
    """How a file writes its directories."""

    order: str
    big: bool

    @property
    def entry_bytes(self) -> int:
        """Length of one field."""
        return 20 if self.big else 12

    @property
    def pointer(self) -> str:
        """Format of a position in the file."""
        return self.order + ("Q" if self.big else "I")

    def value_at(self, entry: Entry) -> int:
        """Return where the value of a field, or the position of its values, stands."""
        return entry.at + (12 if self.big else 8)


def layout_of(content: bytes) -> Layout:
    """Return how a file writes its directories."""
    order = "<" if content[:2] == b"II" else ">"
    return Layout(order, struct.unpack(order + "H", content[2:4])[0] == 43)


def directories(content: bytes) -> Iterator[tuple[list[Entry], int]]:
    """Yield the fields of each directory, and where the position of the next one stands."""
    layout = layout_of(content)
    link = 8 if layout.big else 4
    for _ in range(20):
        (at,) = struct.unpack_from(layout.pointer, content, link)
        if not at:
            return
        count_form = layout.order + ("Q" if layout.big else "H")
        (count,) = struct.unpack_from(count_form, content, at)
        if count > len(content):
            raise struct.error("damaged already")
        start = at + struct.calcsize(count_form)
        places = [start + i * layout.entry_bytes for i in range(count)]
        form = layout.order + ("HHQ" if layout.big else "HHI")
        yield (
            [Entry(place, *struct.unpack_from(form, content, place)) for place in places],
            places[-1] + layout.entry_bytes,
        )
        link = places[-1] + layout.entry_bytes


def flip_bytes(content: bytearray, rng: Rng) -> None:
    """Change some bytes anywhere."""
    for at in rng.integers(len(content), size=int(rng.integers(1, 12))):
        content[at] ^= int(rng.integers(1, 256))


def flip_head(content: bytearray, rng: Rng) -> None:
    """Change a byte or two of the first directory."""
    entries, end = next(directories(content))
    for at in rng.integers(entries[0].at - 8, end + 8, size=int(rng.integers(1, 3))):
        if at < len(content):
            content[at] ^= 1 << int(rng.integers(8))


def cut(content: bytearray, rng: Rng) -> None:
    """Cut the end off."""
    del content[int(rng.integers(len(content))) :]


def blank(content: bytearray, rng: Rng) -> None:
    """Overwrite a stretch by zeros or noise."""
    at, length = int(rng.integers(len(content))), int(rng.integers(1, 4000))
    length = min(length, len(content) - at)
    content[at : at + length] = bytes(length) if chance(rng, 0.5) else rng.bytes(length)


def lie_about_size(content: bytearray, rng: Rng) -> None:
    """Change height, width, rows of a strip, or size of a tile to something absurd."""
    tags = (WIDTH, HEIGHT, ROWS, TILE_WIDTH, TILE_HEIGHT)
    for tag in rng.choice(tags, size=2, replace=False):
        _set(content, int(tag), int(pick(rng, SIZES)))


def claim_the_utmost(content: bytearray, rng: Rng) -> None:
    """Claim the largest legal size, with blocks that exist in the corner alone."""
    for tag in (WIDTH, HEIGHT):
        _set(content, tag, int(pick(rng, (10**5, 2**24, 2**31 - 1))))


def lie_about_samples(content: bytearray, rng: Rng) -> None:
    """Change bits, samples, compression or photometric interpretation."""
    tag, few = int(pick(rng, (BITS, SAMPLES, COMPRESSION, PHOTOMETRIC))), (0, 1, 2, 5, 7, 8, 32, 64, 65535, 50000, 8)
    _set(content, tag, int(pick(rng, few)))


def lie_about_blocks(content: bytearray, rng: Rng) -> None:
    """Change where a block stands, or how long it is."""
    layout = layout_of(content)
    entries, _ = next(directories(content))
    for entry in entries:
        if entry.tag in (STRIPS, LENGTHS, TILES, TILE_LENGTHS) and chance(rng, 0.5):
            at = layout.value_at(entry)
            if entry.count > 4:
                (at,) = struct.unpack_from(layout.pointer, content, at)
            form = layout.order + {3: "H", 4: "I", 16: "Q"}[entry.kind]
            at += struct.calcsize(form) * int(rng.integers(entry.count))
            most = 256 ** struct.calcsize(form) - 1
            struct.pack_into(
                form, content, at, int(pick(rng, (0, 1, 8, len(content) - 3, len(content) + 9, most))) & most
            )


def lie_about_a_field(content: bytearray, rng: Rng) -> None:
    """Change tag, type or count of any field of any directory."""
    layout = layout_of(content)
    entry = pick(rng, pick(rng, [entries for entries, _ in directories(content)]))
    offset, form, most = pick(rng, ((0, "H", 2**16), (2, "H", 2**16), (4, "Q" if layout.big else "I", 2**32)))
    value = int(rng.integers(20)) if chance(rng, 0.5) else int(rng.integers(most))
    struct.pack_into(layout.order + form, content, entry.at + offset, value)


def close_a_loop(content: bytearray, rng: Rng) -> None:
    """Let the last directory point to the first, to itself or nowhere."""
    layout = layout_of(content)
    (first,) = struct.unpack_from(layout.pointer, content, 8 if layout.big else 4)
    *_, (entries, link) = directories(content)
    here = entries[0].at - (8 if layout.big else 2)
    struct.pack_into(
        layout.pointer, content, link, int(pick(rng, (first, here, 3, len(content) + 100, len(content) - 1)))
    )


def drop_a_field(content: bytearray, rng: Rng) -> None:
    """Make a field of the first directory unknown."""
    layout = layout_of(content)
    entries, _ = next(directories(content))
    struct.pack_into(layout.order + "H", content, pick(rng, entries).at, 65000)


def _set(content: bytearray, tag: int, value: int) -> None:
    """Write one number in place of a field of the first directory."""
    layout = layout_of(content)
    for entry in next(directories(content))[0]:
        if entry.tag == tag:
            struct.pack_into(layout.order + "H", content, entry.at + 2, 4)
            at, room = layout.value_at(entry), 8 if layout.big else 4
            content[at : at + room] = struct.pack(layout.pointer, min(value, 2**32 - 1))


DAMAGES: tuple[Callable[[bytearray, Rng], None], ...] = (
    flip_bytes, flip_head, flip_head, cut, blank, lie_about_size, claim_the_utmost, lie_about_samples, lie_about_blocks,
    lie_about_a_field, close_a_loop, drop_a_field,
)  # fmt: skip


def damaged(content: bytes, rng: Rng) -> tuple[bytes, str]:
    """Return a file with one or two kinds of damage, and which."""
    kinds = [pick(rng, DAMAGES) for _ in range(1 if chance(rng, 0.8) else 2)]
    broken = bytearray(content)
    for kind in kinds:
        try:
            kind(broken, rng)
        except (struct.error, IndexError, ValueError, StopIteration, KeyError):
            break  # the first damage has left nothing for the second
    return bytes(broken), "+".join(kind.__name__ for kind in kinds)


def numbers(seed: int) -> Rng:
    """Return the generator of a case."""
    return np.random.default_rng([20_24, seed])
