"""Rasters: the grid and the mask come back, tiles do not show, holes stay holes, and mistakes are named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from raster_scenes import UTM, numbers, pixels, write
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC
from rasterio.transform import Affine
from tiny_weights import tiny_weights

from nirtrans.config import Preprocessing
from nirtrans.errors import DataError, InputError, IOFailure, UserError
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.geotiff import Course, Result, SourceOptions, TileOptions, colorize_raster
from nirtrans.inference.raster_plan import parse_part
from nirtrans.inference.tiling import Window
from nirtrans.io.parts import Parts, Shard
from nirtrans.io.raster_form import RasterForm

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
GCPS = [GroundControlPoint(row, col, 10 + col / 100, 50 - row / 100, 0) for row in (0, 60) for col in (0, 70)]
Colorize = Callable[..., Result]


@pytest.fixture
def colorize(tmp_path: Path) -> Colorize:
    """Colorize into tmp_path/out.tif with weights of the given norm."""

    def call(source: Path, *, norm: str = "instance", rule: Preprocessing | None = None, **options: Any) -> Result:
        colorizer = load_colorizer(tiny_weights(norm, rule), device="cpu")
        return colorize_raster(colorizer, source, options.pop("target", tmp_path / "out.tif"), **options)

    return call


@pytest.mark.parametrize(
    "grid",
    [
        UTM,
        {"crs": "EPSG:4326", "transform": Affine(0.01, 0, 179.9, 0, -0.01, 10)},
        {"crs": "EPSG:32633", "transform": Affine(8, 3, 400_000, 3, -8, 5_000_000)},
        {"crs": "EPSG:4326", "transform": Affine(0.5, 0, 0, 0, 0.5, -20)},
        {"gcps": GCPS, "crs": "EPSG:4326"},
        {},
        {**UTM, "tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "lzw", "bigtiff": "yes"},
    ],
    ids=["utm", "antimeridian", "rotated", "south-up", "gcps", "bare", "bigtiff-tiled"],
)
def test_the_grid_comes_back(tmp_path: Path, colorize: Colorize, grid: dict[str, Any]) -> None:
    source = write(tmp_path / "in.tif", numbers(), **grid)
    with rasterio.open(source, "r+") as given:
        given.update_tags(PLACE="valley", AREA_OR_POINT="Point")
    colorize(source)
    with rasterio.open(source) as given, rasterio.open(tmp_path / "out.tif") as made:
        assert made.shape == given.shape
        assert made.crs == given.crs
        assert made.transform == given.transform
        assert [point.asdict() for point in made.gcps[0]] == [point.asdict() for point in given.gcps[0]]
        assert made.gcps[1] == given.gcps[1]
        assert given.tags().items() <= made.tags().items()
        assert made.tags()["SYNTHETIC_COLOR"] == "YES"
        assert made.colorinterp == (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
        assert made.dtypes == ("uint8",) * 3


def test_control_points_without_a_coordinate_system_come_back(tmp_path: Path, colorize: Colorize) -> None:
    source = write(tmp_path / "in.tif", numbers(), gcps=GCPS, crs=rasterio.crs.CRS())
    colorize(source)
    with rasterio.open(source) as given, rasterio.open(tmp_path / "out.tif") as made:
        assert len(given.gcps[0]) == 4
        assert [point.asdict() for point in made.gcps[0]] == [point.asdict() for point in given.gcps[0]]
        assert not made.gcps[1]


def test_numbers_beyond_float32_are_white(tmp_path: Path, colorize: Colorize) -> None:
    band = numbers().astype("float64")
    for name, white in (("far", 1e300), ("near", 4000.0)):
        source = write(tmp_path / "in.tif", np.where(band > 3000, white, band), **UTM)
        options = SourceOptions(input_range="500,4000")
        colorize(source, norm="batch", options=options, target=tmp_path / f"{name}.tif")
    assert np.array_equal(pixels(tmp_path / "far.tif"), pixels(tmp_path / "near.tif"))


def test_rpcs_come_back(tmp_path: Path, colorize: Colorize) -> None:
    source = write(tmp_path / "in.tif", numbers())
    coefficients = [1.0, *[0.0] * 19]
    with rasterio.open(source, "r+") as given:
        given.rpcs = RPC(
            height_off=1, height_scale=2, lat_off=3, lat_scale=4, line_off=5, line_scale=6, long_off=7, long_scale=8,
            samp_off=9, samp_scale=10, line_den_coeff=coefficients, line_num_coeff=coefficients,
            samp_den_coeff=coefficients, samp_num_coeff=coefficients,
        )  # fmt: skip
    colorize(source)
    with rasterio.open(source) as given, rasterio.open(tmp_path / "out.tif") as made:
        assert made.rpcs.to_gdal() == given.rpcs.to_gdal()


@pytest.mark.parametrize("norm", ["instance", "group", "batch", "none"])
@pytest.mark.parametrize("holes", [False, True])
def test_tiles_do_not_show(tmp_path: Path, colorize: Colorize, norm: str, holes: bool) -> None:
    band = numbers(150, 203)
    if holes:
        band[20:90, 30:110] = 0
        band[np.tri(150, 203, -100, dtype=bool)] = 0
    source = write(tmp_path / "in.tif", band, **UTM, nodata=0)
    form = RasterForm(block_px=16)
    colorize(source, norm=norm, target=tmp_path / "whole.tif", tiling=TileOptions(0), form=form)
    done = colorize(source, norm=norm, target=tmp_path / "tiled.tif", tiling=TileOptions(64), form=form)
    whole, tiled = (pixels(tmp_path / name).astype(int) for name in ("whole.tif", "tiled.tif"))
    assert done.tiles == 12
    assert whole[:, band > 0].std(axis=1).min() > 10
    assert np.abs(whole - tiled).max() <= 1
    assert (whole == tiled).mean() >= 0.999
    colorize(source, norm=norm, target=tmp_path / "cut.tif", tiling=TileOptions(64, 0), form=form)
    assert np.abs(whole - pixels(tmp_path / "cut.tif")).max() > 2  # without a halo tiles do show


@pytest.mark.parametrize("how", ["nodata", "nan", "internal", "alpha"])
def test_the_mask_comes_back_and_hidden_values_do_not_matter(tmp_path: Path, colorize: Colorize, how: str) -> None:
    valid = np.random.default_rng(1).random((70, 90)) > 0.2
    valid[:40, :30] = False
    for name, hidden in (("a", 0), ("b", 60000)):
        band = np.where(valid, numbers(), hidden).astype("float32" if how == "nan" else "uint16")
        _write_masked(tmp_path / f"{name}.tif", band, valid, how, hidden)
        colorize(tmp_path / f"{name}.tif", target=tmp_path / f"{name}-rgb.tif")
    with rasterio.open(tmp_path / "a-rgb.tif") as made:
        assert np.array_equal(made.dataset_mask() > 0, valid)
        assert not (tmp_path / "a-rgb.tif.msk").exists()
        colours = made.read()
    assert np.array_equal(colours, pixels(tmp_path / "b-rgb.tif"))


def _write_masked(path: Path, band: np.ndarray, valid: np.ndarray, how: str, hidden: int) -> None:
    if how == "nodata":
        write(path, band, **UTM, nodata=hidden)
    elif how == "nan":
        write(path, np.where(valid, band, np.nan if hidden else -3e38).astype("float32"), **UTM, nodata=-3e38)
    elif how == "internal":
        write(path, band, **UTM, mask=valid)
    else:
        write(path, band, **UTM, count=2, photometric="minisblack", alpha="yes")
        with rasterio.open(path, "r+") as target:
            target.write(valid.astype(band.dtype) * 65535, 2)


def test_a_band_named_as_input_is_no_mask(tmp_path: Path, colorize: Colorize) -> None:
    """Aerial photographs tag near infrared in band 4 as alpha."""
    path, band = tmp_path / "naip.tif", numbers(dtype="uint8")
    band[:10] = 0
    write(path, band, **UTM, count=4, photometric="rgb", alpha="yes")
    with rasterio.open(path, "r+") as target:
        target.write(band, 4)
        target.set_band_description(1, "")
    colorize(path, options=SourceOptions(bands={"nir": 4}))
    with rasterio.open(tmp_path / "out.tif") as made:
        assert (made.dataset_mask() > 0).all()
        assert made.read()[:, :10].any()


def test_a_scene_of_undeclared_fill_alone(tmp_path: Path, colorize: Colorize) -> None:
    colorize(
        write(tmp_path / "in.tif", np.zeros((40, 50), "uint16"), **UTM),
        tiling=TileOptions(16),
        form=RasterForm(block_px=16),
    )
    with rasterio.open(tmp_path / "out.tif") as made:
        assert (made.dataset_mask() > 0).all()


def test_undeclared_fill_keeps_the_mask_and_does_not_tint_the_scene(tmp_path: Path, colorize: Colorize) -> None:
    """Rotated footprints are often surrounded by zeros that no tag explains."""
    band = numbers(80, 120)
    corner = np.tri(80, 120, -20, dtype=bool)
    band[corner] = 0
    with rasterio.open(write(tmp_path / "declared.tif", band, **UTM), "r+") as target:
        target.nodata = 0
    write(tmp_path / "silent.tif", band, **UTM)
    for name in ("declared", "silent"):
        colorize(tmp_path / f"{name}.tif", target=tmp_path / f"{name}-rgb.tif")
    declared, silent = (pixels(tmp_path / f"{name}-rgb.tif") for name in ("declared", "silent"))
    assert np.array_equal(declared[:, ~corner], silent[:, ~corner])
    with rasterio.open(tmp_path / "silent-rgb.tif") as made:
        assert (made.dataset_mask() > 0).all()


def test_dark_pixels_of_one_band_are_measured_where_others_are_not_0(tmp_path: Path, colorize: Colorize) -> None:
    """A border of zeros in every band does not make fill of water, which is 0 in near infrared alone."""
    band = numbers(dtype="uint8")
    band[30:60, 40:80] = 0
    source = write(tmp_path / "in.tif", band, **UTM, count=2, photometric="minisblack")
    for name, border in (("whole", 0), ("bordered", 9)):
        with rasterio.open(source, "r+") as given:
            values = np.stack([band, np.full_like(band, 90)])
            values[:, :border] = 0
            given.write(values)
        rule = {"norm": "batch", "options": SourceOptions(input_range="0,255", bands={"nir": 1})}
        colorize(source, target=tmp_path / f"{name}.tif", **rule)
    whole, bordered = (pixels(tmp_path / f"{name}.tif")[:, 40:] for name in ("whole", "bordered"))
    assert np.array_equal(whole, bordered)


def test_alpha_that_is_not_the_last_band_is_a_mask(tmp_path: Path, colorize: Colorize) -> None:
    """GDAL flags no band as masked by it."""
    band, valid = numbers(), np.ones((70, 90), dtype=bool)
    valid[:20, :30] = False
    source = write(tmp_path / "in.tif", band, **UTM, count=4, photometric="minisblack", alpha="yes")
    with rasterio.open(source, "r+") as given:
        assert [colour.name for colour in given.colorinterp].index("alpha") == 1
        given.write(valid.astype("uint16") * 65535, 2)
    colorize(source)
    with rasterio.open(tmp_path / "out.tif") as made:
        assert np.array_equal(made.dataset_mask() > 0, valid)


@pytest.mark.parametrize(
    ("mask", "dtype"),
    [("internal", "uint8"), ("internal", "uint16"), ("internal", "float32"), ("alpha", "uint8"), ("alpha", "uint16"),
     ("nodata", "uint8"), ("nodata", "uint16"), ("nodata", "float32")],
)  # fmt: skip
def test_every_form_tells_invalid_pixels(tmp_path: Path, colorize: Colorize, mask: Any, dtype: Any) -> None:
    band = numbers()
    band[:30, :40] = 0
    source = write(tmp_path / "in.tif", band, **UTM, nodata=0)
    colorize(source, form=RasterForm(dtype, mask))
    with rasterio.open(tmp_path / "out.tif") as made:
        assert made.dtypes[0] == dtype
        assert made.count == (4 if mask == "alpha" else 3)
        assert np.array_equal(made.dataset_mask() > 0, band > 0)
        top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
        assert 0.5 * top < made.read(1)[band > 0].max() <= top


@pytest.mark.parametrize("compress", ["zstd", "deflate", "lzw", "none"])
def test_lossless_compressions_agree(tmp_path: Path, colorize: Colorize, compress: Any) -> None:
    source = write(tmp_path / "in.tif", numbers(), **UTM)
    colorize(source, target=tmp_path / "reference.tif")
    colorize(source, form=RasterForm(compress=compress))
    assert np.array_equal(pixels(tmp_path / "out.tif"), pixels(tmp_path / "reference.tif"))


def test_jpeg_is_close(tmp_path: Path, colorize: Colorize) -> None:
    source = write(tmp_path / "in.tif", numbers(), **UTM)
    colorize(source, target=tmp_path / "reference.tif")
    colorize(source, form=RasterForm(compress="jpeg"))
    difference = pixels(tmp_path / "out.tif").astype(int) - pixels(tmp_path / "reference.tif")
    assert np.abs(difference).mean() < 40


def test_nothing_valid_stays_nothing(tmp_path: Path, colorize: Colorize, caplog: pytest.LogCaptureFixture) -> None:
    source = write(tmp_path / "in.tif", np.zeros((40, 50), "uint16"), **UTM, nodata=0)
    done = colorize(source)
    assert done.valid_tiles == 0
    assert [record.message for record in caplog.records] == [
        f"{source} holds no valid pixel; the result is empty as well"
    ]
    with rasterio.open(tmp_path / "out.tif") as made:
        assert not made.dataset_mask().any()


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (9, 7), (2475, 7)])
def test_any_size(tmp_path: Path, colorize: Colorize, size: tuple[int, int]) -> None:
    colorize(write(tmp_path / "in.tif", numbers(*size), **UTM))
    assert pixels(tmp_path / "out.tif").shape == (3, *size)


def test_units_decide_the_range(tmp_path: Path, colorize: Colorize) -> None:
    rule = Preprocessing(kind="raster", units="reflectance", input_range=(0.05, 0.4))
    plain = write(tmp_path / "plain.tif", numbers(), **UTM)
    with pytest.raises(DataError, match="these weights want reflectance"):
        colorize(plain, rule=rule)
    colorize(plain, rule=rule, options=SourceOptions(scale=1e-4), target=tmp_path / "flag.tif")
    colorize(plain, rule=rule, options=SourceOptions(input_range="500,4000"), target=tmp_path / "range.tif")
    with rasterio.open(plain, "r+") as target:
        target.scales, target.offsets = (1e-4,), (0.0,)
    colorize(plain, rule=rule, target=tmp_path / "tags.tif")
    assert np.array_equal(pixels(tmp_path / "flag.tif"), pixels(tmp_path / "tags.tif"))
    assert np.abs(pixels(tmp_path / "flag.tif").astype(int) - pixels(tmp_path / "range.tif")).max() <= 1
    colorize(plain, target=tmp_path / "stretched.tif", options=SourceOptions(input_range="percentile:2,98"))
    colorize(plain, target=tmp_path / "default.tif")
    assert np.array_equal(pixels(tmp_path / "stretched.tif"), pixels(tmp_path / "default.tif"))


def test_the_tag_names_what_determines_the_pixels(tmp_path: Path, colorize: Colorize) -> None:
    colorize(write(tmp_path / "in.tif", numbers(), **UTM), options=SourceOptions(input_range="0,4000"))
    with rasterio.open(tmp_path / "out.tif") as made:
        told = json.loads(made.tags()["NIRTRANS"])
    colorizer: Colorizer = load_colorizer(tiny_weights(), device="cpu")
    assert told["weights_sha256"] == colorizer.digest
    assert told["input_range"] == [0, 4000]
    assert told["bands"] == [1]
    assert told["statistics"]["whole"] is True


def test_the_same_bytes_whatever_the_threads(tmp_path: Path, colorize: Colorize) -> None:
    source = write(tmp_path / "in.tif", numbers(150, 203), **UTM)
    made = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        colorize(source, tiling=TileOptions(64), form=RasterForm(block_px=16))
        made.append((tmp_path / "out.tif").read_bytes())
    assert made[0] == made[1] == made[2]


def test_a_large_scene_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "in.tif", numbers(600, 700, "uint8"), **UTM)
    colorizer = load_colorizer(tiny_weights(), device="cpu")
    monkeypatch.setattr(type(colorizer), "budget_px", 330**2)
    done = colorize_raster(colorizer, source, tmp_path / "out.tif")
    assert done.tiles == 9
    assert done.statistics.sample is not None
    assert not done.statistics.sample.whole
    assert 0.3 < done.statistics.sample.share < 1
    assert done.statistics.sample.tone_difference < 20


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("complex64", {}, "expected real numbers"),
        ("int32", {}, "give --input-range"),
        ("uint16", {"options": SourceOptions(bands={"nir": 3})}, "has 1 bands"),
        ("uint16", {"options": SourceOptions(input_range="9,1")}, "LO < HI"),
        ("uint16", {"options": SourceOptions(input_range="percentile:2,101")}, "0 to 100"),
        ("uint16", {"options": SourceOptions(input_range="1,nan")}, "LO < HI"),
        ("uint16", {"tiling": TileOptions(64, 32), "form": RasterForm(block_px=64)}, "must exceed twice --halo"),
        ("uint16", {"tiling": TileOptions(50)}, "multiple of the output block 256"),
        ("uint16", {"target": Path("/proc/out.tif")}, "cannot write"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, colorize: Colorize, kind: str, options: dict, message: str) -> None:
    source = write(tmp_path / "in.tif", numbers(dtype="float32").astype(kind), **UTM)
    with pytest.raises((DataError, InputError), match=message):
        colorize(source, **options)
    assert not (tmp_path / "out.tif").exists()


def test_palettes_are_no_measurements(tmp_path: Path, colorize: Colorize) -> None:
    source = write(tmp_path / "in.tif", numbers(dtype="uint8"), **UTM, photometric="palette")
    with rasterio.open(source, "r+") as target:
        target.write_colormap(1, {1: (255, 0, 0)})
    with pytest.raises(DataError, match="palette indices"):
        colorize(source)


def test_contradicting_forms_are_refused() -> None:
    with pytest.raises(InputError, match="multiple of 16"):
        RasterForm(block_px=100)
    with pytest.raises(InputError, match="no float as transparency"):
        RasterForm("float32", "alpha")
    for dtype, mask in (("uint16", "internal"), ("uint8", "alpha"), ("uint8", "nodata")):
        with pytest.raises(InputError, match="jpeg"):
            RasterForm(dtype, mask, compress="jpeg")  # type: ignore[arg-type]


def test_a_source_that_breaks_off_leaves_nothing(tmp_path: Path, colorize: Colorize) -> None:
    broken = tmp_path / "broken.tif"
    with rasterio.open(broken, "w", driver="GTiff", height=300, width=90, count=1, dtype="uint16", **UTM) as target:
        target.write(numbers(300, 90), 1)
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    options = SourceOptions(input_range="0,4000")
    with pytest.raises(IOFailure, match=r"reading \d+x\d+ pixels at row"):
        colorize(broken, norm="batch", options=options, tiling=TileOptions(64), form=RasterForm(block_px=16))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.tif"]


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_shards_assemble_to_the_same_bytes(tmp_path: Path, colorize: Colorize, norm: str) -> None:
    band = numbers(150, 203)
    band[:70, :80] = 0
    source = write(tmp_path / "in.tif", band, **UTM, nodata=0)
    cut = {"norm": norm, "tiling": TileOptions(64), "form": RasterForm(block_px=32)}
    whole = colorize(source, target=tmp_path / "whole.tif", **cut)
    for count in (2, 5):
        target = tmp_path / f"{count}.tif"
        for number in range(count, 0, -1):
            part = colorize(source, target=target, course=Course(shard=Shard(number, count)), **cut)
            assert not part.complete
            assert not target.exists()
        done = colorize(source, target=target, course=Course(resume=True), **cut)
        assert (done.tiles, done.valid_tiles) == (whole.tiles, whole.valid_tiles) == (12, 11)
        assert target.read_bytes() == (tmp_path / "whole.tif").read_bytes()
        assert not Parts(target).exist()


@pytest.mark.parametrize("nodata", [0, None])
def test_shards_of_nothing(tmp_path: Path, colorize: Colorize, nodata: int | None) -> None:
    """Without a measured pixel there are no statistics to freeze the network at."""
    source = write(tmp_path / "in.tif", np.zeros((40, 50), "uint16"), **UTM, nodata=nodata)
    cut = {"tiling": TileOptions(16), "form": RasterForm(block_px=16)}
    for number in (1, 2):
        colorize(source, course=Course(shard=Shard(number, 2)), **cut)
    assert colorize(source, course=Course(resume=True), **cut).complete
    with rasterio.open(tmp_path / "out.tif") as made:
        assert (made.dataset_mask() > 0).any() == (nodata is None)


def test_shards_that_are_missing_are_named(tmp_path: Path, colorize: Colorize) -> None:
    source, target = write(tmp_path / "in.tif", numbers(150, 203), **UTM), tmp_path / "out.tif"
    cut = {"tiling": TileOptions(64), "form": RasterForm(block_px=32)}
    for number in (1, 4):
        colorize(source, target=target, course=Course(shard=Shard(number, 4)), **cut)
    with pytest.raises(InputError, match=r"parts 2, 3 of 4 are not finished; run each with --shard I/4"):
        colorize(source, target=target, course=Course(resume=True), **cut)


def test_the_colours_of_a_neighbour(tmp_path: Path, colorize: Colorize) -> None:
    """With its neighbour's statistics a part of a scene has the colours of the whole."""
    band = numbers(160, 160)
    scene, part = write(tmp_path / "scene.tif", band, **UTM), write(tmp_path / "part.tif", band[:, :80], **UTM)
    statistics = tmp_path / "statistics.json"
    colorize(scene, target=tmp_path / "whole.tif", course=Course(stats_out=statistics))
    colorize(part, target=tmp_path / "alone.tif")
    colorize(part, target=tmp_path / "fitting.tif", course=Course(stats_in=statistics))
    whole, alone, fitting = (pixels(tmp_path / f"{name}.tif")[:, :, :50] for name in ("whole", "alone", "fitting"))
    assert (whole == fitting).mean() > 0.999
    assert (whole == alone).mean() < 0.9


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "frozen": {}}'])
def test_other_files_are_no_statistics(tmp_path: Path, colorize: Colorize, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(UserError, match=r"s\.json"):
        colorize(write(tmp_path / "in.tif", numbers(), **UTM), course=Course(stats_in=tmp_path / "s.json"))


@pytest.mark.parametrize(
    "form", [RasterForm(overviews="average"), RasterForm(cog=True), RasterForm(cog=True, overviews="none")]
)
def test_overviews_and_cog(tmp_path: Path, colorize: Colorize, form: RasterForm) -> None:
    band = numbers(400, 600)
    band[:100, :150] = 0
    source = write(tmp_path / "in.tif", band, **UTM, nodata=0)
    colorize(source, target=tmp_path / "plain.tif")
    colorize(source, target=tmp_path / "made.tif", form=form)
    with rasterio.open(tmp_path / "plain.tif") as plain, rasterio.open(tmp_path / "made.tif") as made:
        assert made.read().tolist() == plain.read().tolist()
        assert (made.dataset_mask() > 0).tolist() == (band > 0).tolist()
        assert (made.crs, made.transform, made.colorinterp) == (plain.crs, plain.transform, plain.colorinterp)
        assert made.overviews(1) == ([] if form.overviews == "none" else [2, 4] if not form.cog else [2])
        assert (made.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG") == form.cog
        assert made.tags()["SYNTHETIC_COLOR"] == "YES"
    assert {path.name for path in tmp_path.iterdir()} == {"in.tif", "plain.tif", "made.tif"}


def test_levels_are_those_of_the_compression() -> None:
    assert RasterForm(compress="zstd", level=22).creation_options()["zstd_level"] == 22
    assert RasterForm(compress="deflate", level=9).creation_options()["zlevel"] == 9
    for compress, level in (("zstd", 23), ("deflate", 13), ("lzw", 2), ("zstd", 0)):
        with pytest.raises(InputError, match=rf"--level {level} does not go with --compress {compress}"):
            RasterForm(compress=compress, level=level)  # type: ignore[arg-type]


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("part", [Window(0, 0, 40, 50), Window(33, 71, 90, 101), Window(149, 202, 1, 1)])
def test_a_part_equals_that_of_the_whole(tmp_path: Path, colorize: Colorize, norm: str, part: Window) -> None:
    band = numbers(150, 203)
    band[:70, :80] = 0
    source = write(tmp_path / "in.tif", band, **UTM, nodata=0)
    left, right = (400_000 + 10 * column for column in (part.left, part.right))
    top, bottom = (5_000_000 - 10 * row for row in (part.top, part.bottom))
    colorize(source, norm=norm, target=tmp_path / "whole.tif")
    cuts = {"window": TileOptions(64, window=part), "bbox": TileOptions(bounds=(left, bottom, right, top))}
    for name, tiling in cuts.items():
        colorize(source, norm=norm, target=tmp_path / f"{name}.tif", tiling=tiling, form=RasterForm(block_px=32))
        with rasterio.open(tmp_path / "whole.tif") as whole, rasterio.open(tmp_path / f"{name}.tif") as made:
            here = ((part.top, part.bottom), (part.left, part.right))
            assert np.abs(whole.read(window=here).astype(int) - made.read()).max() <= 1
            assert (whole.dataset_mask(window=here) == made.dataset_mask()).all()
            assert made.transform == whole.window_transform(here)


def test_control_points_and_rpcs_of_a_part(tmp_path: Path, colorize: Colorize) -> None:
    source = write(tmp_path / "in.tif", numbers(), gcps=GCPS, crs="EPSG:4326")
    colorize(source, tiling=TileOptions(window=Window(10, 20, 30, 40)))
    with rasterio.open(tmp_path / "out.tif") as made:
        moved = [(point.row + 10, point.col + 20, point.x, point.y) for point in made.gcps[0]]
    assert moved == [(point.row, point.col, point.x, point.y) for point in GCPS]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("0,0,0,5", None), "--window expects X,Y,W,H"),
        (("1,2,3", None), "--window expects X,Y,W,H"),
        (("1,2,3,99999999999", None), "--window expects X,Y,W,H"),
        ((None, "1,2,3"), "--bbox expects four numbers"),
        ((None, "3,2,1,4"), "left < right"),
        (("1,2,3,4", "1,2,3,4"), "give one of them"),
    ],
)
def test_parts_that_are_none(texts: tuple[str | None, str | None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_part(*texts)


@pytest.mark.parametrize("part", [TileOptions(window=Window(0, 0, 71, 9)), TileOptions(bounds=(0.0, 0.0, 9.0, 9.0))])
def test_parts_beyond_the_raster(tmp_path: Path, colorize: Colorize, part: TileOptions) -> None:
    with pytest.raises(InputError, match=r"has 90 x 70 px|does not meet it; it lies in 400000,4999300,400900,5000000"):
        colorize(write(tmp_path / "in.tif", numbers(), **UTM), tiling=part)


@pytest.mark.parametrize(("metres", "outcome"), [(10, "nothing"), (14, "warning"), (25, "refusal"), (0.6, "refusal")])
def test_pixels_of_another_size(
    tmp_path: Path, colorize: Colorize, caplog: pytest.LogCaptureFixture, metres: float, outcome: str
) -> None:
    grid = {"crs": "EPSG:32633", "transform": Affine(metres, 0, 400_000, 0, -metres, 5_000_000)}
    source = write(tmp_path / "in.tif", numbers(), **grid)
    rule = Preprocessing(kind="raster", units="percentile", gsd_m=10)
    if outcome == "refusal":
        with pytest.raises(DataError, match=rf"pixels of {metres} m, the weights learned from 10 m; .*--any-gsd"):
            colorize(source, rule=rule)
    colorize(source, rule=rule, options=SourceOptions(any_gsd=True))
    assert ("the weights learned from 10 m" in caplog.text) == (outcome != "nothing")
