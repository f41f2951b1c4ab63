"""What the README shows runs: its Python, its flags, its files."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GROUPS = ("data", "study")
"""Commands that have commands of their own."""
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code: str) -> None:
    pytest.importorskip("nirtrans.numpy_kernels", exc_type=ImportError)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def commands() -> list[list[str]]:
    shown = re.findall(
        r"nirtrans [a-z][^`\n#|]*", "\n".join(blocks("bash")) + "\n".join(re.findall(r"`[^`\n]+`", README))
    )
    return [shlex.split(line.strip()) for line in shown]


def test_commands_and_flags_exist() -> None:
    helps: dict[str, str] = {}
    for words in commands():
        if words[1] == "COMMAND":
            continue
        name = " ".join(words[1 : 3 if words[1] in GROUPS else 2])
        if name not in helps:
            run = subprocess.run(
                [sys.executable, "-m", "nirtrans", *name.split(), "--help"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
                env={"COLUMNS": "200", "PATH": "", "NO_COLOR": "1"},
            )
            helps[name] = run.stdout
        for flag in (word for word in words if word.startswith("--") and word != "--help"):
            assert flag in helps[name], f"{flag} is not an option of {name}"


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]
