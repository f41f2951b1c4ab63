"""The step itself: accumulation, phases, the NaN guard, milestones, and ends that are no interrupts."""

import errno
import json
import logging
import os
import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from nirtrans.config import Run
from nirtrans.data.sample import Batch
from nirtrans.engine import checkpoint
from nirtrans.engine.step import only_trainable
from nirtrans.engine.trainer import Hooks
from nirtrans.errors import CheckpointError, ConfigError, InputError, IOFailure, NonFiniteLoss, OutOfMemory
from nirtrans.models.system import System
from tests.engine.runs import assert_same, make_trainer, metrics, save, state_tensors, train, validate
from tests.engine.systems import batches, make_run, make_system

Whole = Callable[..., Path]


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    names = [name for name in one if name.startswith("network.")]
    a, b = (torch.cat([tensors[name].double().flatten() for name in names]) for tensors in (one, other))
    return float((a - b).norm() / b.norm())


def test_training_learns(tmp_path: Path) -> None:
    train(make_run(steps=60, optimizer={"lr": 2e-2}, log_every=1), tmp_path, "regressor")
    losses = [line["generator/l2"] for line in metrics(tmp_path)]
    assert losses[-1] < 0.3 * losses[0]


def test_accumulation_equals_the_big_batch(tmp_path: Path) -> None:
    states = []
    for accumulate in (1, 2, 4):
        (tmp_path / str(accumulate)).mkdir()
        train(make_run(accumulate=accumulate), tmp_path / str(accumulate), "regressor")
        states.append(state_tensors(tmp_path / str(accumulate)))
    assert distance(states[1], states[0]) < 1e-5
    assert distance(states[2], states[0]) < 1e-5


def test_step_equals_plain_torch(tmp_path: Path) -> None:
    """Three phases by hand; the rate is constant over the first half of the schedule and falls only after step 1."""
    run = make_run(steps=2, batch=2, phases={"shrink": {"every": 1000}})
    system, twin = make_system("gan"), make_system("gan")
    for model in (system, twin):
        model.generator[1], model.pool.capacity = torch.nn.Identity(), 0
    train(run, tmp_path, system=system)
    adam = {
        name: torch.optim.AdamW(getattr(twin, name).parameters(), lr=5e-3, betas=(0.5, 0.999), weight_decay=0)
        for name in ("generator", "critic")
    }
    source = batches(run, 0)
    for step in range(2):
        batch = next(source)
        out = twin.forward_train(batch)
        for phase in ("generator", "critic") if step else ("generator", "critic", "shrink"):
            network = "generator" if phase == "generator" else "critic"
            twin.zero_grad()
            sum(twin.losses(phase, batch, out).values()).backward()
            adam[network].step()
    found = state_tensors(tmp_path)
    for name, value in twin.named_parameters():
        torch.testing.assert_close(found[f"network.{name}"], value.detach(), rtol=1e-4, atol=1e-5)


def test_only_the_named_networks_are_trainable() -> None:
    system = make_system("gan")
    networks = {"generator": system.generator, "critic": system.critic}
    system.critic[3].bias.requires_grad_(False)
    with only_trainable(networks, ("generator",)):
        assert all(value.requires_grad for value in system.generator.parameters())
        assert not any(value.requires_grad for value in system.critic.parameters())
    assert not system.critic[3].bias.requires_grad
    assert system.critic[0].weight.requires_grad


def test_phases_have_their_own_rate_and_period(tmp_path: Path) -> None:
    run = make_run(steps=4, log_every=1, phases={"critic": {"lr": 1e-30}, "shrink": {"every": 3, "lr": 1e-30}})
    system = make_system("gan")
    before = [value.detach().clone() for value in system.critic.parameters()]
    train(run, tmp_path, system=system)
    torch.testing.assert_close(list(system.critic.parameters()), before, rtol=0, atol=1e-20)
    assert ["shrink/logits" in line for line in metrics(tmp_path)] == [True, False, False, True]


def test_unknown_phase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"train\.phases: discriminator is not a phase of this model; known: critic"):
        make_trainer(make_run(phases={"discriminator": {"lr": 1e-4}}), tmp_path)


def test_clip_limits_the_step(tmp_path: Path) -> None:
    trainer = train(make_run(steps=1, clip=1e-3), tmp_path, "regressor")
    parameters = trainer.stepper.optimizers.parameters["generator"]
    for value in parameters:
        value.grad = torch.ones_like(value)
    assert trainer.stepper.optimizers.clip("generator")
    total = torch.cat([value.grad.flatten() for value in parameters]).norm()
    assert total == pytest.approx(1e-3, rel=1e-3)


