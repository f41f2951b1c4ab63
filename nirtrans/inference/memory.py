"""How much memory a network needs per pixel, and how many pixels it may therefore see at once."""

import ctypes
import os
import weakref
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nirtrans.inference.tiling import MIN_STRIDES, round_up
from nirtrans.models.system import System

CPU_SHARE = 1 / 3
CUDA_SHARE = 1 / 2
"""Shares for activations; of the whole memory, not of what is free, so that tiles do not change from run to run."""
ALL_CPU_SHARE = 1 / 2
"""Share for all forward passes that run at the same time."""
CPU_LIMITS = (1 * 2**30, 16 * 2**30)
"""Least and most bytes on the CPU."""
WORKSPACE = 1.5
"""Scratch memory of convolutions over live tensors; 1.4 measured for residual U-Nets of 12 and of 64 channels."""
M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1
"""Parameters of glibc's mallopt."""
HEAP_KEPT_BYTES = 128 * 2**20
"""What the heap keeps although it is free."""
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
PROBE_PX = 64


class _LiveBytes(TorchDispatchMode):
    """Track the bytes of all tensors that operations have made and that are still alive."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._known: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Do without torch's guard against compiling this class, which takes a second to import."""
        return False

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._track(leaf.untyped_storage())
        return result

    def _track(self, storage: torch.UntypedStorage) -> None:
        key, size = storage.data_ptr(), storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._release, key, size)

    def _release(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live -= size


class Activations(NamedTuple):
    """Memory of one forward pass, workspace included.

    Attributes:
        per_px: Bytes for each pixel of the input.
        fixed: Bytes at any size, such as prepared weights.
    """

    per_px: float
    fixed: float

    def of(self, pixels: int) -> float:
        """Return the bytes of a pass over so many pixels."""
        return self.per_px * pixels + self.fixed


def measure_activations(system: System, *, stride_px: int) -> Activations:
    """Measure the peak of live bytes of `colorize` at two sizes, which tells what grows with the picture."""
    small = round_up(max(PROBE_PX, MIN_STRIDES * stride_px), stride_px)
    least, most = _peak_bytes(system, small), _peak_bytes(system, 2 * small)
    per_px = max((most - least) / (3 * small**2), 4 * system.in_channels)
    return Activations(WORKSPACE * per_px, WORKSPACE * max(least - per_px * small**2, 0))


def _peak_bytes(system: System, side: int) -> int:
    """Return the most bytes that a picture of side x side pixels and what is made of it take at once."""
    device = next(system.parameters(), torch.empty(0)).device
    source = torch.zeros(1, system.in_channels, side, side, device=device)
    with torch.no_grad(), _LiveBytes() as tracker:
        system.colorize(source)
    return tracker.peak + source.nbytes


def pixel_budget(activations: Activations, device: torch.device) -> int:
    """Return how many pixels one forward pass may see on this device."""
    if device.type == "cuda":
        bound = CUDA_SHARE * torch.cuda.get_device_properties(device).total_memory
    else:
        least, most = CPU_LIMITS
        bound = min(max(CPU_SHARE * _host_memory(), least), most)
    return max(1, int((bound - activations.fixed) / activations.per_px))


def passes_at_once(bytes_each: float) -> int:
    """Return how many forward passes of so many bytes the CPU's memory holds, at least one."""
    return max(1, int(ALL_CPU_SHARE * _host_memory() / bytes_each))


def _host_memory() -> int:
    """Return the bytes of memory that this process may use: the machine's, or its container's."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    return min(total, int(limit)) if limit.isdecimal() else total


def share_heap() -> None:
    """Let glibc serve all threads of this process from one heap, and keep in it what is freed below 16 MB.

    Arrays of tiles are then used again instead of coming anew from the system, page by page, while the larger ones of
    networks are returned at once instead of being hoarded by each thread: with two threads and a network that costs
    nothing, 490 instead of 530 MB at the peak, 2 instead of 3.5 s of system time per 10^9 pixels. Other C libraries are
    left alone. For programs of our own: it stays so.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, 16 * 2**20)
        mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES)
