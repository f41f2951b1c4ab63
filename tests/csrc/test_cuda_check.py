"""The spill gate lets our kernels pass and refuses one that spills."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPT = HERE.parent.parent / "scripts" / "cuda_check.py"

needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")


def check(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *files], capture_output=True, text=True)


@needs_nvcc
def test_spilling_kernel_is_refused() -> None:
    result = check(HERE / "spills.cu")
    assert result.returncode == 1
    assert "Registers are spilled" in result.stderr
    assert "spills" in result.stdout


@needs_nvcc
def test_our_kernels_do_not_spill() -> None:
    result = check()
    assert result.returncode == 0, result.stderr
    kernels = [line.split() for line in result.stdout.splitlines()[1:]]
    assert {row[0] for row in kernels} == {"sm_80", "sm_90", "sm_100"}
    assert {int(row[3]) for row in kernels} == {0}


def test_missing_nvcc_is_said_in_one_line(tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert result.returncode == 2
    assert result.stderr == "cuda_check needs nvcc on the PATH; install the CUDA toolkit\n"