def test_channels_last_is_kept_and_changes_nothing_else(tmp_path: Path) -> None:
    for name, channels_last in (("plain", False), ("last", True)):
        (tmp_path / name).mkdir()
        trainer = train(make_run(channels_last=channels_last), tmp_path / name, "regressor")
    weight = trainer.system.generator[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert distance(state_tensors(tmp_path / "last"), state_tensors(tmp_path / "plain")) < 1e-5


def test_compiling_leaves_names_and_copies_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network: compiled.append(network))
    trainer = make_trainer(make_run(compile=True), tmp_path)
    assert compiled == [trainer.stepper.networks["generator"]]
    assert make_trainer(make_run(), tmp_path).snapshot.shared().keys() == trainer.snapshot.shared().keys()
    assert len(compiled) == 1


@pytest.mark.slow
def test_compiled_training_is_the_same_and_resumes_exactly(tmp_path: Path) -> None:
    """Where there is a C++ compiler; takes a minute."""
    for name in ("eager", "whole", "halves"):
        (tmp_path / name).mkdir()
    train(make_run(), tmp_path / "eager", "regressor")
    train(make_run(compile=True), tmp_path / "whole", "regressor")
    train(make_run(compile=True, steps=5, schedule_steps=12), tmp_path / "halves", "regressor")
    train(make_run(compile=True, schedule_steps=12), tmp_path / "halves", "regressor", resume=True)
    assert_same(state_tensors(tmp_path / "halves"), state_tensors(tmp_path / "whole"))
    assert distance(state_tensors(tmp_path / "whole"), state_tensors(tmp_path / "eager")) < 1e-5


# --- the NaN guard ----------------------------------------------------------------------------------------------------


def poisoned(run: Run, steps: set[int], value: float = float("nan")) -> Callable[[int], Iterator[Batch]]:
    """Return batches whose targets are not finite in the given steps, counted from 1."""

    def make(start: int) -> Iterator[Batch]:
        for number, batch in enumerate(batches(run, start), start=start * run.train.accumulate):
            bad = number // run.train.accumulate + 1 in steps
            yield replace(batch, target=torch.full_like(batch.target, value)) if bad else batch

    return make


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_bad_step_is_skipped_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, accumulate: int, value: float
) -> None:
    run = make_run(accumulate=accumulate, steps=6, log_every=1)
    with caplog.at_level(logging.WARNING, "nirtrans"):
        train(run, tmp_path, batches=poisoned(run, {3, 5}, value))
    assert "step 3 skipped: generator/l1 was not finite" in caplog.text
    assert all(value.float().isfinite().all() for value in state_tensors(tmp_path).values())
    assert all(isinstance(value, int | float) for line in metrics(tmp_path) for value in line.values())


def test_too_many_bad_steps_end_the_run(tmp_path: Path) -> None:
    run = make_run(max_nonfinite=3)
    with pytest.raises(
        NonFiniteLoss, match=r"generator/l1 was not finite at step 7.*3 steps in a row.*state of step 4 "
    ):
        train(run, tmp_path, batches=poisoned(run, {2, 3, 5, 6, 7, 8}))
    with pytest.raises(NonFiniteLoss, match="step 12"):
        train(run, tmp_path, batches=poisoned(run, {10, 11, 12}), resume=True)
    assert all(value.float().isfinite().all() for value in state_tensors(tmp_path).values())


def test_a_run_shorter_than_the_limit_fails_when_no_step_was_good(tmp_path: Path) -> None:
    run = make_run(steps=2)
    with pytest.raises(NonFiniteLoss, match=r"at step 2, as in 2 steps in a row"):
        train(run, tmp_path, batches=poisoned(run, {1, 2}))


def test_a_gradient_that_is_not_finite_is_no_step(tmp_path: Path) -> None:
    """The loss sqrt(x) is finite at 0, its gradient is not."""
    system = make_system("regressor")

    def losses(phase: str, batch: Batch, out: dict[str, Any]) -> dict[str, Tensor]:
        return {"root": (0 * out["fake"].sum()).sqrt()}

    system.losses = losses
    with pytest.raises(NonFiniteLoss, match="generator/gradient"):
        train(make_run(), tmp_path, system=system)
    assert all(value.isfinite().all() for value in system.parameters())


# --- milestones -------------------------------------------------------------------------------------------------------


