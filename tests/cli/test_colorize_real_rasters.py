"""What the command says of odd real rasters: exit codes and lines on stderr."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rasterio
from tiny_weights import tiny_weights

Command = Callable[..., Any]


@pytest.fixture
def colorize(nirtrans: Command, tmp_path: Path) -> Command:
    flags = ("--weights", tiny_weights("batch"), "--device", "cpu", "--progress", "none", "--bands", "nir=1")
    return lambda source: nirtrans("colorize", source, tmp_path / "out.tif", *flags)


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("truncated_header.tif", 3, "pixels at row 0, column 0 failed"),
        ("truncated_rgbn.tif", 3, "pixels at row 0, column 0 failed"),
        ("cog_cmap.tif", 2, "palette indices"),
    ],
)
def test_broken_and_unfit_files(
    shared_data: Path, tmp_path: Path, colorize: Command, name: str, code: int, message: str
) -> None:
    result = colorize(shared_data / "geotiff-edge" / name)
    assert result.code == code
    assert message in result.error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("length", [0, 3, 8, 60])
def test_headers_that_cannot_be_opened(shared_data: Path, tmp_path: Path, colorize: Command, length: int) -> None:
    source = tmp_path / "cut.tif"
    source.write_bytes((shared_data / "geotiff-edge/cog_uint16_scene_band1.tif").read_bytes()[:length])
    result = colorize(source)
    assert result.code == 2
    assert "cannot be opened as a raster" in result.error
    assert [path.name for path in tmp_path.iterdir()] == ["cut.tif"]


def test_nothing_valid_is_one_warning(
    shared_data: Path, tmp_path: Path, colorize: Command, caplog: pytest.LogCaptureFixture
) -> None:
    result = colorize(shared_data / "geotiff-edge/all-nodata.tif")
    assert (result.code, result.err) == (0, "")
    assert [record.message.split("; ")[1] for record in caplog.records] == ["the result is empty as well"]
    with rasterio.open(tmp_path / "out.tif") as made:
        assert not made.dataset_mask().any()
