"""Load the compiled operators, or tell why the pure-torch twins run instead.

`NIRTRANS_NO_COMPILED=1` in the environment leaves the library alone, so that the twins can be tested and compared.
"""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

import torch

from nirtrans import __version__

LIBRARY = Path(__file__).with_name("_torch_ops.so")
FAILURE = Path(__file__).with_name("build_failure.txt")
REMEDY = "run `make build` (or `python setup.py build_ext --inplace`) with a C++ compiler installed"


@cache
def failure() -> str | None:
    """Load the library once; return None when that worked, otherwise the reason on one line."""
    if os.environ.get("NIRTRANS_NO_COMPILED") == "1":
        return "NIRTRANS_NO_COMPILED=1 is set; unset it to use the compiled kernels"
    if not LIBRARY.exists():
        return FAILURE.read_text().strip() if FAILURE.exists() else f"the library is not built; {REMEDY}"
    try:
        torch.ops.load_library(str(LIBRARY))
    except OSError as error:
        return f"{LIBRARY.name} does not load with torch {torch.__version__} ({error}); {REMEDY}"
    return None


def compiled_for(device: torch.device) -> bool:
    """Tell whether the compiled operators can run on this kind of device."""
    if failure() is not None:
        return False
    return device.type in ("cpu", "meta") or (device.type == "cuda" and bool(_names("cuda_archs")))


def build_info() -> dict[str, Any]:
    """Describe the kernels that run.

    Returns:
        compiled (bool), reason (str or None: why not compiled), version, torch, cpu_isa (list of instruction sets
        with a code path of their own), cuda (bool), cuda_archs (list).

    Example:
        >>> sorted(build_info())
        ['compiled', 'cpu_isa', 'cuda', 'cuda_archs', 'reason', 'torch', 'version']
    """
    compiled = failure() is None
    archs = _names("cuda_archs") if compiled else []
    return {
        "compiled": compiled,
        "reason": failure(),
        "version": __version__,
        "torch": torch.__version__,
        "cpu_isa": _names("cpu_isa") if compiled else [],
        "cuda": bool(archs),
        "cuda_archs": archs,
    }


@cache
def _names(what: str) -> list[str]:
    """Ask the library itself, so that the answer cannot differ from what was built."""
    function = getattr(ctypes.CDLL(str(LIBRARY)), f"nirtrans_{what}")
    function.restype = ctypes.c_char_p
    return function().decode().split()
