"""Parts of a raster that are not wanted: areas of interest and the neighbourhood of holes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from rasterio.transform import Affine
from rasterio.warp import transform_geom
from tiny_weights import tiny_weights

from nirtrans.errors import InputError
from nirtrans.inference.colorizer import load_colorizer
from nirtrans.inference.geotiff import Result, TileOptions, colorize_raster
from nirtrans.inference.output_mask import MaskOptions, eroded
from nirtrans.inference.tiling import Window
from nirtrans.io.area import Area, read_area
from nirtrans.io.geotiff import Raster
from nirtrans.io.raster_form import RasterForm

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
SHAPE = (150, 203)
GRID = Affine(10, 0, 400_000, 0, -10, 5_000_000)
TRIANGLE = [[400_305, 4_999_203], [401_602, 4_999_398], [400_901, 4_998_607], [400_305, 4_999_203]]
Colorize = Callable[..., Result]


def band() -> np.ndarray:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (2000 + 1000 * np.sin(rows / 5) * np.cos(columns / 7)).astype("uint16")


def write(path: Path, values: np.ndarray, **profile: Any) -> Path:
    shape = {"height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": values.dtype}
    place = {"crs": "EPSG:32633", "transform": GRID}
    with rasterio.open(path, "w", driver="GTiff", **{**shape, **place, **profile}) as target:
        target.write(values, 1)
        target.set_band_description(1, "nir")
    return path


def write_area(path: Path, geometry: Any, *, crs: str | None = None) -> Path:
    """Write a geometry given in EPSG:32633, in degrees or in a system named by the older form."""
    if crs is None:
        content = transform_geom("EPSG:32633", "OGC:CRS84", geometry, precision=12)
    else:
        content = {**geometry, "crs": {"type": "name", "properties": {"name": crs}}}
    path.write_text(json.dumps(content))
    return path


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with rasterio.open(path) as source:
        return source.read(), source.dataset_mask() > 0


@pytest.fixture
def colorize(tmp_path: Path) -> Colorize:
    def call(source: Path, name: str, **options: Any) -> Result:
        colorizer = load_colorizer(tiny_weights(options.pop("norm", "instance")), device="cpu")
        cut = {"tiling": TileOptions(64), "form": RasterForm(block_px=32)}
        return colorize_raster(colorizer, source, tmp_path / name, **{**cut, **options})

    return call


@pytest.mark.parametrize("crs", [None, "EPSG:32633", "urn:ogc:def:crs:EPSG::32633"])
@pytest.mark.parametrize("holes", [False, True])
def test_inside_an_area_nothing_changes(tmp_path: Path, colorize: Colorize, crs: str | None, holes: bool) -> None:
    values = band()
    if holes:
        values[60:90, 50:80] = 0
    source = write(tmp_path / "in.tif", values, nodata=0 if holes else None)
    area = write_area(tmp_path / "area.json", {"type": "Polygon", "coordinates": [TRIANGLE]}, crs=crs)
    whole = colorize(source, "whole.tif")
    made = colorize(source, "area.tif", mask=MaskOptions(area))
    colours, valid = read(tmp_path / "area.tif")
    drawn = rasterize([{"type": "Polygon", "coordinates": [TRIANGLE]}], SHAPE, transform=GRID).astype(bool)
    assert np.array_equal(valid, drawn & (values > 0))
    assert np.array_equal(colours[:, valid], read(tmp_path / "whole.tif")[0][:, valid])
    assert made.statistics == whole.statistics
    assert made.valid_tiles < made.tiles
    with rasterio.open(tmp_path / "area.tif") as source_made:
        assert len(json.loads(source_made.tags()["NIRTRANS"])["aoi_sha256"]) == 64


def test_tiles_outside_an_area_are_not_read(
    tmp_path: Path, colorize: Colorize, monkeypatch: pytest.MonkeyPatch
) -> None:
    corner = [[400_000, 5_000_000], [400_100, 5_000_000], [400_100, 4_999_900], [400_000, 5_000_000]]
    area = write_area(tmp_path / "area.json", {"type": "MultiPolygon", "coordinates": [[corner]]})
    source = write(tmp_path / "in.tif", band())
    colorize(source, "first.tif", norm="batch")
    windows, plain = [], Raster.read

    def watched(self: Raster, bands: Any, window: Any = None, *, size: Any = None) -> Any:
        windows.append(window)
        return plain(self, bands, window, size=size)

    monkeypatch.setattr(Raster, "read", watched)
    colorize(source, "out.tif", norm="batch", mask=MaskOptions(area))
    tiles = [window for window in windows if window is not None]  # None: the look at the whole scene
    assert len(tiles) == 1
    assert tiles[0][:2] == (0, 0)
    assert (tmp_path / "out.tif").stat().st_size < 0.5 * (tmp_path / "first.tif").stat().st_size


@pytest.mark.parametrize("mask", ["internal", "alpha", "nodata"])
def test_an_area_in_every_form(tmp_path: Path, colorize: Colorize, mask: Any) -> None:
    geometry = {"type": "Polygon", "coordinates": [TRIANGLE]}
    area = write_area(tmp_path / "area.json", geometry, crs="EPSG:32633")
    colorize(
        write(tmp_path / "in.tif", band()), "out.tif", mask=MaskOptions(area), form=RasterForm(mask=mask, block_px=32)
    )
    drawn = rasterize([geometry], SHAPE, transform=GRID).astype(bool)
    assert np.array_equal(read(tmp_path / "out.tif")[1], drawn)


def test_an_area_and_a_window(tmp_path: Path, colorize: Colorize) -> None:
    area = write_area(tmp_path / "area.json", {"type": "Polygon", "coordinates": [TRIANGLE]})
    source, part = write(tmp_path / "in.tif", band()), Window(70, 40, 50, 60)
    colorize(source, "whole.tif", mask=MaskOptions(area, 3))
    colorize(source, "part.tif", mask=MaskOptions(area, 3), tiling=TileOptions(32, window=part))
    whole, cut = read(tmp_path / "whole.tif"), read(tmp_path / "part.tif")
    assert np.array_equal(cut[1], whole[1][70:120, 40:100])
    assert np.abs(cut[0].astype(int) - whole[0][:, 70:120, 40:100]).max() <= 1
    with pytest.raises(InputError, match="does not meet the part"):
        colorize(source, "none.tif", mask=MaskOptions(area), tiling=TileOptions(window=Window(0, 0, 16, 16)))


@pytest.mark.parametrize("halo", [1, 7, 100])
@pytest.mark.parametrize("kind", ["nodata", "internal"])
def test_colours_near_holes_are_left_out(tmp_path: Path, colorize: Colorize, halo: int, kind: str) -> None:
    valid = np.random.default_rng(0).random(SHAPE) > 0.0005
    valid[:30, :10] = False
    values = np.where(valid, band(), 0).astype("uint16")
    source = write(tmp_path / "in.tif", values, nodata=0 if kind == "nodata" else None)
    if kind == "internal":
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(source, "r+") as target:
            target.write_mask(valid)
    colorize(source, "plain.tif")
    colorize(source, "out.tif", mask=MaskOptions(halo_px=halo))
    padded = np.pad(valid, halo, constant_values=True)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * halo + 1, 2 * halo + 1))
    expected = windows.all(axis=(2, 3))
    colours, made = read(tmp_path / "out.tif")
    assert np.array_equal(made, expected)
    assert np.array_equal(colours[:, made], read(tmp_path / "plain.tif")[0][:, made])


def test_without_holes_the_border_stays(tmp_path: Path, colorize: Colorize) -> None:
    source = write(tmp_path / "in.tif", band())
    colorize(source, "out.tif", mask=MaskOptions(halo_px=9))
    assert read(tmp_path / "out.tif")[1].all()


def test_reach_is_bounded() -> None:
    for reach in (-1, 1025):
        with pytest.raises(InputError, match=f"--mask-halo expects 0 to 1024 pixels, got {reach}"):
            MaskOptions(halo_px=reach)


@given(st.integers(0, 9), st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_erosion_looks_at_the_square_around(reach: int, height: int, width: int, seed: int) -> None:
    valid = np.random.default_rng(seed).random((height, width)) > 0.05
    padded = np.pad(valid, reach, constant_values=True)
    side = 2 * reach + 1
    expected = np.lib.stride_tricks.sliding_window_view(padded, (side, side)).all(axis=(2, 3))
    part = (slice(height // 3, height), slice(0, width - width // 2))
    assert np.array_equal(eroded(valid, reach, part), expected[part])


@given(st.integers(0, 2**31), st.integers(3, 12), st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_windows_make_up_the_whole_area(seed: int, corners: int, rings: int) -> None:
    """Polygons that cross themselves, reach far out and have holes."""
    numbers = np.random.default_rng(seed)
    rings_drawn = tuple(numbers.normal(50, 60, (corners, 2)) for _ in range(rings))
    area = Area((rings_drawn,), "")
    shape = {"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()] for ring in rings_drawn]}
    whole = rasterize([shape], (100, 90), transform=Affine.identity()).astype(bool)
    made = np.block([[area.inside((top, left, 25, 30)) for left in (0, 30, 60)] for top in (0, 25, 50, 75)])
    assert np.array_equal(made, whole)


def open_at(path: Path, crs: str, transform: Affine, size: int = 200) -> Raster:
    write(path, np.zeros((size, size), "uint8"), crs=crs, transform=transform)
    return Raster(path)


def test_a_long_edge_is_curved(tmp_path: Path) -> None:
    """A parallel of 30 degrees length is an arc on the map: the box of two corners would miss it by 80 km."""
    box = [[0, 40], [30, 40], [30, 60], [0, 60], [0, 40]]
    (tmp_path / "a.json").write_text(json.dumps({"type": "Polygon", "coordinates": [box]}))
    with open_at(tmp_path / "in.tif", "EPSG:32633", Affine(10_000, 0, -500_000, 0, -10_000, 7_000_000), 300) as raster:
        inside = read_area(tmp_path / "a.json", raster).inside(Window(0, 0, 300, 300))
        columns, rows = np.meshgrid(np.arange(300) + 0.5, np.arange(300) + 0.5)
        x, y = raster.transform * (columns, rows)
    from rasterio.warp import transform

    longitude, latitude = (
        np.reshape(values, (300, 300)) for values in transform("EPSG:32633", "OGC:CRS84", x.ravel(), y.ravel())
    )
    expected = (longitude > 0) & (longitude < 30) & (latitude > 40) & (latitude < 60)
    assert 0.1 < expected.mean() < 0.9
    assert (inside != expected).sum() <= 5


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:32660", Affine(1000, 0, 700_000, 0, -1000, 2_000_000)),
        ("EPSG:4326", Affine(0.01, 0, 179, 0, -0.01, 18)),
        ("EPSG:4326", Affine(0.01, 0, -181, 0, -0.01, 18)),
        ("EPSG:3832", Affine(1000, 0, 3_200_000, 0, -1000, 2_000_000)),
    ],
    ids=["utm", "east", "west", "pacific"],
)
def test_beyond_the_antimeridian(tmp_path: Path, crs: str, transform: Affine) -> None:
    """RFC 7946 cuts polygons there in two."""
    boxes = [[[west, 0], [west + 0.5, 0], [west + 0.5, 40], [west, 40], [west, 0]] for west in (179.5, -180.0)]
    (tmp_path / "a.json").write_text(json.dumps({"type": "MultiPolygon", "coordinates": [[box] for box in boxes]}))
    with open_at(tmp_path / "in.tif", crs, transform) as raster:
        inside = read_area(tmp_path / "a.json", raster).inside(Window(0, 0, 200, 200))
        widths = inside.sum(axis=1)
        degree_px = {"EPSG:4326": 100, "EPSG:32660": 111.32 * np.cos(np.radians(17)), "EPSG:3832": 111.32}
        assert np.abs(widths - degree_px[crs]).max() < 3
        assert inside[:, 100].mean() > 0.9 or crs != "EPSG:4326"


def test_the_whole_world_and_a_pole(tmp_path: Path) -> None:
    world = [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]
    (tmp_path / "world.json").write_text(json.dumps({"type": "Polygon", "coordinates": [world]}))
    north = [[-180, 80], [180, 80], [180, 90], [-180, 90], [-180, 80]]
    (tmp_path / "north.json").write_text(json.dumps({"type": "Polygon", "coordinates": [north]}))
    all_of_it = Window(0, 0, 200, 200)
    with open_at(tmp_path / "utm.tif", "EPSG:32633", GRID) as raster:
        assert read_area(tmp_path / "world.json", raster).inside(all_of_it).all()
        with pytest.raises(InputError, match=r"does not meet .*utm.tif"):
            read_area(tmp_path / "north.json", raster)
    polar = Affine(20_000, 0, -2_000_000, 0, -20_000, 2_000_000)
    with open_at(tmp_path / "polar.tif", "EPSG:3413", polar) as raster:
        assert read_area(tmp_path / "world.json", raster).inside(all_of_it).mean() > 0.99
        cap = read_area(tmp_path / "north.json", raster).inside(all_of_it)
    rows, columns = np.mgrid[:200, :200] - 99.5
    radius = np.hypot(rows, columns) * 20_000
    assert cap[radius < 1_050_000].mean() > 0.99  # 80 degrees north is 1 080 km from the pole
    assert not cap[radius > 1_110_000].any()


def test_what_a_satellite_cannot_see(tmp_path: Path) -> None:
    seen = "+proj=geos +h=35785831 +lon_0=-75 +sweep=x +ellps=GRS80"
    for name, half_width in (("near", 15), ("all", 105)):
        corners = [[-75 + x * half_width, y * 40] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        (tmp_path / f"{name}.json").write_text(json.dumps({"type": "Polygon", "coordinates": [corners]}))
    with open_at(tmp_path / "in.tif", seen, Affine(54_000, 0, -5.4e6, 0, -54_000, 5.4e6)) as raster:
        inside = read_area(tmp_path / "near.json", raster).inside(Window(0, 0, 200, 200))
        assert np.array_equal(inside, inside[::-1, ::-1])
        assert 0.1 < inside.mean() < 0.3
        with pytest.raises(InputError, match=r"all.json: cannot be brought to .*in.tif .*surroundings"):
            read_area(tmp_path / "all.json", raster)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [("EPSG:32633", Affine(8, 3, 400_000, 3, -8, 5_000_000)), ("EPSG:32633", Affine(10, 0, 400_000, 0, 10, 5_000_000))],
    ids=["rotated", "south-up"],
)
def test_an_area_on_other_transforms(tmp_path: Path, crs: str, transform: Affine) -> None:
    pixels = [(20.2, 30.3), (150.4, 40.1), (90.7, 170.6), (20.2, 30.3)]
    ring = [list(transform * corner) for corner in pixels]
    area = write_area(tmp_path / "a.json", {"type": "Polygon", "coordinates": [ring]})
    with open_at(tmp_path / "in.tif", crs, transform) as raster:
        inside = read_area(area, raster).inside(Window(0, 0, 200, 200))
    expected = rasterize([{"type": "Polygon", "coordinates": [pixels]}], (200, 200), transform=Affine.identity())
    assert (inside != expected.astype(bool)).sum() <= 2


def polygon(*corners: Any) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [list(corners)]})


FAR = ((1, 1), (2, 1), (2, 2), (1, 1))
HOSTILE = [
    ("", "expected GeoJSON, got something else; .*ogr2ogr"),
    ("SQLite format 3\0", "expected GeoJSON"),
    ("\xff\xfe", "expected GeoJSON"),
    ("[]", "expected GeoJSON"),
    ("null", "expected GeoJSON"),
    ("[" * 100_000, "expected GeoJSON"),
    ('{"type": "Topology"}', "expected GeoJSON"),
    ('{"type": "FeatureCollection"}', "expected GeoJSON"),
    ('{"type": "FeatureCollection", "features": [3]}', "expected GeoJSON"),
    ('{"type": "FeatureCollection", "features": []}', "expected a Polygon or MultiPolygon, got no geometry"),
    ('{"type": "Feature", "geometry": null}', "got no geometry"),
    ('{"type": "Point", "coordinates": [1, 2]}', "got Point"),
    ('{"type": "Polygon", "coordinates": []}', "polygons are empty"),
    ('{"type": "MultiPolygon", "coordinates": []}', "expected a Polygon or MultiPolygon, got no geometry|are empty"),
    ('{"type": "Polygon", "coordinates": 7}', "rings of at least three corners"),
    ('{"type": "Polygon", "coordinates": [[]]}', "rings of at least three corners"),
    (polygon((1, 1), (2, 2)), "rings of at least three corners"),
    (polygon((1, 1), (2, 2), (3,)), "rings of at least three corners"),
    (polygon((1, 1), (2, 2), ("3", "4")), "rings of at least three corners"),
    (polygon((1, 1), (2, 2), {"x": 3}), "rings of at least three corners"),
    ('{"type": "MultiPolygon", "coordinates": [true, 3]}', "rings of at least three corners"),
    (polygon((1, 1), (2, 2), (float("nan"), 3)), "rings of at least three corners"),
    (polygon((1, 1), (2, 2), (10**400, 3)), "rings of at least three corners"),
    (polygon((400_000, 5_000_000), (400_900, 5_000_000), (400_900, 4_999_000)), "expected degrees .*got 400900,5e"),
    (polygon((1, 1), (2, 2), (3, 91)), "expected degrees"),
    (polygon(*FAR), "does not meet .*longitude comes first"),
    (polygon(*FAR)[:-1] + ', "crs": {"type": "name", "properties": {"name": "EPSG:77"}}}', "not known to PROJ"),
    (polygon(*FAR)[:-1] + ', "crs": {"type": "link", "properties": {}}}', '"crs" has no name'),
    (polygon(*FAR)[:-1] + ', "crs": 5}', '"crs" has no name'),
    (polygon(*FAR)[:-1] + ', "crs": {"properties": {"name": {"type": "x"}}}}', '"crs" has no name'),
    (polygon(*FAR)[:-1] + ', "crs": {"properties": {"name": "\\ud800"}}}', "not known to PROJ"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_files_that_are_no_area(tmp_path: Path, colorize: Colorize, text: str, message: str) -> None:
    (tmp_path / "area.json").write_bytes(text.encode("latin-1"))
    source = write(tmp_path / "in.tif", band())
    with pytest.raises(InputError, match=message):
        colorize(source, "out.tif", mask=MaskOptions(tmp_path / "area.json"))
    assert {path.name for path in tmp_path.iterdir()} == {"in.tif", "area.json"}


def test_areas_need_coordinates(tmp_path: Path, colorize: Colorize) -> None:
    (tmp_path / "area.json").write_text(polygon(*FAR))
    bare = write(tmp_path / "bare.tif", band(), crs=None, transform=None)
    with pytest.raises(InputError, match=r"bare.tif: has no coordinate system .*--window"):
        colorize(bare, "out.tif", mask=MaskOptions(tmp_path / "area.json"))
    with pytest.raises(InputError, match=r"none.json: cannot be read \(No such file"):
        colorize(write(tmp_path / "in.tif", band()), "out.tif", mask=MaskOptions(tmp_path / "none.json"))


def test_an_area_between_the_centres_of_pixels(
    tmp_path: Path, colorize: Colorize, caplog: pytest.LogCaptureFixture
) -> None:
    tiny = [[400_051, 4_999_949], [400_052, 4_999_949], [400_052, 4_999_948], [400_051, 4_999_949]]
    area = write_area(tmp_path / "a.json", {"type": "Polygon", "coordinates": [tiny]}, crs="EPSG:32633")
    assert colorize(write(tmp_path / "in.tif", band()), "out.tif", mask=MaskOptions(area)).valid_tiles == 0
    assert "holds no valid pixel that is wanted" in caplog.text
