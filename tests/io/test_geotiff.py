"""Windows, masks and failures of rasters."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.env import get_gdal_config

from nirtrans.errors import DataError, IOFailure
from nirtrans.io.gdal import gdal_cache
from nirtrans.io.geotiff import Raster

WriteRaster = Callable[..., Path]
VALUES = np.arange(4 * 20 * 30).reshape(4, 20, 30)


def test_windows_come_in_the_order_and_type_asked_for(write_raster: WriteRaster) -> None:
    with Raster(write_raster(VALUES.astype(np.uint16))) as raster:
        values, valid = raster.read([3, 1], (5, 7, 4, 6))
        assert (raster.height, raster.width, raster.count) == (20, 30, 4)
    assert values.dtype == np.uint16
    np.testing.assert_array_equal(values, VALUES[[2, 0], 5:9, 7:13])
    assert valid.shape == (4, 6)
    assert valid.all()


@pytest.mark.parametrize(
    ("dtype", "nodata"), [(np.uint8, 7), (np.float32, -3.4e38), (np.float32, np.nan), (np.int16, -999)]
)
def test_nodata_of_an_input_band_is_invalid(write_raster: WriteRaster, dtype: type, nodata: float) -> None:
    values = np.ones((2, 6, 6), dtype)
    values[0, 2, 3] = values[1, 4, 4] = nodata
    with Raster(write_raster(values, nodata=nodata)) as raster:
        first, both = raster.read([1])[1], raster.read([1, 2])[1]
    assert np.argwhere(~first).tolist() == [[2, 3]]
    assert np.argwhere(~both).tolist() == [[2, 3], [4, 4]]


def test_infinity_is_invalid_without_a_tag(write_raster: WriteRaster) -> None:
    values = np.ones((1, 4, 4), np.float64)
    values[0, 0, 0], values[0, 1, 1] = np.inf, np.nan
    with Raster(write_raster(values)) as raster:
        assert (~raster.read([1])[1]).sum() == 2


def test_internal_mask_counts(write_raster: WriteRaster) -> None:
    mask = np.full((20, 30), 255, np.uint8)
    mask[:5] = 0
    with Raster(write_raster(VALUES.astype(np.uint16), change=lambda target: target.write_mask(mask))) as raster:
        np.testing.assert_array_equal(raster.read([4])[1], mask > 0)


@pytest.fixture
def tagged_alpha(write_raster: WriteRaster) -> Path:
    """Four bands of which the last is called alpha and is 0 in one half."""
    values = np.full((4, 8, 8), 9, np.uint8)
    values[3, :, :4] = 0
    return write_raster(values, photometric="RGB", alpha="YES")


def test_alpha_is_a_mask_until_it_is_claimed_as_data(tagged_alpha: Path) -> None:
    with Raster(tagged_alpha) as raster:
        assert raster.colours[3] == "alpha"
        assert raster.read([1])[1].mean() == 0.5
        assert raster.read([4])[1].all(), "a band that is read as data"
        assert raster.read([1])[1].all(), "and stays data afterwards"


def test_alpha_counts_beside_a_nodata_tag(write_raster: WriteRaster) -> None:
    values = np.full((4, 8, 8), 9, np.uint8)
    values[3, :, :4], values[0, 0, 7] = 0, 1
    with Raster(write_raster(values, photometric="RGB", alpha="YES", nodata=1)) as raster:
        valid = raster.read([1])[1]
    assert not valid[0, 7]
    assert not valid[:, :4].any()
    assert valid[1:, 4:].all()


def test_decimation_covers_the_whole_raster(write_raster: WriteRaster) -> None:
    with Raster(write_raster(VALUES.astype(np.uint16))) as raster:
        values, valid = raster.read([1], size=(5, 6))
    assert values.shape == (1, 5, 6)
    assert valid.shape == (5, 6)
    assert values.max() > 0.8 * VALUES[0].max()


@pytest.mark.parametrize(
    ("crs", "transform", "expected"),
    [
        ("EPSG:32633", rasterio.Affine(10, 0, 4e5, 0, -10, 5e6), 10.0),
        ("EPSG:2263", rasterio.Affine(10, 0, 1e6, 0, -10, 2e5), 3.048),
        ("EPSG:4326", rasterio.Affine(1e-4, 0, 13, 0, -1e-4, 60), 7.87),
        (None, rasterio.Affine(2, 0, 9, 0, -2, 9), None),
    ],
)
def test_ground_sampling_distance_is_in_metres(
    write_raster: WriteRaster, crs: str | None, transform: rasterio.Affine, expected: float | None
) -> None:
    with Raster(write_raster(VALUES.astype(np.uint16), crs=crs, transform=transform)) as raster:
        assert raster.gsd_m == (None if expected is None else pytest.approx(expected, rel=0.01))


def test_files_that_cannot_be_opened_are_the_users(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(DataError, match=r"text\.tif: cannot be opened as a raster .* copy it again"):
        Raster(tmp_path / "text.tif")
    with pytest.raises(DataError, match=r"absent\.tif: no such file"):
        Raster(tmp_path / "absent.tif")


@pytest.mark.parametrize("failure", [IOFailure, DataError])
def test_files_that_break_off_name_the_window(
    write_raster: WriteRaster, failure: type, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1, 256, 256), dtype=np.uint8)
    path = write_raster(noise, tiled=True, blockxsize=64, blockysize=64)
    path.write_bytes(path.read_bytes()[:30_000])
    with Raster(path, failure=failure) as raster:
        raster.read([1], (0, 0, 64, 64))
        with pytest.raises(failure, match="64x32 pixels at row 192, column 128 failed") as caught:
            raster.read([1], (192, 128, 64, 32))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == "", "GDAL says nothing of its own"


def test_cache_is_bounded_in_bytes_and_restored() -> None:
    with rasterio.Env():
        before = get_gdal_config("GDAL_CACHEMAX")
        with gdal_cache(5_000_000):
            assert get_gdal_config("GDAL_CACHEMAX") == 5_000_000
        assert get_gdal_config("GDAL_CACHEMAX") == before


def test_colour_interpretation_is_named(write_raster: WriteRaster) -> None:
    def change(target: rasterio.io.DatasetWriter) -> None:
        target.colorinterp = (ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined)

    with Raster(write_raster(VALUES.astype(np.uint16), change=change)) as raster:
        assert raster.colours == ("blue", "green", "red", "undefined")


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("all-nodata.tif", 0.0),
        ("alpha.tif", 0.0155),
        ("bigtiff_rgbn_tiled.tif", None),
        ("cog_rgb_mask.tif", 0.969),
        ("cog_cmap.tif", 0.555),
        ("cog_gcps.tif", 1.0),
        ("cogeo_internal_mask_jpeg.tif", 1.0),
        ("float_raster_with_nodata.tif", 0.628),
        ("inverted_lat.tif", 0.0),
        ("RGBA.uint16.tif", 0.4886),
        ("rotated.tif", 1.0),
    ],
)
def test_odd_real_rasters(shared_data: Path, name: str, share: float | None) -> None:
    with gdal_cache(), Raster(shared_data / "geotiff-edge" / name) as raster:
        _, valid = raster.read([1], size=(min(raster.height, 1000), min(raster.width, 1000)))
    assert share is None or valid.mean() == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("name", ["truncated_rgbn.tif", "truncated_header.tif"])
def test_truncated_real_rasters(shared_data: Path, name: str) -> None:
    with Raster(shared_data / "geotiff-edge" / name) as raster, pytest.raises(IOFailure, match=name):
        raster.read([1])


def test_a_broken_chain_of_directories_is_named(write_raster: WriteRaster) -> None:
    """GDAL looks for masks and overviews late, and rasterio would complain at whatever is asked next."""
    path = write_raster(VALUES.astype(np.uint8)[:, :20, :20], bigtiff="no")
    content = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * count, 3)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be opened as a raster .*Failed to read directory"):
        Raster(path)
