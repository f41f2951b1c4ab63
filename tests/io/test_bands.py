"""Which band is what, and what a number means."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.enums import ColorInterp

from nirtrans.errors import DataError, UnknownNameError
from nirtrans.io.bands import Scaling, find_bands, find_scaling
from nirtrans.io.geotiff import Raster
from nirtrans.io.overview import look_over, percentiles, read_overview

WriteRaster = Callable[..., Path]
RGBN = ("nir", "red", "green", "blue")


@pytest.fixture
def described(write_raster: WriteRaster) -> Callable[..., Path]:
    """Write a raster with descriptions, colour interpretation, tags per band or of the file."""

    def write(
        *names: str | None,
        colours: tuple[str, ...] = (),
        band_tags: tuple[str, ...] = (),
        tags: dict[str, str] | None = None,
    ) -> Path:
        def change(target: Any) -> None:
            target.descriptions = names
            if colours:
                target.colorinterp = [ColorInterp[colour] for colour in colours]
            for number, name in enumerate(band_tags, start=1):
                target.update_tags(number, common_name=name)
            target.update_tags(**(tags or {}))

        return write_raster(np.ones((len(names), 4, 4), np.uint16), change=change)

    return write


def bands_of(path: Path, wanted: tuple[str, ...] = RGBN, **options: Any) -> tuple[int, ...]:
    with Raster(path) as raster:
        return find_bands(raster, wanted, **options)


@pytest.mark.parametrize(
    ("names", "sensor", "expected"),
    [
        (("red", "green", "blue", "nir"), None, (4, 1, 2, 3)),
        (("B4", "B3", "B2", "B8"), None, (4, 1, 2, 3)),
        (("B02", "B03", "B04", "B08"), None, (4, 3, 2, 1)),
        (("Blue", "Green", "Red", "Near_Infrared"), None, (4, 3, 2, 1)),
        (("blue", "green", "red", "nir08"), None, (4, 3, 2, 1)),
        (("TCI_R", "TCI_G", "TCI_B", "B8", "B12"), None, (4, 1, 2, 3)),
        (("SR_B2", "SR_B3", "SR_B4", "SR_B5"), "landsat-c2-l2", (4, 3, 2, 1)),
        (("B1", "B2", "B3", "B4", "B5", "B6", "B7"), "landsat-c2-l2", (5, 4, 3, 2)),
        ((None,) * 4, "naip", (4, 1, 2, 3)),
        ((None,) * 12, "s2-l2a", (8, 4, 3, 2)),
    ],
)
def test_descriptions_and_sensor_layouts(
    described: Callable[..., Path], names: tuple[str | None, ...], sensor: str | None, expected: tuple[int, ...]
) -> None:
    assert bands_of(described(*names), sensor=sensor) == expected


def test_given_numbers_win_over_everything(described: Callable[..., Path]) -> None:
    path = described("red", "green", "blue", "nir")
    assert bands_of(path, bands={"nir": 1}, sensor="naip") == (1, 1, 2, 3)


def test_descriptions_win_over_the_layout(described: Callable[..., Path]) -> None:
    assert bands_of(described("nir", "red", "green", "blue"), sensor="naip") == (1, 2, 3, 4)


def test_stac_common_names_and_colour_interpretation(described: Callable[..., Path]) -> None:
    assert bands_of(described(None, None, None, None, band_tags=("blue", "green", "red", "nir"))) == (4, 3, 2, 1)
    path = described(None, None, None, None, colours=("blue", "green", "red", "undefined"))
    assert bands_of(path, bands={"nir": 4}) == (4, 3, 2, 1)


def test_landsat_7_numbers_are_not_guessed(described: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="no band found for nir, red, green, blue"):
        bands_of(described("B1", "B2", "B3", "B4"))


def test_a_single_nameless_band_is_near_infrared_with_a_warning(
    described: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    assert bands_of(described(None), ("nir",)) == (1,)
    assert "taken as near infrared" in caplog.text
    with pytest.raises(DataError, match="1=temperature"):
        bands_of(described("temperature"), ("nir",))


def test_missing_bands_name_the_flags(described: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"no band found for nir among 3 .*--bands nir=N or --sensor s2-l2a\|"):
        bands_of(described("red", "green", "blue"))
    with pytest.raises(DataError, match="has 3 bands, but --bands gives nir=4"):
        bands_of(described("red", "green", "blue"), bands={"nir": 4})
    with pytest.raises(DataError, match="--bands names 'gren', which no model uses; did you mean green"):
        bands_of(described("red", "green", "blue", "nir"), bands={"gren": 2})
    with pytest.raises(UnknownNameError, match="did you mean naip"):
        bands_of(described("red"), sensor="naipp")


def scaling_of(path: Path, **options: Any) -> Scaling | None:
    with Raster(path) as raster:
        return find_scaling(raster, (1, 2), **options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"sensor": "naip"}, None),
        ({"sensor": "landsat-c2-l2"}, (2.75e-5, -0.2)),
        ({"sensor": "s2-l2a"}, None),
        ({"sensor": "s2-l2a", "offset": -0.1}, (1e-4, -0.1)),
        ({"sensor": "s2-l2a", "offset": 0.0}, (1e-4, 0.0)),
        ({"sensor": "landsat-c2-l2", "scale": 0.5, "offset": 1.0}, (0.5, 1.0)),
        ({"scale": 0.5}, (0.5, 0.0)),
    ],
)
def test_scaling_in_order_of_trust(
    described: Callable[..., Path], options: dict[str, Any], expected: tuple[float, float] | None
) -> None:
    found = scaling_of(described(None, None), **options)
    assert found == (None if expected is None else Scaling((expected[0],) * 2, (expected[1],) * 2))


def test_scaling_in_the_file_wins_over_the_sensor(write_raster: WriteRaster) -> None:
    def change(target: Any) -> None:
        target.scales, target.offsets = (0.01, 0.02), (0.0, 1.0)

    path = write_raster(np.ones((2, 4, 4), np.uint16), change=change)
    assert scaling_of(path, sensor="landsat-c2-l2") == Scaling((0.01, 0.02), (0.0, 1.0))


def test_sentinel_2_offset_from_tags(described: Callable[..., Path]) -> None:
    path = described(None, None, tags={"BOA_ADD_OFFSET": "-1000"})
    assert scaling_of(path, sensor="s2-l2a") == Scaling((1e-4,) * 2, (-0.1,) * 2)


def test_unknown_scaling_is_refused_where_it_is_required(described: Callable[..., Path]) -> None:
    path = described(None, None)
    with pytest.raises(DataError, match=r"--offset -0.1 \(baseline 04.00"):
        scaling_of(path, sensor="s2-l2a", required=True)
    with pytest.raises(DataError, match=r"scaling of uint16 numbers is not known.*s2-l2a\|landsat-c2-l2"):
        scaling_of(path, required=True)


def test_scaling_is_applied_band_by_band() -> None:
    physical = Scaling((0.5, 2.0), (0.0, 1.0)).apply(np.full((2, 1, 1), 10, np.uint8))
    np.testing.assert_allclose(physical.ravel(), [5.0, 21.0])
    assert physical.dtype == np.float32


def test_percentiles_ignore_nodata_and_undeclared_fill(write_raster: WriteRaster) -> None:
    values = np.tile(np.arange(1, 101, dtype=np.uint16), (2, 100, 1))
    values[:, :50] = 0
    with Raster(write_raster(values)) as raster:
        assert percentiles(*read_overview(raster, [1])) == pytest.approx((3, 98), abs=1)
    with Raster(write_raster(values, nodata=0)) as raster:
        assert percentiles(*read_overview(raster, [1])) == pytest.approx((3, 98), abs=1)


def test_zeros_of_one_band_alone_are_no_fill(write_raster: WriteRaster) -> None:
    values = np.full((2, 20, 20), 50, np.uint16)
    values[0, :10] = 0
    with Raster(write_raster(values)) as raster:
        assert percentiles(*read_overview(raster, [1])) == (0, 50)


def test_zeros_under_a_mask_are_no_undeclared_fill(write_raster: WriteRaster) -> None:
    values = np.full((2, 20, 20), 50, np.uint16)
    values[:, :10] = 0
    with Raster(write_raster(values, nodata=0)) as raster:
        assert not look_over(raster, [1]).fill.any()
    with Raster(write_raster(values)) as raster:
        assert look_over(raster, [1]).fill.any()


def test_percentiles_of_nothing_and_of_a_constant(write_raster: WriteRaster) -> None:
    with Raster(write_raster(np.zeros((1, 9, 9), np.uint8), nodata=0)) as raster:
        assert percentiles(*read_overview(raster, [1])) is None
    with Raster(write_raster(np.full((1, 9, 9), 5, np.uint8))) as raster:
        assert percentiles(*read_overview(raster, [1])) == (5, 6)


def test_percentiles_of_a_large_constant(write_raster: WriteRaster) -> None:
    with Raster(write_raster(np.full((1, 9, 9), 1e30))) as raster:
        low, high = percentiles(*read_overview(raster, [1])) or (0.0, 0.0)
    assert low == 1e30 < high
