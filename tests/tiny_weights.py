"""Weights files for tests: a tiny network whose colours vary, with statistics of the picture or without."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from nirtrans.config import Preprocessing, Run
from nirtrans.models.build import build_system
from nirtrans.models.halo import probe
from nirtrans.models.weights import ModelInfo, inference_tensors, save_weights

NETWORK = {"width": 4, "blocks": 1, "halvings": 2, "back_width": 2, "back_depth": 3}
CRITICS = {"critic_rgb": {"width": 2}, "critic_nir": {"width": 2}}
FOLDER = TemporaryDirectory()  # removed when the tests end


@cache
def tiny_weights(norm: str = "instance", rule: Preprocessing | None = None, sources: tuple[str, ...] = ()) -> Path:
    """Write weights of a tiny cyclegan-asym for near infrared and return their path; equal arguments, same file."""
    run = Run(
        model="cyclegan-asym", domain="nir", network=NETWORK | CRITICS | {"norm": norm}, data={"sources": sources}
    )
    return _write(run, rule or Preprocessing())


@cache
def gray_weights(model: str = "zhang2016") -> Path:
    """Write weights of a tiny system that colours gray photographs and return their path."""
    data = {"short_side_px": 32, "crop_px": 32}
    return _write(Run(model=model, domain="gray", network={"width": 4}, data=data), Preprocessing(bands=("gray",)))


def _write(run: Run, rule: Preprocessing) -> Path:
    system = build_system(run).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in inference_tensors(system).items():
            if tensor.dim() == 4:  # strong enough for colours to vary over the whole range
                tensor.normal_(std=1.5 / tensor[0].numel() ** 0.5, generator=generator)
            elif name.endswith("running_mean"):
                tensor.normal_(std=0.2, generator=generator)
    reach = probe(system)
    place = {"halo_px": reach.halo_px, "stride_px": reach.stride_px, "bounded": reach.bounded}
    info = ModelInfo(model=run.model, run=run, preprocessing=rule, **place)
    path = Path(FOLDER.name) / str(len(list(Path(FOLDER.name).iterdir()))) / "tiny.safetensors"
    path.parent.mkdir()
    save_weights(path, inference_tensors(system), info)
    return path
