"""What is tried before anything is written: whether crops fit networks and losses, whether there are enough of them."""

import copy
import logging
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nirtrans.config import Run
from nirtrans.data.picture import Collection
from nirtrans.data.sample import Batch
from nirtrans.errors import ConfigError
from nirtrans.losses.fidelity import Fidelity, paired_terms
from nirtrans.models.system import System
from nirtrans.nn.discriminators import Critic

logger = logging.getLogger("nirtrans")

ONE_VALUE = re.compile(r"Expected more than 1 (value|spatial element)")
TOO_SMALL = re.compile(r"Kernel size can't be greater|[Pp]adding size should be less|output size is too small")


def try_crop(system: System, run: Run, *, processes: int = 1, on_cpu: bool = False) -> None:
    """Run crops of noise through a copy of a system, as its first step would.

    A copy, because image pools and running statistics remember; with gradients, because some losses take them, and
    because what is kept for them is most of the memory that a step needs.

    Args:
        system: On the CPU; it is left as it was.
        run: Size of the crops, batch and its parts.
        processes: Among which the batch is divided.
        on_cpu: Whether training will be on the CPU, where memory that is lacking kills the process without a word.

    Raises:
        ConfigError: If a layer gets a picture that is too small, batch norm a single value, a loss is not finite, no
            loss has a weight, or a step needs more memory than the machine has.
        InputError: If a network says itself which sizes it takes.
    """
    side, count = run.data.crop_px, run.train.batch // (run.train.accumulate * processes)
    twin = copy.deepcopy(system).train()
    crops = min(count, 2)  # one or several: what batch norm asks
    try:
        with torch.random.fork_rng(devices=[]):
            noise = Batch(torch.rand(crops, twin.in_channels, side, side), torch.rand(crops, 3, side, side))
            kept, terms = _first_step(twin, noise)
    except (RuntimeError, ValueError) as error:
        raise _in_our_words(error, run, count) or error from None
    for phase, losses in terms.items():
        _check_losses(phase, {name: float(value.detach()) for name, value in losses.items()})
    if on_cpu:
        _check_memory(kept * count * processes // crops, run)


def _first_step(system: System, batch: Batch) -> tuple[int, dict[str, dict[str, Tensor]]]:
    """Return the bytes that are kept for gradients, of the largest phase, and the losses of all phases."""
    with _kept_for_gradients() as forward:
        out = system.forward_train(batch)
    terms, largest = {}, 0
    for phase in system.phases:
        with _kept_for_gradients() as own:
            terms[phase] = system.losses(phase, batch, out)
        largest = max(largest, sum((forward | own).values()))
    return largest, terms


@contextmanager
def _kept_for_gradients() -> Iterator[dict[int, int]]:
    """Fill a mapping from each piece of memory that is kept for gradients to its bytes."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield kept


def _check_memory(needed: int, run: Run) -> None:
    """Refuse what is sure to fail: gradients, optimizers and temporary values come on top of `needed`, in bytes."""
    if run.train.precision != "fp32":
        needed //= 2
    present = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > present:
        raise ConfigError(
            f"a step keeps {needed / 1e9:.0f} GB for gradients at train.batch {run.train.batch} and train.accumulate "
            f"{run.train.accumulate}, this machine has {present / 1e9:.0f} GB; make train.batch or data.crop_px "
            "smaller, or train.accumulate larger"
        )


def _check_losses(phase: str, losses: Mapping[str, float]) -> None:
    if not any(losses.values()):
        raise ConfigError(f"no loss of the {phase} has a weight, so it would learn nothing; give one under network")
    for name, value in losses.items():
        if not math.isfinite(value):
            raise ConfigError(
                f"{phase}/{name} is {value} before the first step; make its weight or the sizes under network smaller"
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


def check_classes(train: Collection, system: System) -> None:
    """Refuse a system that learns other classes than the pictures have.

    Raises:
        ConfigError: Naming both numbers.
    """
    found = train.classes
    if not system.classes or system.classes == len(found):
        return
    named = f" ({', '.join(found[:5])}{', ...' if len(found) > 5 else ''})" if found else ""
    remedy = "" if found else "; a column class in scenes.csv or a folder per class names them"
    raise ConfigError(
        f"network.classes is {system.classes}, but the training pictures have {len(found)} classes{named}; "
        f"use --set network.classes={len(found)}{remedy}"
    )


def warn_of_few(train: Collection, run: Run) -> None:
    """Say so when all pictures to train on together hold less than one batch of crops side by side."""
    pixels = sum(picture.size[0] * picture.size[1] for picture in train.every_target)
    held = pixels // run.data.crop_px**2
    if held < run.train.batch:
        logger.warning(
            "%s: what is there to train on holds %d crop(s) of %d px side by side, fewer than train.batch %d; the "
            "networks will learn it by heart: add data",
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


def warn_of_penalty(system: System) -> None:
    """Say so when the gradient penalty, which is that of one picture, meets batch norm, which mixes them."""
    blocks = dict(system.params)
    mixing = [name for name, block in blocks.items() if isinstance(block, Critic) and block.norm == "batch"]
    if blocks.get("gan") == "wgan-gp" and mixing:
        logger.warning(
            "network.%s.norm is batch, under which the penalty of wgan-gp says nothing; use instance, group or none",
            mixing[0],
        )
