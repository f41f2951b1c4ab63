"""From the settings of a run to its trained weights: data, system, folder and trainer put together."""

import csv
import io
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor

from nirtrans.config import Run
from nirtrans.data.collection import Collection, open_collection
from nirtrans.data.loader import check_trainable, training_batches, with_pairing
from nirtrans.data.sample import Batch
from nirtrans.domains import find_domain
from nirtrans.engine import run_folder
from nirtrans.engine.colour_prior import learn_prior
from nirtrans.engine.distributed import finish, launch, together
from nirtrans.engine.optimizers import check_phases
from nirtrans.engine.samples import SampleSheet
from nirtrans.engine.trainer import Hooks, Trainer
from nirtrans.engine.trial import check_classes, try_crop, warn_of_few, warn_of_idle, warn_of_penalty
from nirtrans.errors import ConfigError, InputError
from nirtrans.evaluation.validation import validate
from nirtrans.evaluation.view import View
from nirtrans.inference.published import read_state_dict
from nirtrans.io.atomic import write_text
from nirtrans.models.build import build_system, check_pairing, list_models
from nirtrans.models.halo import probe
from nirtrans.models.system import MODELS, System
from nirtrans.models.weights import ModelInfo, fill, read_weights, save_weights
from nirtrans.nn.encoders import load_external
from nirtrans.progress import SILENT, Progress

logger = logging.getLogger("nirtrans")

