"""Compile small C++ programs with the sources of csrc."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CSRC = ROOT / "csrc"
FLAGS = ["-std=c++17", "-O1", "-g", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run_program(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Compile sources (.cu as C++, against the emulator) under the sanitizers and run the program."""
    if shutil.which("g++") is None:
        pytest.skip("no g++")

    def run(*sources: Path, defines: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        program = tmp_path_factory.mktemp("program") / "program"
        inputs = [str(argument) for source in sources for argument in ("-x", "c++", source)]
        options = [*FLAGS, *SANITIZERS, f"-I{CSRC}", *(f"-D{name}" for name in defines)]
        built = subprocess.run(["g++", *options, *inputs, "-o", str(program)], capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        return subprocess.run([str(program)], capture_output=True, text=True, timeout=120)

    return run
