"""A look at a large raster: the same for any number of threads, and near to the whole."""

from pathlib import Path

import numpy as np
import pytest
from raster_scenes import UTM, numbers, write

from nirtrans.io import overview
from nirtrans.io.geotiff import Raster
from nirtrans.io.overview import look_over, percentiles


@pytest.mark.parametrize("blocks", [{}, {"tiled": True, "blockxsize": 16, "blockysize": 16}])
def test_threads_see_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: dict[str, object]) -> None:
    band = numbers(333, 217)
    band[:60, :50] = 0
    path = write(tmp_path / "in.tif", band, nodata=0, **UTM, **blocks)
    monkeypatch.setattr(overview, "MOST_PX", 9000)
    with Raster(path) as raster:
        seen = [look_over(raster, [1], threads=threads) for threads in (1, 2, 5)]
    for other in seen[1:]:
        assert all((one == two).all() for one, two in zip(seen[0], other, strict=True))
    values, valid, _ = seen[0]
    assert values.size <= 9000
    assert valid.mean() == pytest.approx((band > 0).mean(), abs=0.02)
    assert percentiles(values, valid) == pytest.approx(np.percentile(band[band > 0], (2, 98)), rel=0.03)


def test_every_part_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that stand in one strip alone are found, wherever it is."""
    monkeypatch.setattr(overview, "MOST_PX", 4000)
    for top in range(0, 400, 40):
        band = np.full((400, 90), 7, dtype="uint16")
        band[top : top + 40] = 1000
        with Raster(write(tmp_path / "in.tif", band, **UTM)) as raster:
            values = look_over(raster, [1], threads=3).values
        assert (values == 1000).mean() == pytest.approx(0.1, abs=0.03)
