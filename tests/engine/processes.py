"""Training processes for tests: `python -m tests.engine.processes ACTION OUT RUN_AS_JSON [SYSTEM]`, see ACTIONS."""

import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from nirtrans.config import Run
from nirtrans.data.sample import Batch
from nirtrans.engine.checkpoint import newest_state
from nirtrans.engine.distributed import finish, launch
from nirtrans.engine.trainer import Hooks, Trainer
from nirtrans.models import MODELS, build_system
from tests.engine.runs import save, train
from tests.engine.systems import batches
from tests.models.tiny import tiny_batch, tiny_run

KILLS = 6
Poison = Callable[[Iterator[Batch], int, int], Iterator[Batch]]


def unchanged(source: Iterator[Batch], start: int, rank: int) -> Iterator[Batch]:
    return source


def continue_run(out: Path, run: Run, name: str, poison: Poison = unchanged) -> None:
    """Train to the end, from the newest state if there is one; all ranks must end with the same parameters."""
    accelerator = launch(run.train)

    def make_batches(start: int) -> Iterator[Batch]:
        rank, world = accelerator.process_index, accelerator.num_processes
        return poison(batches(run, start, rank=rank, world=world), start * run.train.accumulate, rank)

    resume = newest_state(out) is not None
    trainer = train(run, out, name, resume=resume, batches=make_batches, accelerator=accelerator)
    trainer.close()
    assert_in_step(trainer)


def assert_in_step(trainer: Trainer) -> None:
    """Compare the parameters of all ranks."""
    for name, parameter in trainer.system.named_parameters():
        first = parameter.detach().clone()
        if trainer.accelerator.num_processes > 1:
            torch.distributed.broadcast(first, src=0)
        assert torch.equal(first, parameter), name


def poison_one_rank(source: Iterator[Batch], start: int, rank: int) -> Iterator[Batch]:
    """Put NaN into the fifth micro-batch of rank 1 alone."""
    for number, batch in enumerate(source, start):
        bad = rank == 1 and number == 4
        yield replace(batch, target=batch.target * float("nan")) if bad else batch


def train_whole_and_in_halves(out: Path, run: Run, name: str) -> None:
    """Train once from start to end and once with a stop after step 5; one rank meets NaN in step 3."""
    for folder in ("whole", "halves"):
        (out / folder).mkdir(exist_ok=True)
    half = run.model_copy(update={"train": run.train.model_copy(update={"steps": 5})})
    continue_run(out / "whole", run, name, poison_one_rank)
    continue_run(out / "halves", half, name, poison_one_rank)
    continue_run(out / "halves", run, name, poison_one_rank)


def train_every_model(out: Path, run: Run, name: str) -> None:
    """Train each registered model on random pictures, which differ between the ranks, as do noise and places drawn."""
    accelerator = launch(run.train)
    for model in MODELS.names():
        own = tiny_run(model, train=run.train.model_dump())
        (out / model).mkdir(exist_ok=True)
        system = build_system(own)
        unpaired = "unpaired" in system.pairings

        def random_pictures(
            start: int, channels: int = system.in_channels, unpaired: bool = unpaired
        ) -> Iterator[Batch]:
            for step in itertools.count(start):
                yield tiny_batch(channels, paired=step % 2 == 0 or not unpaired, masked=step % 3 == 0, count=1)

        options = {"system": system, "batches": random_pictures, "accelerator": accelerator, "hooks": Hooks(save)}
        trainer = train(own, out / model, **options)
        trainer.close()
        assert_in_step(trainer)


def kill_again_and_again(out: Path, run: Run, name: str) -> None:
    """Kill children at random moments after their first state, then train to the end; print where they died."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:  # what the first run imports need not be imported by every child
        continue_run(Path(folder), run.model_copy(update={"train": run.train.model_copy(update={"steps": 1})}), name)
    for _ in range(KILLS):
        before = newest_state(out)
        child = os.fork()
        if child == 0:
            continue_run(out, run, name)
            os._exit(0)
        while newest_state(out) == before and os.waitpid(child, os.WNOHANG) == (0, 0):
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.04))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        print(newest_state(out), flush=True)
    continue_run(out, run, name)


ACTIONS = {
    "train": continue_run,
    "halves": train_whole_and_in_halves,
    "kill": kill_again_and_again,
    "models": train_every_model,
}

if __name__ == "__main__":
    action, folder, settings, *rest = sys.argv[1:]
    ACTIONS[action](Path(folder), Run.model_validate_json(settings), *(rest or ["gan"]))
    finish(launch(Run.model_validate_json(settings).train))
    left = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    assert not [name for name in left if "gloo" in name], left  # they would abort the process now and then