def test_milestones_and_the_last_step(tmp_path: Path) -> None:
    sampled: list[int] = []
    scores = iter([3.0, 5.0, 4.0])
    hooks = Hooks(save, lambda system: {"psnr": next(scores)}, lambda system, step: sampled.append(step))
    trainer = train(make_run(steps=11), tmp_path, hooks=hooks)
    assert sampled == [6, 11]
    lines = metrics(tmp_path)
    assert [line["step"] for line in lines] == [3, 5, 6, 9, 10, 11]
    assert [line["val/psnr"] for line in lines if "val/psnr" in line] == [3.0, 5.0, 4.0]
    assert trainer.best == 5.0
    best, last = (load_file(tmp_path / name) for name in ("best.safetensors", "last.safetensors"))
    assert_same(last, trainer.average.tensors())
    assert not torch.equal(best["generator.0.0.weight"], last["generator.0.0.weight"])
    steps = [safe_open(tmp_path / name, "pt").metadata()["step"] for name in ("best.safetensors", "last.safetensors")]
    assert steps == ["10", "11"], "the steps behind the weights"


def test_angular_error_is_better_when_smaller(tmp_path: Path) -> None:
    scores = iter([3.0, float("nan"), 2.0, 5.0])
    trainer = train(
        make_run(best="ae", validate_every=3), tmp_path, hooks=Hooks(save, lambda system: {"ae": next(scores)})
    )
    assert trainer.best == 2.0


def test_without_validation_the_newest_weights_are_the_best(tmp_path: Path) -> None:
    train(make_run(), tmp_path, hooks=Hooks(save))
    assert_same(load_file(tmp_path / "best.safetensors"), load_file(tmp_path / "last.safetensors"))


def test_validation_sees_the_average_in_evaluation_mode(tmp_path: Path) -> None:
    seen: list[bool] = []

    def look(system: System) -> dict[str, float]:
        seen.append(system.training or system.generator is trainer.stepper.networks["generator"])
        return validate(system)

    trainer = make_trainer(make_run(), tmp_path, hooks=Hooks(save, look))
    trainer.fit()
    assert seen == [False] * 3


# --- bad ends ---------------------------------------------------------------------------------------------------------


def test_a_full_disk_keeps_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: Whole
) -> None:
    run, real = make_run(), checkpoint._write_tensors

    def full(path: Path, tensors: dict[str, Tensor]) -> None:
        if "000000008" in str(path) and path.name.startswith("shared"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, tensors)

    monkeypatch.setattr(checkpoint, "_write_tensors", full)
    with pytest.raises(IOFailure, match="No space left on device"):
        train(run, tmp_path)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["step-000000004"]
    monkeypatch.undo()
    train(run, tmp_path, resume=True)
    assert_same(state_tensors(tmp_path), state_tensors(uninterrupted(run)))


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    """The real thing: the operating system refuses to write more, safetensors reports it in words only."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, limits[1]))
    try:
        with pytest.raises(IOFailure, match="File too large"):
            train(make_run(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "state").iterdir()) == []


def test_out_of_memory_names_the_remedy(tmp_path: Path) -> None:
    def exhausted(start: int) -> Iterator[Batch]:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
        yield

    with pytest.raises(
        OutOfMemory, match=r"cpu ran out of memory at step 1; make data\.crop_px or train\.batch smaller"
    ):
        train(make_run(), tmp_path, batches=exhausted)


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    def broken(start: int) -> Iterator[Batch]:
        raise RuntimeError("something else")
        yield

    with pytest.raises(RuntimeError, match="something else"):
        train(make_run(), tmp_path, batches=broken)


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no training state"):
        make_trainer(make_run(), tmp_path).restore()


def test_a_state_past_the_last_step_is_refused(tmp_path: Path) -> None:
    train(make_run(steps=5), tmp_path)
    with pytest.raises(InputError, match=r"past train\.steps 4; give --steps 5 or more"):
        make_trainer(make_run(steps=4), tmp_path).restore()


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    train(make_run(), tmp_path)
    before = state_tensors(tmp_path)
    train(make_run(), tmp_path, resume=True)
    assert_same(state_tensors(tmp_path), before)


def test_damaged_states_are_refused(tmp_path: Path) -> None:
    train(make_run(steps=5), tmp_path)
    (state,) = (tmp_path / "state").iterdir()
    trainer = make_trainer(make_run(), tmp_path)
    with pytest.raises(CheckpointError, match=r"pool\.images is not in both"):
        make_trainer(make_run(), tmp_path, "regressor").restore()
    info = json.loads((state / "state.json").read_text())
    for content, message in (
        ("{", "cannot be read"),
        ("[]", "expected a mapping"),
        (json.dumps(info | {"version": 2}), "version"),
        (json.dumps(info | {"stop": 2}), "did you mean step"),
    ):
        (state / "state.json").write_text(content)
        with pytest.raises((CheckpointError, ConfigError), match=message):
            trainer.restore()
    (state / "state.json").write_text(json.dumps(info))
    shared = (state / "shared.safetensors").read_bytes()
    (state / "shared.safetensors").write_bytes(shared[:-100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        trainer.restore()
    (state / "shared.safetensors").unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        trainer.restore()
