"""What the rasters are coloured with: networks that cost nothing, and a small one with fresh weights."""

import time
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from nirtrans.config import Preprocessing, Run, Settings
from nirtrans.config_files import resolve_run
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.device import resolve_device
from nirtrans.models.build import build_system
from nirtrans.models.halo import probe
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo, inference_tensors, save_weights

GREY, TINT = "grey", "tint"
HALO_PX, STRIDE_PX = 32, 4
"""Of networks that cost nothing: they read as much as a small one with a halo."""
RULE = Preprocessing(kind="raster", units="percentile")
SMALL_CONFIG = "cyclegan-asym-small"


TINTS = (1.0, 0.8, 0.6)
"""Red, green and blue of white; noise then differs between them, as in true colours, and compresses no better."""


class Grey(System):
    """Show the band as grey, after a pause in which no processor works, as while a GPU computes."""

    phases = {}
    inference = ()
    domains = frozenset({"nir"})
    paper = "none"

    def __init__(self, pause_s_per_px: float = 0.0) -> None:
        super().__init__(Settings(), in_channels=1)
        self.pause_s_per_px = pause_s_per_px
        self._device = Lock()  # which serves one thread at a time

    def colorize(self, source: Tensor) -> Tensor:
        """[N, 1, H, W] -> [N, 3, H, W], views."""
        if self.pause_s_per_px:
            with self._device:
                time.sleep(self.pause_s_per_px * source.numel())
        return source.expand(-1, 3, -1, -1)


class Tint(Grey):
    """Show the band as shades of one colour."""

    def colorize(self, source: Tensor) -> Tensor:
        """[N, 1, H, W] -> [N, 3, H, W]."""
        return source * source.new_tensor(TINTS)[:, None, None]


def pausing(s_per_px: float) -> str:
    """Return the name of a network that costs nothing but time."""
    return f"{GREY}:{s_per_px!r}"


def open_network(name: str, device: str) -> Colorizer:
    """Open the grey network, one that pauses, the tinting one, or a weights file."""
    kind, _, pause = name.partition(":")
    if kind not in (GREY, TINT):
        return load_colorizer(name, device=device)
    info = ModelInfo(
        model=kind, run=Run(model=kind, domain="nir"), preprocessing=RULE, halo_px=HALO_PX, stride_px=STRIDE_PX
    )
    system = Tint() if kind == TINT else Grey(float(pause or 0))
    return Colorizer(system, info, device=resolve_device(device), digest=kind)


def write_small_weights(path: Path, network: dict[str, int] | None = None) -> Path:
    """Write fresh weights of the smallest preset, with batch norm: tiles then need no statistics of the scene.

    Args:
        path: Target.
        network: Changes of the preset's sizes.
    """
    torch.manual_seed(0)
    run = resolve_run(SMALL_CONFIG, flags={"network": {"norm": "batch", **(network or {})}})
    system = build_system(run).eval()
    reach = probe(system)
    info = ModelInfo(
        model=run.model,
        run=run,
        preprocessing=RULE,
        halo_px=reach.halo_px,
        stride_px=reach.stride_px,
        bounded=reach.bounded,
    )
    save_weights(path, inference_tensors(system), info)
    return path
