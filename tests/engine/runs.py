"""Train tiny systems, and read what they leave behind."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from nirtrans.config import Run
from nirtrans.data.sample import Batch
from nirtrans.engine.distributed import launch
from nirtrans.engine.trainer import Hooks, Trainer
from nirtrans.models.system import System
from tests.engine.systems import batches, make_sample, make_system


def save(path: Path, tensors: dict[str, Tensor], step: int) -> None:
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, metadata={"step": str(step)})


def validate(system: System) -> dict[str, float]:
    """Score on one picture; draws random numbers, which must not disturb the training."""
    source, target = make_sample(10**6)
    torch.rand(3)
    return {"psnr": -10 * float((system.colorize(source[None]) - target).square().mean().log10())}


def make_trainer(run: Run, out: Path, name: str = "gan", **changes: Any) -> Trainer:
    accelerator = launch(run.train)
    options = {"out": out, "hooks": Hooks(save, validate), "accelerator": accelerator} | changes
    make_batches: Callable[[int], Iterator[Batch]] = options.pop("batches", None) or partial(batches, run)
    return Trainer(run, options.pop("system", None) or make_system(name), make_batches, **options)


def train(run: Run, out: Path, name: str = "gan", *, resume: bool = False, **changes: Any) -> Trainer:
    trainer = make_trainer(run, out, name, **changes)
    if resume:
        trainer.restore()
    trainer.fit()
    return trainer


def stop_after(run: Run, step: int, act: Callable[[], None]) -> Callable[[int], Iterator[Batch]]:
    """Return batches that call `act` while the given step, counted from 1, is running."""

    def make(start: int) -> Iterator[Batch]:
        for number, batch in enumerate(batches(run, start), start=start * run.train.accumulate):
            if number == (step - 1) * run.train.accumulate:
                act()
            yield batch

    return make


def state_tensors(out: Path) -> dict[str, Tensor]:
    (folder,) = (out / "state").glob("step-*")
    return load_file(folder / "shared.safetensors") | load_file(folder / "rank-0.safetensors")


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert not different


def metrics(out: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in ("time_s", "data_wait_s")} for line in lines]
