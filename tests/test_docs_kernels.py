"""What docs/kernels.md shows runs and is up to date."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nirtrans import kernels

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "kernels.md").read_text()


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_example_runs(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_every_kernel_is_described() -> None:
    described = PAGE.split("## What there is")[1].split("\n## ")[0]
    functions = [name for name in kernels.__all__ if name not in ("build_info", "reference", "compat")]
    assert not [name for name in functions if f"`{name}" not in described]


def test_arguments_exist() -> None:
    for name, arguments in re.findall(r"^\| `(\w+)\((.*?)\)` \|", PAGE, re.MULTILINE):
        parameters = inspect.signature(getattr(kernels, name)).parameters
        shown = re.findall(r"(?:^|, )(\w+)(?==|,|$)", re.sub(r"\(.*?\)", "", arguments))
        assert not [word for word in shown if word not in parameters], name


def test_tables_are_those_of_the_results() -> None:
    subprocess.run([sys.executable, "scripts/kernel_tables.py", "--check"], cwd=ROOT, check=True)
