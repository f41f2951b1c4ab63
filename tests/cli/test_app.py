"""The frame of the command line: speed of --help, usage errors, exit codes, signals."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nirtrans import errors
from nirtrans.cli import app

COMMANDS = ["train", "colorize", "evaluate", "models", "config", "data", "demo", "bench", "doctor"]


def test_help_lists_every_command(nirtrans: Callable) -> None:
    outcome = nirtrans("--help")
    assert outcome.code == 0
    assert all(name in outcome.out for name in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["data"]])
def test_nothing_asked_for_shows_the_help(nirtrans: Callable, arguments: list[str]) -> None:
    outcome = nirtrans(*arguments)
    assert outcome.code == 2
    assert "Usage:" in outcome.out
    assert outcome.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_never_loads_torch(name: str) -> None:
    code = (
        "import sys; from nirtrans.cli.app import run; code = run([sys.argv[1], '--help']); "
        "sys.exit(code or any(name in sys.modules for name in ('torch', 'rasterio', 'numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_version(nirtrans: Callable) -> None:
    assert nirtrans("--version").out.startswith("nirtrans 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "trian"),
        (["models", "--colour"], "--colour"),
        (["bench", "nothing"], "nothing"),
        (["bench", "--threads", "1000000"], "--threads"),
        (["bench", "--device", "gpu"], "--device expects auto, cpu, cuda or cuda:N, got 'gpu'"),
        (["train", "--steps", "-5"], "--steps"),
        (["train", "--steps", "many"], "--steps"),
        (["config", "cyclegan-asim"], "did you mean cyclegan-asym"),
        (["models", "cyclegan-asim"], "did you mean cyclegan-asym"),
        (["config", "cyclegan-asym", "--set", "train.step=5"], "did you mean train.steps"),
        (["config", "cyclegan-asym", "--set", "network.widht=5"], "did you mean network.width"),
        (["config", "cyclegan-asym", "--domain", "nri"], "did you mean nir"),
    ],
)
def test_usage_errors_are_one_line(nirtrans: Callable, arguments: list[str], message: str) -> None:
    outcome = nirtrans(*arguments)
    assert outcome.code == 2
    assert message in outcome.error
    assert outcome.error.startswith("error: ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DataError("bad"), 2),
        (errors.IOFailure("disk"), 3),
        (KeyboardInterrupt(), 130),
        (errors.Terminated("stop"), 143),
        (MemoryError(), 3),
        (ZeroDivisionError("a bug"), 3),
    ],
)
def test_exit_codes(nirtrans: Callable, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    def fail(arguments: list[str]) -> None:
        raise error

    monkeypatch.setattr(app, "_call", fail)
    outcome = nirtrans("models")
    assert outcome.code == code
    assert outcome.error.startswith("error: ")


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt(), 130), (errors.Terminated("stop"), 143)])
def test_data_commands_end_as_all_others(
    nirtrans: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stop: BaseException, code: int
) -> None:
    def fail(paths: list[str]) -> None:
        raise stop

    monkeypatch.setattr("nirtrans.data.inspection.inspect", fail)
    outcome = nirtrans("data", "inspect", tmp_path)
    assert outcome.code == code
    assert outcome.error.startswith("error: ")


def test_config_prints_a_complete_run(nirtrans: Callable, tmp_path: Path) -> None:
    outcome = nirtrans("config", "cyclegan-asym", "--set", "train.steps=12")
    assert outcome.code == 0
    assert "steps: 12" in outcome.out
    assert "norm: instance" in outcome.out
    saved = tmp_path / "saved.yaml"
    saved.write_text(outcome.out)
    assert nirtrans("config", saved).out == outcome.out


def test_config_schema(nirtrans: Callable) -> None:
    import json

    assert "train" in json.loads(nirtrans("config", "--schema").out)["properties"]
    assert "width" in json.loads(nirtrans("config", "cyclegan-asym", "--schema").out)["properties"]


def test_doctor_tells_what_runs(nirtrans: Callable) -> None:
    outcome = nirtrans("doctor")
    assert outcome.code == 0
    for word in ("torch", "kernels", "GDAL", "PROJ", "compiled"):
        assert word in outcome.out


def test_doctor_fails_when_cuda_is_required(nirtrans: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("a CUDA device is present")
    monkeypatch.setenv("NIRTRANS_REQUIRE_CUDA", "1")
    outcome = nirtrans("doctor")
    assert outcome.code == 3
    assert "NIRTRANS_REQUIRE_CUDA=1" in outcome.error


def test_what_rasterio_cannot_decode_is_not_printed() -> None:
    """GDAL quotes damaged files; rasterio's handler then prints a traceback and goes on."""
    program = """
import sys
from nirtrans.cli.app import _speak_with_one_voice
_speak_with_one_voice(False)
sys.excepthook(*[UnicodeDecodeError, UnicodeDecodeError("utf-8", b"x", 0, 1, "no"), None])
class Loud:
    def __del__(self):
        raise ValueError
Loud()
raise RuntimeError("seen")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stderr.count("Error") == 1
    assert "RuntimeError: seen" in done.stderr