SAMPLES = 4
SAMPLE_PX = 256
VALIDATED = 24  # pictures per validation


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        run: All settings.
        device: As `resolve_device` returned it.
        out: Folder of the run; None for a fresh runs/MODEL-DOMAIN-N.
        resume: Continue the newest state in `out`.
        overwrite: Replace a run in `out`.
        init_from: Weights file to begin with.
        encoder_weights: State dict of a classifier for the encoder to begin with.
        skip_bad: Leave unreadable files out.
    """

    run: Run
    device: torch.device
    out: Path | None = None
    resume: bool = False
    overwrite: bool = False
    init_from: Path | None = None
    skip_bad: bool = False
    encoder_weights: Path | None = None


def train_run(request: Request, progress: Progress = SILENT) -> Trainer:
    """Train; nothing is written before data, model and settings have been checked.

    Returns:
        The trainer after its last step: `out`, `done`, `best`.

    Raises:
        UserError: If data, settings, weights or the folder cannot be used.
        RunError: As `Trainer.fit` does.
        KeyboardInterrupt: As `Trainer.fit` does.
    """
    run = request.run
    check_memory(run)
    accelerator = launch(run.train, request.device)
    with ExitStack() as ends:
        ends.callback(finish, accelerator)
        collection = open_collection(run.data, run.domain, skip_bad=request.skip_bad)
        run = with_pairing(run, collection)
        request = replace(request, run=run)
        check_trainable(collection.part("train"), run)
        system = _build(request, accelerator.num_processes)
        check_classes(collection.part("train"), system)
        if accelerator.is_main_process:
            warn_of_few(collection.part("train"), run)
            warn_of_idle(collection.part("train"), run, system)
            warn_of_penalty(system)
        if not request.resume:
            shown = progress if accelerator.is_main_process else SILENT
            learn_prior(system, collection.part("train"), run.data, init_from=request.init_from, progress=shown)
        out = _folder(request, collection, accelerator)
        trainer = Trainer(
            run,
            system,
            partial(_batches, collection, run, accelerator),
            out=out,
            hooks=_hooks(run, system, collection, out, accelerator.device),
            accelerator=accelerator,
            progress=progress,
        )
        ends.callback(trainer.close)
        if request.resume:
            trainer.restore()
            together(accelerator, partial(run_folder.write_run, out, run))
        trainer.fit()
    return trainer


def check_memory(run: Run) -> None:
    """Refuse crops and batches whose pixels alone exceed the machine's memory.

    Raises:
        ConfigError: Naming both.
    """
    channels, crops = find_domain(run.domain).in_channels + 3, run.train.batch // run.train.accumulate
    needed = crops * channels * run.data.crop_px**2 * 4  # float32
    present = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > present:
        raise ConfigError(
            f"{crops} crops at once of {run.data.crop_px} px take {needed / 1e9:.0f} GB, this machine has "
            f"{present / 1e9:.0f} GB; make data.crop_px or train.batch smaller, or train.accumulate larger"
        )


def _build(request: Request, processes: int) -> System:
    """Build the system, check that it accepts the crops, and load weights to begin with."""
    run, system = request.run, build_system(request.run)
    check_pairing(run, system)
    check_phases(system, run.train)
    try_crop(system, run, processes=processes, on_cpu=request.device.type == "cpu")
    if request.init_from is not None:
        tensors, info = read_weights(request.init_from)
        fill(system, tensors, origin=f"{request.init_from} of {info.model}")
    if request.encoder_weights is not None:
        _fill_encoder(system, request.encoder_weights, run)
    return system


def _fill_encoder(system: System, path: Path, run: Run) -> None:
    if system.encoder is None:
        able = ", ".join(name for name in list_models(run.domain) if MODELS.find(name).encoder)
        raise InputError(
            f"--encoder-weights: {run.model} as it is set has no encoder that weights of a classifier fit; "
            f"models that have one: {able or 'none'}"
        )
    load_external(system.get_submodule(system.encoder), read_state_dict(path), origin=str(path))


def _folder(request: Request, collection: Collection, accelerator: Accelerator) -> Path:
    """Return the folder of the run, which the main process chooses and creates."""
    chosen = [str(request.out or run_folder.next_folder(request.run))]
    if accelerator.num_processes > 1:
        broadcast_object_list(chosen)
    out = Path(chosen[0])
    if not request.resume:
        together(accelerator, partial(_create, out, request, collection))
    return out


def _create(out: Path, request: Request, collection: Collection) -> None:
    run_folder.check_unused(out, overwrite=request.overwrite)
    run_folder.create(out, request.run)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["id", "scene", "split"])
    rows.writerows(
        sorted({(p.id, p.scene, p.split or "train") for p in (*collection.every_source, *collection.every_target)})
    )
    write_text(out / run_folder.SPLITS, text.getvalue())


def _batches(collection: Collection, run: Run, accelerator: Accelerator, start: int) -> Iterator[Batch]:
    rank, world = accelerator.process_index, accelerator.num_processes
    return training_batches(collection, run, start_step=start, rank=rank, world=world)


def _hooks(run: Run, system: System, collection: Collection, out: Path, device: torch.device) -> Hooks:
    reach = probe(system)
    info = ModelInfo(
        model=run.model,
        run=run,
        preprocessing=collection.preprocessing,
        halo_px=reach.halo_px,
        stride_px=reach.stride_px,
        bounded=reach.bounded,
        classes=collection.part("train").classes if system.classes else (),
        training_data=collection.description,
    )
    held_out = collection.part("val")
    if not held_out.sources or not held_out.aligned:
        logger.warning("no aligned pairs are held out to validate on; best.safetensors will be the newest weights")
        validation = None
    else:
        validation = partial(validate, collection=held_out, info=info, device=device, limit=VALIDATED)
    shown = held_out if held_out.sources else collection.part("train")
    sources, targets = sample_pictures(shown, View(system, info, device))
    return Hooks(
        save_weights=partial(_save_weights, info),
        validate=validation,
        sample=SampleSheet(sources, targets, info=info, folder=out, device=device),
    )


def _save_weights(info: ModelInfo, path: Path, tensors: Mapping[str, Tensor], step: int) -> None:
    save_weights(path, tensors, info.model_copy(update={"step": step}))


def sample_pictures(collection: Collection, view: View) -> tuple[list[Tensor], list[Tensor]]:
    """Return what is seen of a few pictures [C, H, W] spread over a collection, and of their targets if aligned."""
    chosen = np.unique(np.linspace(0, len(collection.sources) - 1, SAMPLES).round().astype(int))
    sources = [collection.sources[index] for index in chosen]
    targets = [collection.targets[index] for index in chosen] if collection.aligned else []
    side = min(SAMPLE_PX, *(min(picture.size) for picture in sources))
    return [view.read(picture, side)[0] for picture in sources], [view.read(picture, side)[0] for picture in targets]
