"""Methods that train in stages: which phases run when, at which rate, and what a resume makes of it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nirtrans.config import Run, TrainSettings
from nirtrans.engine.stages import Stages
from nirtrans.errors import ConfigError
from nirtrans.models.system import System
from tests.engine.runs import assert_same, metrics, state_tensors, train
from tests.engine.systems import Regressor, make_run, make_system


class Staged(Regressor):
    """A regressor that learns by the absolute error first, then by the squared one."""

    phases = {"absolute": ("generator",), "squared": ("generator",)}
    stages = (("absolute",), ("squared",))

    def losses(self, phase: str, batch: Any, out: dict[str, Any]) -> dict[str, Tensor]:
        difference = out["fake"] - batch.target
        return {"loss": difference.abs().mean() if phase == "absolute" else difference.square().mean()}


def staged() -> System:
    torch.manual_seed(0)
    return Staged(make_system("regressor").params, in_channels=1)


def settings(**train: Any) -> TrainSettings:
    return TrainSettings.model_validate({"steps": 10} | train)


def test_the_shares_of_the_schedule_decide() -> None:
    stages = Stages(staged(), settings(stages=[{"share": 0.3}, {"share": 0.7, "lr": 1e-5}]))
    assert [stages.runs("absolute", step) for step in range(10)] == [True] * 3 + [False] * 7
    assert [stages.runs("squared", step) for step in (2, 3, 9, 50)] == [False, True, True, True]
    assert (stages.rate(2), stages.rate(3)) == (None, 1e-5)


def test_stages_are_equally_long_unless_said() -> None:
    stages = Stages(staged(), settings())
    assert [stages.runs("absolute", step) for step in (4, 5)] == [True, False]


def test_a_longer_run_keeps_the_stages_it_began_with() -> None:
    stages = Stages(staged(), settings(steps=100, schedule_steps=10))
    assert not stages.runs("absolute", 6)


def test_without_stages_every_phase_runs() -> None:
    stages = Stages(make_system("gan"), settings())
    assert stages.runs("generator", 0)
    assert stages.rate(0) is None


@pytest.mark.parametrize(
    ("system", "stages", "message"),
    [
        (make_system("gan"), [{"share": 1}], "this model has no stages, got 1"),
        (staged(), [{"share": 1}], "this model has 2 stages, got 1"),
        (staged(), [{"share": 0.5}, {"share": 0.6}], r"shares that sum to 1, got 1\.1"),
    ],
)
def test_stages_that_do_not_fit(system: System, stages: list[dict[str, float]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Stages(system, settings(stages=stages))


def staged_run(steps: int = 6) -> Run:
    stages = [{"share": 0.5}, {"share": 0.5}]
    return make_run(steps=steps, schedule_steps=6, log_every=1, stages=stages)


def test_training_goes_through_the_stages(tmp_path: Path) -> None:
    train(staged_run(), tmp_path, system=staged())
    told = [{name for name in line if name.endswith("/loss")} for line in metrics(tmp_path)]
    assert told == [{"absolute/loss"}] * 3 + [{"squared/loss"}] * 3


def test_a_resume_inside_a_stage_changes_nothing(tmp_path: Path) -> None:
    for name in ("whole", "halves"):
        (tmp_path / name).mkdir()
    train(staged_run(), tmp_path / "whole", system=staged())
    train(staged_run(steps=4), tmp_path / "halves", system=staged())
    train(staged_run(), tmp_path / "halves", system=staged(), resume=True)
    assert_same(state_tensors(tmp_path / "whole"), state_tensors(tmp_path / "halves"))
