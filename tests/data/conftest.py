"""Small made-up folders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nirtrans.config import DataSettings, Run, TrainSettings
from nirtrans.data.synthetic import write_synthetic_pairs, write_synthetic_raster


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Eight pairs of 48 px, each its own scene."""
    write_synthetic_pairs(tmp_path / "pairs", scenes=8, size=(48, 48))
    return tmp_path / "pairs"


@pytest.fixture
def rasters(tmp_path: Path) -> Path:
    """Seven rasters of 80 x 96 px with known scaling and a nodata hole."""
    folder = tmp_path / "rasters"
    folder.mkdir()
    for seed in range(7):
        write_synthetic_raster(folder / f"scene{seed}.tif", size=(80, 96), seed=seed)
    return folder


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """Build a run from data settings; crops of 32 px, batches of 4, read in this process unless told otherwise."""

    def build(*sources: Any, train: dict[str, Any] | None = None, **data: Any) -> Run:
        settings = DataSettings(**{"sources": sources, "crop_px": 32, "workers": 0, "synthetic_scenes": 6} | data)
        return Run(model="any", domain="nir", data=settings, train=TrainSettings(**{"batch": 4} | (train or {})))

    return build
