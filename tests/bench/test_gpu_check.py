"""`scripts/gpu_check.sh` with stand-ins for the tools of a GPU machine: every step is tried, every failure told."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = {
    "python3": 'echo "python3 $*"; case "$*" in *"$BROKEN"*) exit 3;; esac',
    "nvidia-smi": "echo NVIDIA X",
    "nvcc": "echo release 13.0",
    "compute-sanitizer": 'shift 4; exec "$@"',
}
STEPS = ["machine", "build", "kernels", "tests", "bench lab", "bench bins", "bench ssim", "bench train"]
STEPS += [f"compute-sanitizer {tool}" for tool in ("memcheck", "racecheck", "synccheck")]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "scripts" / "gpu_check.sh", tmp_path / "scripts")
    for name, body in TOOLS.items():
        tool = tmp_path / "bin" / name
        tool.write_text(f"#!/usr/bin/env bash\n{body}\n")
        tool.chmod(0o755)
    return tmp_path


def check(tree: Path, **variables: str) -> tuple[int, str]:
    environment = {"PATH": f"{tree}/bin:{os.environ['PATH']}", "BROKEN": "nothing is", **variables}
    run = subprocess.run(
        [tree / "scripts" / "gpu_check.sh", "out"], cwd=tree, env=environment, capture_output=True, text=True
    )
    log = (tree / "out" / "gpu_check.log").read_text()
    assert run.stdout == log
    return run.returncode, log


def test_all_steps_run(tree: Path) -> None:
    status, log = check(tree)
    assert status == 0
    told = [line[3:].split(",")[0] for line in log.splitlines() if line.startswith("== ")]
    assert told[:-1] == STEPS
    assert told[-1].startswith("all steps passed")
    for part in (
        "setup.py --quiet build_ext --inplace",
        "-m pytest -q -m cuda --slow tests/kernels",
        "run_suite('ssim'",
    ):
        assert part in log
    assert f"out=Path('{tree}/out')" in log


def test_a_failing_step_stops_nothing(tree: Path) -> None:
    status, log = check(tree, BROKEN="build_ext")
    assert status == 1
    assert "!! failed: build, status 3" in log
    assert all(f"== {name}, after" in log for name in STEPS)


def test_no_step_starts_after_the_limit(tree: Path) -> None:
    status, log = check(tree, LIMIT_S="0")
    assert status == 1
    assert log.count("!! no time left") == len(STEPS)
    assert "build_ext" not in log


def test_sanitizer_that_refuses_the_device_is_no_failure(tree: Path) -> None:
    (tree / "bin" / "compute-sanitizer").write_text("#!/usr/bin/env bash\necho Device not supported\nexit 1\n")
    status, log = check(tree)
    assert status == 0
    assert log.count("does not support this (virtualised) device") == 3


def test_what_the_sanitizers_watch_runs() -> None:
    command = [sys.executable, "scripts/touch_kernels.py", "cpu"]
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
