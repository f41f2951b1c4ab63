"""The CUDA sources on fibers under ASan and UBSan: right results, and planted faults are caught."""

from pathlib import Path

import pytest

from tests.csrc.conftest import CSRC, Run

HERE = Path(__file__).parent


def test_lab_kernels_agree_with_the_cpu(run_program: Run) -> None:
    cpu = [CSRC / "cpu" / "lab.cpp", CSRC / "cpu" / "blocks.cpp"]
    # NIRTRANS_DEBUG: ifunc resolvers run before the sanitizers are ready.
    result = run_program(HERE / "lab_emulated.cpp", CSRC / "cuda" / "lab.cu", *cpu, defines=("NIRTRANS_DEBUG",))
    assert result.returncode == 0, result.stdout + result.stderr


def test_shared_memory_and_barrier_work(run_program: Run) -> None:
    result = run_program(HERE / "box_sum.cu")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("fault", "exit_code", "message"),
    [
        ("PLANT_MISSING_BARRIER", 1, "wrong sum"),
        ("PLANT_DIVERGENCE", 2, "launch failed: 719"),
        ("PLANT_OFF_BY_ONE", 1, "out of bounds"),
    ],
)
def test_planted_fault_is_caught(run_program: Run, fault: str, exit_code: int, message: str) -> None:
    result = run_program(HERE / "box_sum.cu", defines=(fault,))
    assert result.returncode == exit_code
    assert message in result.stdout + result.stderr
