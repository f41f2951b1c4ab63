"""How often each colour occurs in the training pictures, told to the layers that weight rare colours up."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from nirtrans.color.bins import AB313, BinSpec
from nirtrans.config import DataSettings
from nirtrans.data.picture import Collection
from nirtrans.data.prior import count_pictures
from nirtrans.data.prior_file import read_prior
from nirtrans.errors import ConfigError
from nirtrans.models.system import System
from nirtrans.nn.heads import BinPrior
from nirtrans.progress import SILENT, Progress

logger = logging.getLogger("nirtrans")

MOST_PICTURES = 2000
MOST_PX = 256**2
"""Pixels counted per picture, so that each weighs about alike."""


def learn_prior(
    system: System,
    train: Collection,
    settings: DataSettings,
    *,
    init_from: Path | None = None,
    progress: Progress = SILENT,
) -> None:
    """Give every `BinPrior` of a system the frequencies of `data.prior`, or of the training pictures.

    Every process counts for itself and comes to the same numbers. Whatever the weights of `--init-from` had learned is
    replaced: losses shall weight the colours that they will see.

    Args:
        system: As it begins a run; one without such layers is left as it is.
        train: What is trained on.
        settings: Names the file.
        init_from: Where the weights are from, to say what is replaced.
        progress: Where to show the counting.

    Raises:
        ConfigError: If a file is named for a system without such layers.
        DataError: If the file or a picture cannot be used.
    """
    layers = [layer for layer in system.modules() if isinstance(layer, BinPrior)]
    if not layers:
        if settings.prior is not None:
            raise ConfigError(f"data.prior is {settings.prior}, but this model has no colour prior; leave it out")
        return
    if settings.prior is not None:
        frequency = read_prior(Path(settings.prior)).tensor()
    else:
        counts = count_pictures(train.every_target, most=MOST_PICTURES, most_px=MOST_PX, progress=progress)
        frequency = counts.prior(train.description).tensor()
    for layer in layers:
        layer.learn(over_bins(frequency, layer.spec))
    if init_from is not None:
        source = settings.prior or "the training pictures"
        logger.warning("the colour prior is that of %s, no longer that of %s", source, init_from)


def over_bins(frequency: Tensor, spec: BinSpec) -> Tensor:
    """Move frequencies of the 313 bins, [313], to the nearest bins of another table, [Q]; the sum stays."""
    places = spec.nearest(AB313.centres.T[None, :, :, None])[0, :, 0]  # [313]
    return torch.zeros(len(spec), dtype=frequency.dtype).index_add(0, places, frequency)
