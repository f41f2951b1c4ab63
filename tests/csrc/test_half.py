"""The conversions of 16-bit floats, for every value there is."""

from pathlib import Path

from tests.csrc.conftest import Run


def test_conversions_agree_with_the_compiler(run_program: Run) -> None:
    result = run_program(Path(__file__).parent / "half_conversions.cpp")
    assert result.returncode == 0, result.stdout + result.stderr
