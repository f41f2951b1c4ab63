"""The training state on disk: complete or absent, whatever kills the process.

    RUN/state/step-000000500/state.json           step, processes, best metric, sums of the losses since the last line
                            /shared.safetensors   weights, optimizers and moving average, equal on all ranks
                            /rank-0.safetensors   what each rank has of its own: buffers, image pools, random states

A state is written to a hidden folder, flushed to disk and renamed; only then are older states removed. The folder with
the highest step is therefore always a complete one. Nothing is pickled.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from accelerate import Accelerator
from pydantic import ConfigDict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from nirtrans.config import NonNegativeInt, PositiveInt, Settings
from nirtrans.config_files import validate
from nirtrans.engine.distributed import together
from nirtrans.errors import CheckpointError
from nirtrans.io.atomic import write_failure

FOLDER = "state"
_COMPLETE = re.compile(r"step-(\d{9})")


class StateInfo(Settings):
    """What `state.json` holds."""

    model_config = ConfigDict(allow_inf_nan=True, ser_json_inf_nan="strings")

    version: Literal[1] = 1
    """Format of the folder."""
    step: NonNegativeInt
    """Steps done."""
    processes: PositiveInt
    """Ranks that wrote the state."""
    elapsed_s: float
    """Seconds of training so far, over all interruptions."""
    best: float | None = None
    """Best validation metric so far."""
    sums: dict[str, tuple[float, int]] = {}
    """Sum and count of each loss since the last line of metrics.jsonl."""
    scaler: dict[str, float] = {}
    """Loss scale of fp16."""


class State(NamedTuple):
    """Everything that a run needs to continue exactly.

    Attributes:
        info: Numbers.
        shared: Tensors that are equal on all ranks.
        own: Tensors of this rank.
    """

    info: StateInfo
    shared: dict[str, Tensor]
    own: dict[str, Tensor]


def newest_state(run: Path) -> Path | None:
    """Return the folder of the newest complete state of a run, or None."""
    found = [path for path in (run / FOLDER).glob("step-*") if _COMPLETE.fullmatch(path.name)]
    return max(found, default=None)


def write_state(run: Path, state: State, accelerator: Accelerator) -> None:
    """Write a state and remove older ones; a failure leaves the older ones as they are.

    Every process must call this; all write to one file system.

    Raises:
        InputError: If the run's folder is not writable.
        IOFailure: If the disk is full.
    """
    folder = run / FOLDER
    final = folder / f"step-{state.info.step:09d}"
    temporary = folder / f".{final.name}.part"
    try:
        together(accelerator, partial(_clear, temporary))
        together(accelerator, partial(_write_own, temporary, state, accelerator.process_index), everywhere=True)
        together(accelerator, partial(_finish, temporary, final, state))
    except OSError as error:
        if accelerator.is_main_process:
            shutil.rmtree(temporary, ignore_errors=True)
        raise write_failure(final, error) from error


def read_state(path: Path, accelerator: Accelerator) -> State:
    """Read the state of this rank.

    Raises:
        CheckpointError: If a file is missing or damaged, or the number of processes differs.
    """
    try:
        text = (path / "state.json").read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}/state.json cannot be read ({error}); start a new run with --overwrite") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}/state.json: expected a mapping; start a new run with --overwrite")
    info = validate(StateInfo, content, origin=f"{path}/state.json")
    if info.processes != accelerator.num_processes:
        raise CheckpointError(
            f"{path} was written by {info.processes} processes, got {accelerator.num_processes}; "
            f"resume with torchrun --nproc-per-node {info.processes}"
        )
    own = _read_tensors(path / f"rank-{accelerator.process_index}.safetensors")
    return State(info, _read_tensors(path / "shared.safetensors"), own)


def select(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _clear(temporary: Path) -> None:
    temporary.parent.mkdir(parents=True, exist_ok=True)
    for leftover in temporary.parent.glob(".step-*.part"):
        shutil.rmtree(leftover)
    temporary.mkdir()


def _write_own(temporary: Path, state: State, rank: int) -> None:
    _write_tensors(temporary / f"rank-{rank}.safetensors", state.own)


def _finish(temporary: Path, final: Path, state: State) -> None:
    """Complete the folder, let it appear under its name, and remove its predecessors."""
    _write_tensors(temporary / "shared.safetensors", state.shared)
    (temporary / "state.json").write_text(state.info.model_dump_json(indent=2), encoding="utf-8")
    _flush(temporary / "state.json")
    _flush(temporary)
    temporary.rename(final)
    _flush(final.parent)
    for path in final.parent.glob("step-*"):
        if path != final:
            shutil.rmtree(path)


def _write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Stream tensors to a file; a failure that safetensors reports in words becomes an OSError with its number."""
    try:
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, path)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(int(number[1]) if number else 0, os.strerror(int(number[1])) if number else str(error)) from error
    _flush(path)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); start a new run with --overwrite") from None
