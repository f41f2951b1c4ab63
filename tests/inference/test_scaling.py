"""The first look at a raster: once, and not at all where the rule is known."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from nirtrans.config import Preprocessing, Run
from nirtrans.inference.scaling import Rule, SourceOptions, open_scene
from nirtrans.io.geotiff import Raster
from nirtrans.models.weights import ModelInfo

INFO = ModelInfo(
    model="any",
    run=Run(model="any", domain="nir"),
    preprocessing=Preprocessing(kind="raster", units="percentile"),
    halo_px=0,
    stride_px=1,
)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Collect the calls of Raster.read."""
    calls: list[object] = []
    read = Raster.read

    def counted(raster: Raster, *arguments: object, **options: object) -> object:
        calls.append(options)
        return read(raster, *arguments, **options)

    monkeypatch.setattr(Raster, "read", counted)
    return calls


@pytest.fixture
def scene_file(tmp_path: Path) -> Path:
    values = np.arange(1, 401, dtype=np.uint16).reshape(20, 20)
    with rasterio.open(
        tmp_path / "in.tif", "w", driver="GTiff", height=20, width=20, count=1, dtype="uint16", crs="EPSG:32633"
    ) as target:
        target.write(values, 1)
        target.set_band_description(1, "nir")
    return tmp_path / "in.tif"


def test_range_and_fill_come_from_one_read(scene_file: Path, reads: list[object]) -> None:
    with Raster(scene_file) as raster:
        scene = open_scene(raster, INFO, SourceOptions())
        assert (scene.low, scene.high, scene.filled) == (*np.percentile(np.arange(1, 401), (2, 98)), False)
    assert len(reads) == 1


def test_a_known_rule_is_not_looked_for(scene_file: Path, reads: list[object]) -> None:
    with Raster(scene_file) as raster:
        scene = open_scene(raster, INFO, SourceOptions(), known=Rule(3, 7, filled=True, valid_share=1.0))
    assert (scene.low, scene.high, scene.filled) == (3, 7, True)
    assert not reads
