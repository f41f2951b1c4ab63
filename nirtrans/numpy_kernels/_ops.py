"""Load the compiled module, and decide how many threads a call gets."""

import importlib
import os

try:
    ops = importlib.import_module("nirtrans._numpy_ops")
except ImportError as error:
    raise ImportError(
        f"nirtrans.numpy_kernels needs its compiled module ({error}); run `make build` "
        "(or `python setup.py build_ext --inplace`) with a C++ compiler installed"
    ) from error

# Below this many pixels per thread, starting one costs more than it saves.
GRAIN_PX = 8192


def thread_count(threads: int | None, pixels: int, operator: str, *, grain: int = GRAIN_PX) -> int:
    """Return `threads`, or as many as the process may use and `pixels` in parts of `grain` keep busy if None.

    Raises:
        TypeError: If threads is no int.
        ValueError: If it is less than 1.
    """
    if threads is None:
        return max(1, min(len(os.sched_getaffinity(0)), pixels // grain))
    if not isinstance(threads, int):
        raise TypeError(f"{operator}: expected an int as threads, got {type(threads).__name__}")
    if threads < 1:
        raise ValueError(f"{operator}: expected at least 1 thread, got {threads}; leave it out to use all")
    return threads
