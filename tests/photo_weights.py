"""Weights file of a tiny system that keeps lightness, for tests of files and commands."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from nirtrans.config import Preprocessing, Run
from nirtrans.models.build import build_system
from nirtrans.models.weights import ModelInfo, inference_tensors, save_weights

FOLDER = TemporaryDirectory()  # removed when the tests end
SHORT_SIDE_PX = 32


@cache
def photo_weights(model: str = "zhang2016", *, bounded: bool = True, **network: object) -> Path:
    """Write weights of a narrow network, as drawn, that sees pictures of 32 px; equal arguments, same file."""
    data = {"crop_px": SHORT_SIDE_PX, "short_side_px": SHORT_SIDE_PX}
    run = Run(model=model, domain="gray", network={"width": 4, "temperature": 0.05} | network, data=data)
    system = build_system(run).eval()
    with torch.no_grad():
        for tensor in inference_tensors(system).values():
            if tensor.dim() == 4:  # strong enough for colours to vary
                tensor.mul_(1.5)
    path = Path(FOLDER.name) / f"{model}-{len(list(Path(FOLDER.name).iterdir()))}.safetensors"
    rule = Preprocessing(bands=("gray",))
    info = ModelInfo(model=model, run=run, preprocessing=rule, halo_px=184, stride_px=8, bounded=bounded)
    save_weights(path, inference_tensors(system), info)
    return path
