"""Load the compiled operators once at import, or tell why the pure-torch twins run instead.

`NIRTRANS_NO_COMPILED=1` in the environment leaves the library alone, so that the twins can be tested and compared.
"""

import ctypes
import os
from pathlib import Path
from typing import Any

import torch

from nirtrans import __version__

LIBRARY = Path(__file__).with_name("_torch_ops.so")
BUILD_FAILURE = Path(__file__).with_name("build_failure.txt")
REMEDY = "run `make build` (or `python setup.py build_ext --inplace`) with a C++ compiler installed"


def load(library: Path, build_failure: Path) -> str | None:
    """Register the operators with torch; return None when that worked, otherwise the reason on one line."""
    if os.environ.get("NIRTRANS_NO_COMPILED") == "1":
        return "NIRTRANS_NO_COMPILED=1 is set; unset it to use the compiled kernels"
    if not library.exists():
        return build_failure.read_text().strip() if build_failure.exists() else f"the library is not built; {REMEDY}"
    try:
        torch.ops.load_library(str(library))
    except OSError as error:
        return f"{library.name} does not load with torch {torch.__version__} ({error}); {REMEDY}"
    return None


def _built(what: str) -> list[str]:
    """Ask the library itself, so that the answer cannot differ from what was built."""
    function = getattr(ctypes.CDLL(str(LIBRARY)), f"nirtrans_{what}")
    function.restype = ctypes.c_char_p
    return function().decode().split()


# Constants: torch.compile reads them, but cannot trace the loading.
REASON = load(LIBRARY, BUILD_FAILURE)
CPU_ISA = [] if REASON else _built("cpu_isa")
CUDA_ARCHS = [] if REASON else _built("cuda_archs")
DEVICES = () if REASON else ("cpu", "meta", "cuda") if CUDA_ARCHS else ("cpu", "meta")


def compiled_for(device: torch.device) -> bool:
    """Tell whether the compiled operators can run on this kind of device."""
    return device.type in DEVICES


def build_info() -> dict[str, Any]:
    """Describe the kernels that run.

    Returns:
        compiled (bool), reason (str or None: why not compiled), version, torch, cpu_isa (list of instruction sets
        with a code path of their own), cuda (bool), cuda_archs (list).

    Example:
        >>> sorted(build_info())
        ['compiled', 'cpu_isa', 'cuda', 'cuda_archs', 'reason', 'torch', 'version']
    """
    return {
        "compiled": REASON is None,
        "reason": REASON,
        "version": __version__,
        "torch": torch.__version__,
        "cpu_isa": list(CPU_ISA),
        "cuda": bool(CUDA_ARCHS),
        "cuda_archs": list(CUDA_ARCHS),
    }
