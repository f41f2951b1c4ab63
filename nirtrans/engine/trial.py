"""What is tried before anything is written: whether crops fit networks and losses, whether there are enough of them."""

import copy
import logging
import math
import re
from collections.abc import Mapping

import torch

from nirtrans.config import Run
from nirtrans.data.picture import Collection
from nirtrans.data.sample import Batch
from nirtrans.errors import ConfigError
from nirtrans.losses.fidelity import Fidelity, paired_terms
from nirtrans.models.system import System

logger = logging.getLogger("nirtrans")

ONE_VALUE = re.compile(r"Expected more than 1 (value|spatial element)")
TOO_SMALL = re.compile(r"Kernel size can't be greater|[Pp]adding size should be less|output size is too small")


def try_crop(system: System, run: Run, *, processes: int = 1) -> None:
    """Run blank crops through a copy of a system, as its first step would.

    A copy, because image pools and running statistics remember; with gradients, because some losses take them.

    Args:
        system: On the CPU; it is left as it was.
        run: Size of the crops, batch and its parts.
        processes: Among which the batch is divided.

    Raises:
        ConfigError: If a layer gets a picture that is too small, batch norm a single value, or a loss is not finite.
        InputError: If a network says itself which sizes it takes.
    """
    side, count = run.data.crop_px, run.train.batch // (run.train.accumulate * processes)
    twin = copy.deepcopy(system).train()
    crops = min(count, 2)  # one or several: what batch norm asks
    blank = Batch(torch.zeros(crops, twin.in_channels, side, side), torch.zeros(crops, 3, side, side))
    try:
        with torch.random.fork_rng(devices=[]):
            out = twin.forward_train(blank)
            terms = {phase: twin.losses(phase, blank, out) for phase in twin.phases}
    except (RuntimeError, ValueError) as error:
        raise _in_our_words(error, run, count) or error from None
    for phase, losses in terms.items():
        _refuse_excess({f"{phase}/{name}": float(value.detach()) for name, value in losses.items()})


def _refuse_excess(losses: Mapping[str, float]) -> None:
    for name, value in losses.items():
        if not math.isfinite(value):
            raise ConfigError(
                f"{name} is {value} before the first step; make its weight or the sizes under network smaller"
            )


def _in_our_words(error: Exception, run: Run, count: int) -> ConfigError | None:
    """Tell what torch's message means here; None if it is about something else."""
    said = str(error)
    if ONE_VALUE.search(said):
        return ConfigError(
            f"batch norm gets one value per channel from {count} crop of {run.data.crop_px} px at a time; use a larger "
            "train.batch or data.crop_px, or instance norm (norm under network and under each critic)"
        )
    if TOO_SMALL.search(said):
        return ConfigError(
            f"crops of {run.data.crop_px} px are too small for a network of {run.model}; use a larger data.crop_px, or "
            "fewer halvings or layers under network"
        )
    return None


def warn_of_few(train: Collection, run: Run) -> None:
    """Say so when all pictures to train on together hold less than one batch of crops side by side."""
    pixels = sum(picture.size[0] * picture.size[1] for picture in train.every_target)
    held = pixels // run.data.crop_px**2
    if held < run.train.batch:
        logger.warning(
            "%s: only %d crops of %d px fit side by side into what is there to train on, fewer than train.batch %d; "
            "the networks will learn them by heart: add data",
            *(train.description, held, run.data.crop_px, run.train.batch),
        )


def warn_of_idle(train: Collection, run: Run, system: System) -> None:
    """Say so when unpaired batches of data that are pairs leave out distances to the truth that have a weight."""
    fidelity = getattr(system.params, "fidelity", None)
    idle = paired_terms(fidelity) if isinstance(fidelity, Fidelity) else []
    if idle and train.aligned and run.data.pairing == "unpaired":
        logger.warning(
            "network.fidelity: %s take no part in unpaired batches; --set data.pairing=mixed or =paired uses them",
            ", ".join(idle),
        )
