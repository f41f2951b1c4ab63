"""Run commands in this process and see what a user would see."""

from collections.abc import Callable
from typing import NamedTuple

import pytest


class Outcome(NamedTuple):
    """Exit code and both streams of one command."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that tells what went wrong; warnings may precede it."""
        lines = [line for line in self.err.splitlines() if line and not line.startswith("warning:")]
        assert len(lines) == 1, self.err
        return lines[0]


@pytest.fixture
def nirtrans(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Call `nirtrans(*arguments)`; nothing is started, the handlers run here."""
    from nirtrans.cli.app import run

    def call(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        return Outcome(code, *capfd.readouterr())

    return call
