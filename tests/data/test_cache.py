"""The cache keeps what was used last, within its bytes."""

import os
from pathlib import Path

import numpy as np

from nirtrans.data.cache import PixelCache, stamp


def test_the_oldest_use_leaves_first() -> None:
    cache, loads = PixelCache(max_bytes=20), []

    def get(key: str) -> None:
        cache.get(key, lambda: (loads.append(key), (np.zeros(8, np.uint8), None))[1])

    for key in "abacab":
        get(key)
    assert loads == ["a", "b", "c", "b"]
    assert cache.held_bytes == 16


def test_shrinking_forgets_and_too_large_is_not_kept() -> None:
    cache = PixelCache(max_bytes=100)
    cache.get("a", lambda: (np.zeros(60, np.uint8),))
    cache.resize(50)
    assert cache.held_bytes == 0
    assert cache.get("b", lambda: (np.ones(70, np.uint8),))[0].sum() == 70
    assert cache.held_bytes == 0


def test_a_changed_file_has_another_stamp(tmp_path: Path) -> None:
    path = tmp_path / "a"
    absent = stamp(path)
    path.write_bytes(b"1")
    first = stamp(path)
    os.utime(path, ns=(1, 1))
    assert len({absent, first, stamp(path)}) == 3
