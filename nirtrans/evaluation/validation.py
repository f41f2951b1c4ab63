"""The quick look during training: three metrics over a few aligned pictures."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from nirtrans.data.collection import Collection
from nirtrans.evaluation.metrics import ae, psnr, ssim
from nirtrans.evaluation.view import View
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo

SIDE_PX = 512
LEAST_SPREAD = 1e-3  # below it the targets are grey, and nothing is said of the output's colour
METRICS = {"psnr": psnr, "ssim": ssim, "ae": ae}


def validate(
    system: System,
    collection: Collection,
    *,
    info: ModelInfo,
    device: torch.device | str = "cpu",
    limit: int = 64,
) -> dict[str, float]:
    """Return the mean PSNR, SSIM and angular error over aligned pictures, and the spread of the colours.

    Pictures are cut to their middle 512 px, or shrunk where the system colours shrunk pictures.
    The spread is that of the colours, as a share of the spread in the targets: 1 is as colourful, 0 is one colour.

    Args:
        system: What to judge; its mode and its device are left as they were found.
        collection: The part held out, aligned.
        info: What the weights file of the system would say: how large pictures may be.
        device: Where the system is.
        limit: Most pictures to look at, evenly spread over the collection.

    Returns:
        Metrics by name, means over the pictures on which a metric is defined; empty if there is no aligned picture.
    """
    if not collection.aligned:
        return {}
    scores: dict[str, list[float]] = {name: [] for name in METRICS}
    found_spread, true_spread = 0.0, 0.0
    training = system.training
    system.eval()
    view = View(system, info, torch.device(device))
    for source, target, valid in _samples(view, collection, limit):
        colour = view.colorize(source)
        for name, metric in METRICS.items():
            scores[name].append(metric(colour, target, valid))
        found_spread += colour_spread(colour, valid)
        true_spread += colour_spread(target, valid)
    system.train(training)
    known = {name: [value for value in values if not math.isnan(value)] for name, values in scores.items()}
    means = {name: math.fsum(values) / len(values) for name, values in known.items() if values}
    return means | ({"spread": found_spread / true_spread} if true_spread > LEAST_SPREAD else {})


def colour_spread(rgb: Tensor, valid: Tensor | None = None) -> float:
    """Return the standard deviation of the colours of a picture apart from their brightness; 0 for a single tint.

    Args:
        rgb: [3, h, w], [0, 1].
        valid: [h, w], bool; None means everywhere.

    Example:
        >>> colour_spread(torch.full((3, 2, 2), 0.5))
        0.0
    """
    chroma = (rgb.float() - rgb.float().mean(0)).flatten(1)  # [3, h * w]
    if valid is not None:
        chroma = chroma[:, valid.flatten()]
    return chroma.std(1, correction=0).norm().item() if chroma.numel() else 0.0


def _samples(view: View, collection: Collection, limit: int) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Yield source [C, h, w], target [3, h, w] and validity [h, w] of pictures spread over the collection."""
    count = len(collection.sources)
    for index in sorted({round(place) for place in np.linspace(0, count - 1, min(limit, count))}):
        source, source_valid = view.read(collection.sources[index], SIDE_PX)
        target, target_valid = view.read(collection.targets[index], SIDE_PX)
        masks = [mask for mask in (source_valid, target_valid) if mask is not None]
        yield source, target, torch.stack(masks).all(0) if masks else None
