"""Decoded pixels that are kept in memory, bounded in bytes, oldest use out first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from numpy.typing import NDArray

ArraysT = TypeVar("ArraysT", bound=tuple[NDArray[Any] | None, ...])


class PixelCache:
    """Remember tuples of arrays by key until `max_bytes` are reached.

    Example:
        >>> import numpy as np
        >>> cache = PixelCache(max_bytes=10)
        >>> cache.get("a", lambda: (np.zeros(8, np.uint8),))[0].shape
        (8,)
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self._lock = Lock()  # files are opened by several threads
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[], ArraysT]) -> ArraysT:
        """Return what is held under `key`, or load, keep and return it."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        arrays = load()
        with self._lock:
            if key not in self._entries:
                self._entries[key] = arrays
                self.held_bytes += _bytes(arrays)
                self._evict()
        return arrays

    def resize(self, max_bytes: int) -> None:
        """Set the bound; what no longer fits is forgotten."""
        with self._lock:
            self.max_bytes = max_bytes
            self._evict()

    def _evict(self) -> None:
        while self.held_bytes > self.max_bytes and self._entries:
            _, arrays = self._entries.popitem(last=False)
            self.held_bytes -= _bytes(arrays)


def stamp(path: Path) -> tuple[Path, int, int]:
    """Return a key that changes when a file does; a file that is gone gets one too, and fails when it is decoded."""
    try:
        status = path.stat()
    except OSError:
        return path, 0, 0
    return path, status.st_mtime_ns, status.st_size


def _bytes(arrays: tuple[NDArray[Any] | None, ...]) -> int:
    return sum(array.nbytes for array in arrays if array is not None)


CACHE_BYTES = 256 * 2**20
DECODED = PixelCache(CACHE_BYTES)
"""The cache of this process; loaders divide CACHE_BYTES among their worker processes."""
