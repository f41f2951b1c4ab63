"""What was built: variants, needed libraries, CUDA registrations, and messages when it cannot be built."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import setuptools
import torch

from nirtrans.kernels import build_info
from nirtrans.kernels._library import LIBRARY

ROOT = Path(__file__).parent.parent.parent
KERNELS = ("rgb_to_lab_block", "lab_to_rgb_block", "rgb_to_lab_backward_block", "lab_to_rgb_backward_block")

needs_library = pytest.mark.skipif(not build_info()["compiled"], reason=str(build_info()["reason"]))


def tool(name: str, *arguments: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"no {name}")
    return subprocess.run([name, *arguments], capture_output=True, text=True, check=True).stdout


@needs_library
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_are_cloned_per_instruction_set(kernel: str) -> None:
    symbols = tool("nm", "--demangle", str(LIBRARY))
    for variant in ("arch_x86_64_v3", "arch_x86_64_v4"):
        assert re.search(rf"::{kernel}\(.*{variant}", symbols), f"{kernel} has no clone for {variant}"
    assert build_info()["cpu_isa"] == ["x86-64", "x86-64-v3", "x86-64-v4"]


@needs_library
def test_library_needs_no_cuda_library() -> None:
    needed = set(re.findall(r"NEEDED.*\[(lib[a-z0-9_+]+)", tool("readelf", "--dynamic", str(LIBRARY))))
    assert {"libtorch_cpu", "libc10"} <= needed
    assert not needed & {"libtorch_cuda", "libc10_cuda", "libcudart", "libtorch_python", "libpython3"}


@needs_library
@pytest.mark.parametrize("name", ["rgb_to_lab", "rgb_to_lab_backward", "lab_to_rgb", "lab_to_rgb_backward"])
def test_operators_are_registered(name: str) -> None:
    registered = torch._C._dispatch_dump(f"nirtrans::{name}")
    assert "\nCPU: " in registered
    assert ("\nCUDA: " in registered) == build_info()["cuda"]


@pytest.fixture
def build_script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The functions of setup.py without running it."""
    monkeypatch.setattr(setuptools, "setup", lambda **_: None)
    return runpy.run_path(str(ROOT / "setup.py"))


def test_cuda_without_nvcc_is_refused(build_script: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIRTRANS_CUDA", "1")
    wants_cuda = build_script["wants_cuda"]
    monkeypatch.setitem(wants_cuda.__globals__, "cuda_home", lambda: None)
    with pytest.raises(SystemExit, match=r"^NIRTRANS_CUDA=1 needs nvcc: install the CUDA toolkit and set CUDA_HOME"):
        wants_cuda(None)


@pytest.mark.parametrize(
    ("choice", "torch_cuda", "expected"), [("0", "13.0", False), ("auto", None, False), ("auto", "13.0", True)]
)
def test_cuda_follows_variable_and_torch(
    build_script: dict[str, Any], monkeypatch: pytest.MonkeyPatch, choice: str, torch_cuda: str, expected: bool
) -> None:
    monkeypatch.setenv("NIRTRANS_CUDA", choice)
    wants_cuda = build_script["wants_cuda"]
    monkeypatch.setitem(wants_cuda.__globals__, "cuda_home", lambda: Path("/toolkit"))
    assert wants_cuda(torch_cuda) is expected


def test_newest_architecture_comes_with_ptx(build_script: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCH_CUDA_ARCH_LIST", raising=False)
    *older, newest = build_script["architectures"]()
    assert older == ["8.0", "9.0"]
    assert build_script["gencode"](newest)[-1] == "-gencode=arch=compute_100,code=compute_100"


def test_setup_without_torch_gives_one_line_of_advice(build_script: dict[str, Any]) -> None:
    with pytest.raises(SystemExit, match=r'^nirtrans needs absent>=2 to build: pip install "absent>=2", then pip'):
        build_script["needed"]("module_that_is_absent", "absent>=2")


def test_without_a_compiler_the_reason_is_kept(tmp_path: Path) -> None:
    shutil.copy(ROOT / "setup.py", tmp_path)
    (tmp_path / "nirtrans" / "kernels").mkdir(parents=True)
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    result = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"CXX": "absent-c++"}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    reason = (tmp_path / "nirtrans" / "kernels" / "build_failure.txt").read_text()
    assert reason == "no C++ compiler (absent-c++) was found; install g++ (apt install g++), then run `make build`\n"
    assert reason.strip() in result.stderr
