"""Every registered model trains by one command: fifty steps on one pair teach it, and a resume changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from nirtrans.color.chroma import chroma
from nirtrans.config import Run
from nirtrans.config_files import dump_run
from nirtrans.data.collection import open_collection
from nirtrans.models import MODELS, System, build_system
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.weights import load_system
from tests.models.tiny import SIDE_PX, tiny_run

Command = Callable[..., Any]

FALLING = {"cut": "nce", "cyclegan": "cycle", "unit": "recon"}
"""Objectives that never look at the truth: the generator's term that must fall instead of the error."""

every_model = pytest.mark.parametrize("name", MODELS.names())


@pytest.fixture(autouse=True)
def _small_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nirtrans.data.collection.SYNTHETIC_PX", SIDE_PX)


def one_pair(name: str, **train: Any) -> Run:
    """Return a run on a single synthetic pair, always seen whole."""
    unlabelled = {"classes": 0} if MODELS.find(name).Params.model_fields.keys() & {"classes"} else {}
    run = tiny_run(name, train={"optimizer": {"lr": 4e-3}, "ema": 0.0, "log_every": 1} | train, **unlabelled)
    data = {"crop_px": SIDE_PX, "flip": False, "synthetic_scenes": 1, "workers": 0}
    return Run.model_validate(run.model_dump() | {"data": data})


def train(nirtrans: Command, run: Run, out: Path, *flags: object) -> None:
    """Write the run's config and start it, or go on with `--resume`."""
    config = out.with_suffix(".yaml")
    config.write_text(dump_run(run))
    start = () if "--resume" in flags else ("--config", config)
    outcome = nirtrans("train", *start, "--out", out, "--device", "cpu", "--threads", 1, "--progress", "none", *flags)
    assert outcome.code == 0, outcome.err


def states(out: Path) -> dict[str, Tensor]:
    """Return all that the newest state of a run holds."""
    (folder,) = (out / "state").glob("step-*")
    return load_file(folder / "shared.safetensors") | load_file(folder / "rank-0.safetensors")


def error_of(system: System, source: Tensor, target: Tensor) -> float:
    """Return the mean error of the colours; where lightness is kept, of the chroma, at the size that is predicted."""
    with torch.no_grad():
        if not isinstance(system, ChromaSystem):
            return (system.colorize(source) - target).abs().mean().item()
        ab = system.predict(source)
        return (ab - F.interpolate(chroma(target), size=ab.shape[2:], mode="area")).abs().mean().item()


@every_model
def test_fifty_steps_teach_one_pair(nirtrans: Command, tmp_path: Path, name: str) -> None:
    run = one_pair(name, steps=50, constant_share=1.0, pool=0)
    train(nirtrans, run, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 50
    if name in FALLING:
        values = [line[f"generator/{FALLING[name]}"] for line in lines]
        assert sum(values[-5:]) < 0.6 * sum(values[:5])
        return
    pair = open_collection(run.data, run.domain)
    source, target = (torch.from_numpy(side[0].read()[0])[None] for side in (pair.sources, pair.targets))
    errors = [
        error_of(system, source, target)
        for system in (build_system(run).eval(), load_system(tmp_path / "run" / "last.safetensors")[0])
    ]
    assert errors[1] < 0.5 * errors[0], errors


@every_model
def test_a_resumed_run_equals_an_uninterrupted_one(nirtrans: Command, tmp_path: Path, name: str) -> None:
    run = one_pair(name, steps=4, batch=2, schedule_steps=4)
    train(nirtrans, run, tmp_path / "whole")
    train(nirtrans, run, tmp_path / "halves", "--steps", 2)
    train(nirtrans, run, tmp_path / "halves", "--resume", "--steps", 4)
    whole, halves = states(tmp_path / "whole"), states(tmp_path / "halves")
    assert whole.keys() == halves.keys()
    assert [key for key in whole if not torch.equal(whole[key], halves[key])] == []
