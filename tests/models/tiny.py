"""Every model at a size that a test can afford."""

from typing import Any

import torch

from nirtrans.config import Run
from nirtrans.data.sample import Batch
from nirtrans.models import MODELS

NETWORKS: dict[str, dict[str, Any]] = {
    "cyclegan-asym": {
        "width": 4, "blocks": 1, "halvings": 2, "back_width": 4, "back_depth": 4,
        "critic_rgb": {"width": 4, "layers": 4}, "critic_nir": {"width": 4},
    },
    "unit": {"width": 4, "blocks": 2, "critic": {"kind": "multiscale", "width": 4, "layers": 2, "scales": 2}},
    "cut": {"width": 4, "blocks": 1, "taps": [0, 4, 12], "patches": 16, "head_width": 8, "critic": {"width": 4}},
    "nirtrans-base": {"width": 4, "depth": 2, "adversarial": 0.1, "critic": {"width": 4, "layers": 2}},
    "pix2pix": {"width": 4, "depth": 4, "critic": {"width": 4}},
    "cyclegan": {"width": 4, "blocks": 1, "critic_rgb": {"width": 4}, "critic_nir": {"width": 4}},
    "scgan-triplet": {  # under the paper's weights the critic rules the first steps
        "width": 4, "critic_width": 4, "critic_layers": 3, "adversarial": 0.01, "intensity": 2,
    },
    "zhang2016": {"width": 4},
    "ipcv": {"dense_layers": [1, 1, 1], "growth": 4, "width": 4},
    "vidar": {"width": 4, "depth": 2, "blocks": 2},
    "colorcapsnet": {"width": 8, "stride": 9},
    "team-india": {
        "width": 4, "critic_width": 4, "levels": 2, "attention": [1], "batches_per_level": 1, "adversarial": 0.1,
    },
    "pksvision": {"width": 4, "critic_width": 2, "representation": 0},
    "cao2017": {"width": 4, "critic_width": 2, "l1": 10},  # the critic alone does not ask for the true colours
    "zhang2017": {"width": 4},
    "koalarization": {"width": 4, "embedding_size": 3, "classes": 2, "classifier_norm": "group"},
    "iizuka2016": {"width": 4, "global_px": 64, "classes": 2},
    "chromagan": {"width": 4, "norm": "group", "classes": 2, "adversarial": 0.001, "critic": {"width": 4}},
    "resnet-unet": {"encoder": "resnet18", "width": 8, "norm": "none"},
    "sshape": {"width": 8, "halvings": 2, "edge_width": 4, "edges": 0.1},
}  # fmt: skip
SIDE_PX = 32
WHOLE = {"koalarization", "iizuka2016", "chromagan", "vidar", "team-india"}
"""Models whose every pixel may depend on the whole picture: those with attention or a global branch."""


def tiny_run(model: str, *, domain: str | None = None, train: dict[str, Any] | None = None, **network: Any) -> Run:
    """Return a run of `model` with the smallest useful networks; a new model adds its line to NETWORKS.

    The domain is nir unless the model does not accept it, or another is asked for.
    """
    accepted = MODELS.find(model).domains
    domain = domain or ("nir" if "nir" in accepted else min(accepted))
    values = {"model": model, "domain": domain, "network": NETWORKS[model] | network, "train": train or {}}
    return Run.model_validate(values)


def norm_of(model: str, norm: str) -> dict[str, str]:
    """Return the setting that gives a model another norm; nothing for models without a choice."""
    return {"norm": norm} if "norm" in MODELS.find(model).Params.model_fields else {}


def tiny_batch(channels: int, *, paired: bool = True, masked: bool = False, count: int = 2) -> Batch:
    """Return random pictures; masked ones have no data in their right half."""
    shape = (count, 1, SIDE_PX, SIDE_PX)
    target = torch.rand(count, 3, SIDE_PX, SIDE_PX)
    valid = torch.ones(shape, dtype=torch.bool) if masked else None
    if valid is not None:
        valid[..., SIDE_PX // 2 :] = False
    source = target.mean(1, keepdim=True).expand(-1, channels, -1, -1).contiguous()
    return Batch(source, target, valid, paired=paired, extra={"label": torch.arange(count) % 2})
