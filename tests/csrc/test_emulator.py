"""The CUDA sources on fibers under ASan and UBSan: right results, and planted faults are caught."""

from pathlib import Path

import pytest

from tests.csrc.conftest import CSRC, Run

HERE = Path(__file__).parent


# NIRTRANS_DEBUG: ifunc resolvers run before the sanitizers are ready.
FAMILIES = {
    "bins": ["bins.cpp", "candidates.cpp"],
    "halving": ["halving.cpp", "blocks.cpp"],
    "image": ["image.cpp", "lab.cpp", "blocks.cpp"],
    "lab": ["lab.cpp", "blocks.cpp"],
    "ssim": ["ssim.cpp", "ssim_rows.cpp", "blocks.cpp"],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_kernels_agree_with_the_cpu(run_program: Run, family: str) -> None:
    cpu = [CSRC / "cpu" / name for name in FAMILIES[family]]
    cuda = CSRC / "cuda" / f"{family}.cu"
    result = run_program(HERE / f"{family}_emulated.cpp", cuda, *cpu, defines=("NIRTRANS_DEBUG",))
    assert result.returncode == 0, result.stdout + result.stderr


def test_softmax_kernels_agree_with_the_cpu(run_program: Run) -> None:
    families = ("annealed", "cross_entropy")
    cuda = [CSRC / "cuda" / f"{name}.cu" for name in families]
    cpu = [CSRC / "cpu" / f"{name}.cpp" for name in (*families, "bins", "candidates")]
    result = run_program(HERE / "softmax_emulated.cpp", *cuda, *cpu, defines=("NIRTRANS_DEBUG",))
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
