"""Two processes do what one does: gloo on the CPU, through torchrun as a user would start it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from nirtrans.config import Run
from nirtrans.engine.distributed import launch
from nirtrans.errors import CheckpointError, ConfigError
from nirtrans.models import MODELS
from tests.engine.runs import make_trainer, metrics, state_tensors, train
from tests.engine.systems import make_run

ROOT = Path(__file__).parents[2]


def torchrun(action: str, out: Path, run: Run, name: str) -> str:
    """Run two training processes and return what they say on stderr."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, "-m", "tests.engine.processes", action, str(out), run.model_dump_json(), name]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stderr


def distance(one: dict[str, Tensor], other: dict[str, Tensor], prefix: str) -> float:
    """Relative L2 distance of all tensors whose names start with `prefix`."""
    names = [name for name in one if name.startswith(prefix)]
    assert names
    a, b = (torch.cat([tensors[name].double().flatten() for name in names]) for tensors in (one, other))
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("name", ["regressor", "judged"])
def test_two_equal_one(tmp_path: Path, name: str) -> None:
    run = make_run(steps=10, batch=8, accumulate=2, state_every=10)
    for out in ("one", "two"):
        (tmp_path / out).mkdir()
    train(run, tmp_path / "one", name)
    torchrun("train", tmp_path / "two", run, name)
    one, two = state_tensors(tmp_path / "one"), state_tensors(tmp_path / "two")
    assert distance(two, one, "network.") < 1e-5
    assert distance(two, one, "average.") < 1e-5
    for line, expected in zip(metrics(tmp_path / "two"), metrics(tmp_path / "one"), strict=True):
        assert line == pytest.approx(expected, rel=1e-4)


def test_two_resume_exactly_and_skip_together(tmp_path: Path) -> None:
    """Image pools stay each rank's own; NaN on one rank is a skipped step on both, and nobody waits for the other."""
    run = make_run(steps=9, batch=8, precision="bf16", accumulate=2, schedule_steps=9, state_every=5)
    said = torchrun("halves", tmp_path, run, "gan")
    assert said.count("step 3 skipped: generator/l1 was not finite") == 2
    whole, halves = (next((tmp_path / out / "state").glob("step-*")) for out in ("whole", "halves"))
    for file in ("shared.safetensors", "rank-0.safetensors", "rank-1.safetensors"):
        expected, found = load_file(whole / file), load_file(halves / file)
        assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    pools = [load_file(whole / f"rank-{rank}.safetensors")["rest.pool.images"] for rank in (0, 1)]
    assert not torch.equal(*pools)
    with pytest.raises(CheckpointError, match="2 processes, got 1; resume with torchrun"):
        make_trainer(run, tmp_path / "whole").restore()


def test_every_model_stays_in_step(tmp_path: Path) -> None:
    """Wrapped networks wait for every gradient: one unused parameter would end the run."""
    torchrun("models", tmp_path, make_run(steps=4, batch=2, state_every=4), "all")
    assert {folder.name for folder in tmp_path.iterdir()} == set(MODELS.names())


def test_settings_that_cannot_be_launched() -> None:
    with pytest.raises(ValueError, match=r"multiple of train\.accumulate"):
        make_run(batch=3, accumulate=2)
    with pytest.raises(ConfigError, match="fp16 needs a CUDA device"):
        launch(make_run(precision="fp16").train)
