"""Before a run layers learn the colours of its training pictures, or of a file; a resumed run keeps them."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from nirtrans.color.bins import AB313, AB529, AB625
from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import DataSettings, Run, Settings
from nirtrans.data.collection import open_collection
from nirtrans.data.prior import count_pictures
from nirtrans.data.prior_file import write_prior
from nirtrans.engine.colour_prior import learn_prior, over_bins
from nirtrans.engine.run_folder import with_absolute_paths
from nirtrans.engine.session import Request, train_run
from nirtrans.errors import ConfigError, DataError
from nirtrans.kernels import class_weights
from nirtrans.models.system import MODELS, System
from nirtrans.nn.heads import BinPrior
from tests.engine.systems import make_system

SIDE_PX = 16


class Headed(nn.Module):
    """A convolution that holds priors and returns the first one with its colours."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 3, 3, padding=1)
        self.prior, self.wider = BinPrior(AB313), BinPrior(AB529)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.conv(x), self.prior.frequency


class Weighted(System):
    """A regressor whose loss is weighted by the prior of its network."""

    phases = {"generator": ("to_rgb",)}
    inference = ("to_rgb",)
    domains = frozenset({"nir"})
    paper = "none"

    def __init__(self, params: Settings, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        self.to_rgb = Headed(in_channels)

    def colorize(self, source: Tensor) -> Tensor:
        return to_unit(self.to_rgb(to_signed(source))[0]).clamp(0, 1)

    def forward_train(self, batch: Any) -> dict[str, Any]:
        rgb, prior = self.to_rgb(to_signed(batch.source))
        return {"fake": to_unit(rgb), "prior": prior}

    def losses(self, phase: str, batch: Any, out: dict[str, Any]) -> dict[str, Tensor]:
        return {"l2": class_weights(out["prior"]).max() * (out["fake"] - batch.target).square().mean()}


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("nirtrans.data.collection.SYNTHETIC_PX", SIDE_PX)
    MODELS.add("weighted")(Weighted)
    yield
    del MODELS._items["weighted"]


def a_run(**data: Any) -> Run:
    settings = {"crop_px": SIDE_PX, "synthetic_scenes": 3, "workers": 0} | data
    return Run.model_validate(
        {"model": "weighted", "domain": "nir", "data": settings, "train": {"steps": 2, "batch": 1}}
    )


def trained(run: Run, out: Path, **request: Any) -> Path:
    train_run(Request(run, torch.device("cpu"), out, **request))
    return out


def in_weights(out: Path) -> Tensor:
    return load_file(out / "last.safetensors")["to_rgb.prior.frequency"]


def in_state(out: Path) -> Tensor:
    (folder,) = (out / "state").glob("step-*")
    return load_file(folder / "rank-0.safetensors")["buffer.to_rgb.prior.frequency"]


def counted(run: Run, part: str = "train") -> Tensor:
    collection = open_collection(run.data, run.domain).part(part)
    return count_pictures(collection.every_target).prior("expected").tensor().float()


def write_uniform(path: Path) -> Path:
    """Write a prior under which all bins are equally frequent."""
    found = count_pictures(open_collection(a_run().data, "nir").targets).prior("any")
    write_prior(path, found.model_copy(update={"frequencies": (1 / 313,) * 313}))
    return path


def test_training_pictures_are_counted_and_kept_in_state_and_weights(tmp_path: Path) -> None:
    run = a_run()
    out = trained(run, tmp_path / "run")
    assert torch.equal(in_weights(out), counted(run))
    assert torch.equal(in_state(out), counted(run))
    assert not torch.equal(counted(run), counted(run, "all")), "pictures that validate do not count"


def test_a_file_is_taken_instead(tmp_path: Path) -> None:
    out = trained(a_run(prior=str(write_uniform(tmp_path / "p.json"))), tmp_path / "run")
    torch.testing.assert_close(in_weights(out), torch.full((313,), 1 / 313))


def test_a_resumed_run_keeps_what_it_learned(tmp_path: Path) -> None:
    path = write_uniform(tmp_path / "p.json")
    run = a_run(prior=str(path))
    out = trained(run, tmp_path / "run")
    path.unlink()
    longer = run.model_copy(update={"train": run.train.model_copy(update={"steps": 3})})
    trained(longer, out, resume=True)
    torch.testing.assert_close(in_weights(out), torch.full((313,), 1 / 313))


def test_init_from_does_not_bring_its_prior_along(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = trained(a_run(prior=str(write_uniform(tmp_path / "p.json"))), tmp_path / "first")
    run = a_run()
    with caplog.at_level(logging.WARNING, logger="nirtrans"):
        out = trained(run, tmp_path / "second", init_from=first / "last.safetensors")
    assert torch.equal(in_weights(out), counted(run))
    assert "the colour prior is that of the training pictures, no longer that of" in caplog.text


@pytest.mark.parametrize("spec", [AB313, AB529, AB625])
def test_other_tables_take_the_frequencies_of_their_nearest_bins(spec: Any) -> None:
    frequency = torch.rand(313, dtype=torch.float64)
    moved = over_bins(frequency, spec)
    assert moved.shape == (len(spec),)
    where = {tuple(centre): share for centre, share in zip(spec.centres.tolist(), moved.tolist(), strict=True)}
    assert [where.pop(tuple(centre)) for centre in AB313.centres.tolist()] == frequency.tolist()
    assert not any(where.values())


def test_every_table_of_a_system_learns() -> None:
    system = Weighted(Settings(), in_channels=1)
    run = a_run()
    learn_prior(system, open_collection(run.data, "nir").part("train"), run.data)
    assert system.to_rgb.wider.frequency.sum().item() == pytest.approx(1, abs=1e-5)
    assert system.to_rgb.wider.frequency.max() == system.to_rgb.prior.frequency.max()


def test_a_system_without_bins_is_left_alone() -> None:
    system = make_system("regressor")
    empty = open_collection(a_run().data, "nir").part("test")
    learn_prior(system, empty, DataSettings())
    with pytest.raises(ConfigError, match="this model has no colour prior"):
        learn_prior(system, empty, DataSettings(prior="p.json"))


def test_a_bad_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps({"frequencies": []}))
    with pytest.raises(DataError, match=r"p\.json"):
        trained(a_run(prior=str(tmp_path / "p.json")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_file_is_found_from_any_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert with_absolute_paths(a_run(prior="p.json")).data.prior == str(tmp_path / "p.json")
    assert with_absolute_paths(a_run()).data.prior is None
