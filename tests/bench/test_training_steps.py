"""The benchmark of training: the plain loop is the same training, and the table tells what waits for data."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from nirtrans.bench import suites, timing, train
from nirtrans.bench.case import Case, Setting, deviations
from nirtrans.bench.plain_cyclegan import PlainCycleGAN
from nirtrans.models.build import build_system

QUICK = train.SHAPES["quick"]


@pytest.fixture(autouse=True)
def _one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "QUICK_ROUNDS", 1)
    monkeypatch.setattr(timing, "WARM_UPS", 1)
    monkeypatch.setattr("nirtrans.data.collection.SYNTHETIC_PX", 64)


@cache
def quick() -> Case:
    (case,) = train.cases(Setting("cpu", QUICK))
    return case


def test_tables_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = quick()

    def cases(setting: Setting) -> Iterator[Case]:
        yield known

    monkeypatch.setattr(train, "cases", cases)
    text = suites.run_suite("train", threads=[1], devices=["cpu"], out=tmp_path, quick=True)
    assert text == (tmp_path / "train-cpu.md").read_text()
    assert all(f"\n| {name} | " in text for name in ("nirtrans", "plain PyTorch", "data.workers=1", "data.workers=0"))
    steps, fed = json.loads((tmp_path / "train-cpu.json").read_text())["races"]
    assert [one["name"] for one in steps["timings"]] == [one.name for one in known.contestants]
    assert all(0 <= share < 1 for share in fed["waiting"].values())
    assert len(fed["waiting"]) == 3


def test_the_plain_loop_is_the_same_training() -> None:
    errors = deviations(quick())
    assert errors["nirtrans"] < 1e-4
    assert errors["plain PyTorch"] < 1e-4


def test_gate_catches_another_training() -> None:
    (ours, *rest) = quick().contestants
    losses = [loss.clone() for loss in ours.run()]
    losses[2][0] *= 1.02
    planted = replace(quick(), contestants=[replace(ours, run=lambda: losses), *rest])
    assert not deviations(planted)["nirtrans"] <= quick().gate


def test_plain_networks_have_our_parameters() -> None:
    for shape in (*train.SHAPES["cpu"], *train.SHAPES["cuda"]):
        with torch.device("meta"):
            system = build_system(train.make_run(shape))
            plain = PlainCycleGAN(system, lr=1e-3, betas=(0.5, 0.999))
        for name, network in plain.networks.items():
            learned = [value.shape for value in network.parameters() if value.requires_grad]
            assert learned == [value.shape for value in getattr(system, name).parameters()], name


def test_pool_returns_older_pictures_once_it_is_full() -> None:
    from nirtrans.bench.plain_cyclegan import Pool

    pool = Pool()
    first = torch.arange(50.0).view(50, 1, 1, 1)
    assert torch.equal(pool(first), first)
    second = pool(first + 100)
    older = second < 100
    assert 5 < older.sum() < 45
    assert len(pool.images) == 50
