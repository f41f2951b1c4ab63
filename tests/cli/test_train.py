"""`nirtrans train` on synthetic scenes, in this process: files, resuming, refusals."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nirtrans.config_files import read_config
from nirtrans.engine import session
from nirtrans.io.images import read_image
from nirtrans.models.weights import load_system

Command = Callable[..., object]

TINY = (
    *("--config", "cyclegan-asym-small", "--progress", "none", "--device", "cpu", "--threads", "1"),
    *("--set", "network={width: 2, blocks: 1, halvings: 2, back_width: 2, back_depth: 3}"),
    *("--set", "network.critic_rgb.width=2", "--set", "network.critic_nir.width=2"),
    *("--set", "data.crop_px=32", "--set", "data.synthetic_scenes=3", "--set", "data.workers=0"),
    *("--set", "data.pairing=mixed"),
    *("--set", "train.batch=2", "--set", "train.state_every=2", "--set", "train.log_every=1"),
)


@pytest.fixture(autouse=True)
def _small_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nirtrans.data.collection.SYNTHETIC_PX", 64)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four steps; tests copy it before they change it."""
    from nirtrans.cli.app import run

    out = tmp_path_factory.mktemp("train") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nirtrans.data.collection.SYNTHETIC_PX", 64)
        assert run(["train", *TINY, "--out", str(out), "--steps", "4"]) == 0
    return out


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def steps_of(out: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_files_of_a_run(finished: Path) -> None:
    names = {path.name for path in finished.iterdir()}
    expected = {
        "config.yaml",
        "best.safetensors",
        "last.safetensors",
        "state",
        "metrics.jsonl",
        "samples",
        "tensorboard",
    }
    assert names == expected | {"splits.csv"}
    assert [path.name for path in (finished / "samples").iterdir()] == ["step-000004.png"]
    assert read_image(finished / "samples" / "step-000004.png").pixels.shape == (64, 3 * 64 + 8, 3)
    assert steps_of(finished) == [1, 2, 3, 4]
    last = json.loads((finished / "metrics.jsonl").read_text().splitlines()[-1])
    assert {"step", "time_s", "generator/cycle", "discriminator/rgb", "val/psnr", "val/ssim", "val/ae"} <= last.keys()
    config = read_config(finished / "config.yaml")
    assert (config["train"]["steps"], config["train"]["schedule_steps"], config["network"]["norm"]) == (
        4,
        4,
        "instance",
    )
    rows = (finished / "splits.csv").read_text().splitlines()
    assert rows[0] == "id,scene,split"
    assert sorted(row.rsplit(",", 1)[1] for row in rows[1:]) == ["train", "train", "val"]


def test_weights_are_enough_to_colorize(finished: Path) -> None:
    system, info = load_system(finished / "best.safetensors")
    assert system.colorize(torch.rand(1, 1, 16, 16)).shape == (1, 3, 16, 16)
    assert (info.model, info.stride_px) == ("cyclegan-asym", 4)
    assert info.halo_px > 0
    assert "3 synthetic scenes" in info.training_data


def test_result_and_source_go_to_stdout(nirtrans: Command, tmp_path: Path) -> None:
    outcome = nirtrans("train", *TINY, "--out", tmp_path / "run", "--steps", 1)
    assert outcome.code == 0, outcome.err
    first, last = outcome.out.splitlines()
    assert first == "no --data: training on 3 built-in synthetic scenes"
    assert last.startswith(f"{tmp_path / 'run' / 'best.safetensors'} (psnr ")
    assert outcome.err == ""


def test_resume_needs_nothing_else_and_continues_exactly(
    nirtrans: Command, copied: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = nirtrans("train", "--out", copied, "--resume", "--steps", 7, "--progress", "none", "--threads", 1)
    assert outcome.code == 0, outcome.err
    assert "the learning rate has fallen to 0 at step 4" in caplog.text
    assert read_config(copied / "config.yaml")["train"]["steps"] == 7
    assert steps_of(copied) == [1, 2, 3, 4, 5, 6, 7]
    whole = tmp_path / "whole"
    assert nirtrans("train", *TINY, "--out", whole, "--steps", 7, "--set", "train.schedule_steps=4").code == 0
    one, other = (load_file(out / "last.safetensors") for out in (copied, whole))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_ctrl_c_and_sigterm(nirtrans: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = session.training_batches
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):

        def interrupted(*args, number: int = number, **options):
            for index, batch in enumerate(real(*args, **options)):
                if index == 2:
                    signal.raise_signal(number)
                yield batch

        monkeypatch.setattr(session, "training_batches", interrupted)
        out = tmp_path / str(code)
        outcome = nirtrans("train", *TINY, "--out", out, "--steps", 5)
        assert outcome.code == code
        assert outcome.error == f"error: stopped after step 3; nirtrans train --out {out} --resume continues"
        monkeypatch.setattr(session, "training_batches", real)
        assert nirtrans("train", "--out", out, "--resume", "--progress", "none").code == 0
        assert steps_of(out) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume", "--set", "train.batch=3"), "train.batch is 2 in"),
        (("--resume", "--set", "network.width=3"), "network.width is 2 in"),
        (("--resume", "--precision", "bf16"), "train.precision is fp32 in"),
        (("--resume", "--domain", "gray"), "domain is nir in"),
        (("--resume", "--seed", "3"), "train.seed is 0 in"),
        (("--resume", "--steps", "3"), "past train.steps 3; give --steps 4 or more"),
        (("--resume", "--overwrite"), "give one of them"),
        (("--resume", "--init-from", "x.safetensors"), "leave --init-from out"),
        (("--config", "cyclegan-asym-small"), "--resume or replace it with --overwrite"),
    ],
)
def test_flags_that_disagree(nirtrans: Command, finished: Path, arguments: tuple, message: str) -> None:
    outcome = nirtrans("train", "--out", finished, *arguments)
    assert outcome.code == 2
    assert message in outcome.error
    assert read_config(finished / "config.yaml")["train"]["steps"] == 4


