"""Markers, seeds and threads for the whole suite."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("any machine", deadline=None)  # speed is for benchmarks
hypothesis.settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run tests marked slow as well")
    parser.addoption("--fuzz", type=int, default=60, metavar="N", help="cases of the fuzz harness (60)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "cuda" not in item.keywords or torch.cuda.is_available():
        return
    if os.environ.get("NIRTRANS_REQUIRE_CUDA") == "1":
        pytest.fail("NIRTRANS_REQUIRE_CUDA=1 but torch sees no CUDA device", pytrace=False)
    pytest.skip("no CUDA device")


@pytest.fixture(autouse=True)
def _repeatable() -> Iterator[None]:
    """Seed torch and keep the global generator of other tests untouched; one thread, since xdist runs two workers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, or a skip where it is absent."""
    folder = Path(os.environ.get("NIRTRANS_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip("no real data; set NIRTRANS_DATA")
    return folder
