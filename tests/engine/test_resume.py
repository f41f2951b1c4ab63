"""Whatever ends a run, resuming it gives the weights, the state and the log of an uninterrupted one, bit for bit."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from nirtrans.errors import Terminated
from tests.engine.runs import assert_same, metrics, state_tensors, stop_after, train
from tests.engine.systems import make_run

ROOT = Path(__file__).parents[2]
Whole = Callable[..., Path]


def assert_equal_runs(out: Path, whole: Path) -> None:
    assert_same(state_tensors(out), state_tensors(whole))
    for name in ("best.safetensors", "last.safetensors"):
        assert_same(load_file(out / name), load_file(whole / name))
    assert metrics(out) == metrics(whole)


@pytest.mark.parametrize("step", [1, 2, 5, 8, 11])
def test_ctrl_c_at_any_step(tmp_path: Path, uninterrupted: Whole, step: int) -> None:
    run = make_run()
    with pytest.raises(KeyboardInterrupt, match=f"stopped after step {step};.*--resume"):
        train(run, tmp_path, batches=stop_after(run, step, lambda: signal.raise_signal(signal.SIGINT)))
    train(run, tmp_path, resume=True)
    assert_equal_runs(tmp_path, uninterrupted(run))


def test_sigterm(tmp_path: Path, uninterrupted: Whole) -> None:
    run = make_run()
    with pytest.raises(Terminated):
        train(run, tmp_path, batches=stop_after(run, 7, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    train(run, tmp_path, resume=True)
    assert_equal_runs(tmp_path, uninterrupted(run))


def test_signal_handlers_are_put_back(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    train(make_run(steps=1), tmp_path)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    run = make_run()

    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="interrupted twice"):
        train(run, tmp_path, batches=stop_after(run, 6, twice))
    assert [path.name for path in (tmp_path / "state").glob("*")] == ["step-000000004"]


@pytest.mark.parametrize(
    "changes", [{"accumulate": 2}, {"ema": 0.0}, {"precision": "bf16"}, {"clip": 0.1}, {"channels_last": True}]
)
def test_other_settings(tmp_path: Path, uninterrupted: Whole, changes: dict) -> None:
    run = make_run(**changes)
    with pytest.raises(KeyboardInterrupt):
        train(run, tmp_path, batches=stop_after(run, 5, lambda: signal.raise_signal(signal.SIGINT)))
    train(run, tmp_path, resume=True)
    assert_equal_runs(tmp_path, uninterrupted(run))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_critic_with_spectral_norm_and_penalty(tmp_path: Path, uninterrupted: Whole, precision: str) -> None:
    run = make_run(precision=precision)
    with pytest.raises(KeyboardInterrupt):
        train(run, tmp_path, "judged", batches=stop_after(run, 5, lambda: signal.raise_signal(signal.SIGINT)))
    train(run, tmp_path, "judged", resume=True)
    assert_equal_runs(tmp_path, uninterrupted(run, "judged"))


def test_longer_run_equals_one_that_was_long_from_the_start(tmp_path: Path, uninterrupted: Whole) -> None:
    train(make_run(steps=5, schedule_steps=12), tmp_path)
    train(make_run(schedule_steps=12), tmp_path, resume=True)
    assert_same(state_tensors(tmp_path) | {}, state_tensors(uninterrupted(make_run(schedule_steps=12))))


def test_kill_at_random_moments(tmp_path: Path, uninterrupted: Whole) -> None:
    """SIGKILL a process again and again, also while it writes; every time the next one continues."""
    run = make_run(steps=60, state_every=1, validate_every=7)
    command = [sys.executable, "-m", "tests.engine.processes", "kill", str(tmp_path), run.model_dump_json()]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    died = [Path(line).name for line in done.stdout.split()]
    assert len(set(died)) == 6, f"a child was not killed on its way: {died}"
    assert_equal_runs(tmp_path, uninterrupted(run))