@pytest.mark.parametrize("text", ["train: 5\n", "train:\n"])
def test_a_config_without_training_settings_is_refused(
    nirtrans: Command, finished: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    outcome = nirtrans("train", "--out", finished, "--resume", "--config", tmp_path / "odd.yaml")
    assert outcome.code == 2
    assert "train" in outcome.error
    assert "unexpected" not in outcome.error


def test_flags_that_agree(nirtrans: Command, copied: Path) -> None:
    outcome = nirtrans("train", *TINY, "--domain", "nir", "--seed", 0, "--out", copied, "--resume")
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume",), "--resume needs --out"),
        (("--resume", "--out", "ABSENT"), "holds no training state"),
        ((), "no model: give --model NAME"),
        (("--model", "cyclegan-asim"), "did you mean cyclegan-asym"),
        (("--model", "cyclegan-asym", "--domain", "nri"), "did you mean nir"),
        (("--model", "cyclegan-asym", "--bands", "nir=4"), "give --data"),
        (("--model", "cyclegan-asym", "--bands", "nir"), "--bands expects"),
        (("--model", "cyclegan-asym", "--device", "gpu"), "--device expects"),
        (("--model", "cyclegan-asym", "--data", "ABSENT"), "ABSENT"),
        (("--model", "cyclegan-asym", "--set", "train.batch=3", "--set", "train.accumulate=2"), "multiple of"),
        ((*TINY, "--precision", "fp16"), "fp16 needs a CUDA device"),
        ((*TINY, "--set", "data.crop_px=34"), "34"),
        ((*TINY, "--set", "network.critic_nir.layers=4"), "the critic needs pictures of 48 px or more, got 32x32"),
        ((*TINY, "--set", "data.crop_px=1000000"), "2 crops at once of 1000000 px take"),
        ((*TINY, "--set", "train.batch=1e9"), "1000000000 crops at once"),
        ((*TINY, "--init-from", "ABSENT.safetensors"), "ABSENT.safetensors"),
        ((*TINY, "--set", "train.phases={critic: {every: 2}}"), "critic is not a phase"),
    ],
)
def test_refusals_write_nothing(
    nirtrans: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = nirtrans("train", "--device", "cpu", *arguments)
    assert outcome.code == 2, outcome.err
    assert message in outcome.error
    assert list(tmp_path.iterdir()) == []


def test_unwritable_out(nirtrans: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    outcome = nirtrans("train", *TINY, "--out", tmp_path / "file")
    assert outcome.code == 2
    assert "cannot write" in outcome.error


def test_overwrite_starts_afresh(nirtrans: Command, copied: Path) -> None:
    assert nirtrans("train", *TINY, "--out", copied, "--overwrite", "--steps", 1).code == 0
    assert steps_of(copied) == [1]


def test_init_from_begins_with_these_weights(nirtrans: Command, finished: Path, tmp_path: Path) -> None:
    out, weights = tmp_path / "run", finished / "best.safetensors"
    slow = ("--set", "train.optimizer.lr=1e-12", "--set", "train.ema=0")
    assert nirtrans("train", *TINY, *slow, "--out", out, "--steps", 1, "--init-from", weights).code == 0
    given, kept = load_file(weights), load_file(out / "last.safetensors")
    assert all(torch.allclose(given[name], kept[name], atol=1e-9) for name in given)


def test_init_from_another_model_names_that_model(nirtrans: Command, finished: Path, tmp_path: Path) -> None:
    weights, other = finished / "best.safetensors", ("--config", "nirtrans-base-small", "--set", "data.crop_px=32")
    outcome = nirtrans("train", *other, "--out", tmp_path / "run", "--init-from", weights)
    assert outcome.code == 2
    assert "best.safetensors of cyclegan-asym: tensor to_rgb" in outcome.error
    assert not (tmp_path / "run").exists()


def test_runs_are_numbered(nirtrans: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        assert nirtrans("train", *TINY, "--steps", 1).code == 0
        assert (tmp_path / "runs" / f"cyclegan-asym-nir-{number}" / "best.safetensors").exists()


@pytest.mark.parametrize(
    ("model", "domain", "small"),
    [
        ("cyclegan-asym", "nir", "cyclegan-asym-small"),
        ("cyclegan-asym", "gray", "cyclegan-asym-small"),
        ("pix2pix", "lineart", "pix2pix-lineart-small"),
    ],
)
def test_full_preset_on_a_cpu_points_to_the_small_one(
    nirtrans: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture, model: str, domain: str, small: str
) -> None:
    absent = ("--device", "cpu", "--data", tmp_path / "absent")
    outcome = nirtrans("train", "--model", model, "--domain", domain, *absent)
    assert outcome.code == 2
    assert f"million parameters and this is a CPU; --config {small} is meant for CPUs" in caplog.text


def test_json_progress(nirtrans: Command, tmp_path: Path) -> None:
    outcome = nirtrans("train", *TINY, "--progress", "json", "--out", tmp_path / "run", "--steps", 2)
    lines = [json.loads(line) for line in outcome.err.splitlines()]
    assert lines[-1]["event"] == "train"
    assert (lines[-1]["done"], lines[-1]["total"]) == (2, 2)
