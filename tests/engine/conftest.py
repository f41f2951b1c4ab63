"""Runs that several tests compare with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nirtrans.config import Run
from tests.engine.runs import make_trainer


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Run, str], Path]:
    """Train a run once from start to end and return its folder."""
    done: dict[str, Path] = {}

    def train(run: Run, name: str = "gan") -> Path:
        key = run.model_dump_json() + name
        if key not in done:
            done[key] = tmp_path_factory.mktemp("whole")
            make_trainer(run, done[key], name).fit()
        return done[key]

    return train
