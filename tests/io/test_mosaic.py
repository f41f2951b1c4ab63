"""Mosaics: parts at their places, their masks, gaps, and parts that do not fit together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from nirtrans.errors import DataError
from nirtrans.io.geotiff import Raster
from nirtrans.io.sources import find_source
from nirtrans.io.virtual import gdal_name

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
GRID = Affine(10, 0, 400_000, 0, -10, 5_000_000)
CRS = "EPSG:32633"
GRIDS = {
    "utm": (CRS, GRID),
    "degrees": ("EPSG:4326", Affine(0.01, 0, 10, 0, -0.01, 50)),
    "rotated": (CRS, Affine(8, 3, 400_000, 3, -8, 5_000_000)),
    "south-up": (CRS, Affine(10, 0, 400_000, 0, 10, 5_000_000)),
    "without-crs": (None, GRID),
}


def at(transform: Affine, column: float, row: float) -> Affine:
    t = transform
    return Affine(t.a, t.b, t.c + t.a * column + t.b * row, t.d, t.e, t.f + t.d * column + t.e * row)


def write(
    path: Path,
    band: np.ndarray,
    place: tuple[float, float] = (0, 0),
    *,
    mask: np.ndarray | None = None,
    grid: str = "utm",
    tags: dict[str, str] | None = None,
    scale: float = 1.0,
    description: str = "nir",
    **profile: Any,
) -> Path:
    """Write a part whose corner is at a column and row of the grid."""
    crs, transform = GRIDS[grid]
    shape = {"height": band.shape[0], "width": band.shape[1], "count": 1, "dtype": band.dtype}
    values = {**shape, "crs": crs, "transform": at(transform, *place), **profile}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", driver="GTiff", **values) as target:
        for number in range(1, target.count + 1):
            target.write(band, number)
        target.set_band_description(1, description)
        target.scales = (scale,) * target.count
        target.update_tags(**(tags or {}))
        if mask is not None:
            target.write_mask(mask)
    return path


@pytest.fixture
def mosaic(tmp_path: Path) -> Callable[..., Raster]:
    def call(*names: str) -> Raster:
        (tmp_path / "tiles.txt").write_text("\n".join(names))
        return Raster(find_source(str(tmp_path / "tiles.txt"), ("nir",)))

    return call


def band(height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 5000, (height, width), dtype=np.uint16)


@pytest.mark.parametrize("grid", GRIDS)
def test_parts_make_up_the_whole(tmp_path: Path, mosaic: Callable[..., Raster], grid: str) -> None:
    whole = band()
    write(tmp_path / "whole.tif", whole, grid=grid)
    names = []
    for row in (0, 20):
        for column in (0, 25, 50):
            names.append(f"{row}-{column}.tif")
            part = whole[row : row + 22, column : column + 30]
            write(tmp_path / names[-1], part, (column, row), grid=grid, tags={"PLACE": "valley", "TILE": names[-1]})
    with mosaic(*names[::-1]) as made, Raster(tmp_path / "whole.tif") as plain:
        values, valid = made.read([1])
        assert np.array_equal(values[0], whole)
        assert valid.all()
        assert made.crs == plain.crs
        assert made.transform.almost_equals(plain.transform, 1e-6)
        assert "TILE" not in made.dataset.tags()
        assert made.dataset.tags()["PLACE"] == "valley"
        assert (made.descriptions, made.dtypes, made.colours) == (("nir",), ("uint16",), ("gray",))
        assert len(made.files) == 6


def test_blocks_are_those_of_the_parts(tmp_path: Path, mosaic: Callable[..., Raster]) -> None:
    """GDAL takes 128 px for every VRT; sides below 32 it does not take."""
    write(tmp_path / "a.tif", band(300, 300), tiled=True, blockxsize=256, blockysize=64)
    write(tmp_path / "b.tif", band(20, 30), (300, 0))
    with mosaic("b.tif", "a.tif") as made:
        assert made.dataset.block_shapes == [(64, 256)]


def test_later_parts_lie_over_earlier_ones_where_they_are_valid(tmp_path: Path, mosaic: Callable[..., Raster]) -> None:
    """Each part says in its own way what is invalid; columns 60 to 69 belong to no part."""
    low, high = np.full((40, 60), 7, np.uint16), np.full((40, 60), 9, np.uint16)
    low[:10] = 0
    write(tmp_path / "a.tif", low, nodata=0)
    hole = np.ones((40, 60), bool)
    hole[:, :15] = False
    write(tmp_path / "b.tif", high, (30, 0), mask=hole)
    spotted = np.full((40, 20), 11, np.uint16)
    spotted[20:, :5] = 65535
    spotted[30:, 10:] = 0  # a number like others
    write(tmp_path / "c.tif", spotted, (100, 0), nodata=65535)
    with mosaic("a.tif", "b.tif", "c.tif") as made:
        values, valid = made.read([1])
    expected = np.zeros((40, 120), np.uint16)
    expected[10:, :60] = 7
    expected[:, 45:90] = 9
    expected[:, 100:] = spotted
    known = expected > 0
    known[:, 100:] = spotted < 65535
    assert np.array_equal(valid, known)
    assert np.array_equal(values[0][known], expected[known])


LOWEST = float(np.finfo("float32").min)


@pytest.mark.parametrize(("dtype", "nodata"), [("float32", float("nan")), ("float32", LOWEST), ("int16", -9999)])
def test_one_value_for_nodata_in_all_parts(
    tmp_path: Path, mosaic: Callable[..., Raster], dtype: str, nodata: float
) -> None:
    for name, place, number in (("a", 0, 5), ("b", 10, 6), ("c", 40, 7)):
        values = np.full((20, 20), number, dtype)
        values[:5] = nodata if name == "b" else number
        write(tmp_path / f"{name}.tif", values, (place, 0), nodata=nodata)
    with mosaic("a.tif", "b.tif", "c.tif") as made:
        values, valid = made.read([1])
        assert made.dataset.nodata == nodata or np.isnan(nodata)
    assert valid.sum() == 20 * 20 + 15 * 10 + 20 * 20
    assert (values[0, :5, 10:20] == 5).all()
    assert (values[0, 5:, 10:30] == 6).all()
    assert not valid[:, 30:40].any()


def test_alpha_bands(tmp_path: Path, mosaic: Callable[..., Raster]) -> None:
    for name, place, number in (("a", 0, 5), ("b", 10, 6)):
        alpha = np.full((20, 20), 255, np.uint8)
        alpha[:5] = 0 if name == "b" else 255
        path = write(tmp_path / f"{name}.tif", np.full((20, 20), number, np.uint8), (place, 0), count=2, alpha="yes")
        with rasterio.open(path, "r+") as target:
            target.write(alpha, 2)
    with mosaic("a.tif", "b.tif") as made:
        assert made.colours == ("gray", "alpha")
        values, valid = made.read([1])
    assert valid.sum() == 20 * 20 + 15 * 10
    assert (values[0, :5, :20] == 5).all()
    assert (values[0, 5:, 10:] == 6).all()


def test_alpha_that_gdal_takes_for_no_mask(tmp_path: Path, mosaic: Callable[..., Raster]) -> None:
    """Of types other than uint8 and uint16 it hides what is below: no value is shown that its part calls invalid."""
    for name, place, number in (("a", 0, 5), ("b", 10, 6)):
        alpha = np.full((20, 20), 1, np.float32)
        alpha[:5] = 0 if name == "b" else 1
        path = write(tmp_path / f"{name}.tif", np.full((20, 20), number, np.float32), (place, 0), count=2, alpha="yes")
        with rasterio.open(path, "r+") as target:
            target.write(alpha, 2)
    with mosaic("a.tif", "b.tif") as made:
        values, valid = made.read([1])
    assert not valid[:5, 10:].any()
    assert valid[:5, :10].all()
    assert (values[0, 5:, 10:] == 6).all()


@pytest.mark.parametrize("seed", range(25))
def test_any_parts(tmp_path: Path, mosaic: Callable[..., Raster], seed: int) -> None:
    """Against the same composition by hand, with masks, nodata values and alpha bands."""
    numbers = np.random.default_rng(seed)
    kind = numbers.choice(["none", "nodata", "mask", "alpha"])
    count = int(numbers.choice([2, 4] if kind == "alpha" else [1, 3]))
    pasted = {n: np.zeros((60, 90), np.uint8) for n in range(1, count + 1 - (kind == "alpha"))}
    known = {n: np.zeros((60, 90), bool) for n in pasted}
    names = []
    for number in range(4):
        height, width = numbers.integers(1, 40, 2)
        place = int(numbers.integers(0, 90 - width)), int(numbers.integers(0, 60 - height))
        names.append(f"{number}.tif")
        part = numbers.integers(0, 5, (count, height, width), dtype=np.uint8)
        mask = numbers.random((height, width)) > 0.3 if kind == "mask" else None
        path = write(tmp_path / names[-1], part[0], place, count=count, mask=mask, **_storage(kind))
        with rasterio.open(path, "r+") as target:
            target.write(part)
        with rasterio.open(path) as given:
            for band, canvas in pasted.items():
                here = slice(place[1], place[1] + height), slice(place[0], place[0] + width)
                shown = given.read_masks(band) > 0
                canvas[here] = np.where(shown, given.read(band), canvas[here])
                known[band][here] |= shown
    with mosaic(*names) as made:
        values, valid = made.read(list(pasted))
        top = round((5_000_000 - made.transform.f) / 10)
        left = round((made.transform.c - 400_000) / 10)
    part = slice(top, top + valid.shape[0]), slice(left, left + valid.shape[1])
    expected = np.logical_and.reduce([known[band][part] for band in pasted])
    assert np.array_equal(valid, expected)
    for index, band in enumerate(pasted):
        assert np.array_equal(values[index][valid], pasted[band][part][valid])


def _storage(kind: str) -> dict[str, Any]:
    storage: dict[str, dict[str, Any]] = {"nodata": {"nodata": 0}, "alpha": {"alpha": "yes"}}
    return {"photometric": "minisblack", **storage.get(kind, {})}


def test_near_infrared_that_is_tagged_as_alpha_is_no_mask(tmp_path: Path, mosaic: Callable[..., Raster]) -> None:
    dark = np.zeros((20, 20), np.uint8)
    for column in (0, 30):
        write(tmp_path / f"{column}.tif", dark, (column, 0), count=4, photometric="rgb", alpha="yes")
    with mosaic("0.tif", "30.tif") as made:
        _, valid = made.read([4])
        assert valid.sum() == 2 * 20 * 20  # and the gap is none


@pytest.mark.parametrize("kind", ["nodata", "internal", "nan"])
def test_bands_keep_masks_of_their_own(tmp_path: Path, mosaic: Callable[..., Raster], kind: str) -> None:
    values = band().astype("float32")
    values[:10] = 0
    mask = {"nodata": None, "internal": values > 0, "nan": None}[kind]
    if kind == "nan":
        values[values == 0] = np.nan
    path = write(tmp_path / "a.tif", values, count=2, nodata=0 if kind == "nodata" else None, mask=mask)
    with rasterio.open(path, "r+") as target:
        target.write(np.ones((40, 60), np.float32), 2)
    with mosaic("a.tif") as made, Raster(path) as plain:
        for bands in ([1], [2], [1, 2]):
            (here, valid), (there, known) = made.read(bands), plain.read(bands)
            assert np.array_equal(valid, known)
            assert np.array_equal(here[:, valid], there[:, known])


def test_names_in_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "a b&c.tif", band())
    write(tmp_path / "other.tif", band(), (60, 0))
    lines = ["# tiles", "", "deep/a b&c.tif\r", f"  {tmp_path}/other.tif"]
    (tmp_path / "tiles.lst").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    monkeypatch.chdir(tmp_path / "deep")
    with Raster(find_source("@../tiles.lst", ("nir",))) as made:
        assert (made.width, made.path) == (120, "../tiles.lst")
        assert made.read([1])[1].all()


def test_names_for_gdal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["a.tif", "/x/a.tif", "/vsizip/a.zip/a.tif", "http://h/a.tif", "s3://b/a.tif", "file:///x/a.tif"]
    assert [gdal_name(name) for name in names] == [
        f"{tmp_path}/a.tif", "/x/a.tif", "/vsizip/a.zip/a.tif", "/vsicurl/http://h/a.tif", "/vsis3/b/a.tif", "/x/a.tif",
    ]  # fmt: skip


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"place": (60.5, 0)}, r"b.tif lies 0.5 and 0 px off the grid of .*a.tif"),
    ({"place": (60, 0.01)}, r"b.tif lies 0 and 0.01 px off the grid"),
    ({"transform": Affine(20, 0, 400_000, 0, -20, 5_000_000)}, "different pixels: 20,-20 and 10,-10"),
    ({"transform": Affine(10.001, 0, 400_000, 0, -10, 5_000_000)}, "different pixels: 10.001,-10 and 10,-10"),
    ({"transform": Affine(10, 0, 400_000, 0, 10, 5_000_000)}, "different pixels: 10,10 and 10,-10"),
    ({"crs": "EPSG:32634"}, "different coordinate systems: EPSG:32634 and EPSG:32633"),
    ({"crs": None, "transform": None}, "different coordinate systems: None and"),
    ({"count": 2}, "different numbers of bands: 2 and 1"),
    ({"dtype": "uint8"}, "different sample types: uint8 and uint16"),
    ({"description": "red"}, "different descriptions of bands: red and nir"),
    ({"description": ""}, "different descriptions of bands: - and nir"),
    ({"scale": 1e-4}, "different scales and offsets: 0.0001,0.0 and 1.0,0.0"),
    ({"place": (2**31, 0)}, "px apart; join neighbours alone"),
]


@pytest.mark.parametrize(("change", "message"), UNFIT, ids=[message[:30] for _, message in UNFIT])
def test_parts_that_do_not_fit(
    tmp_path: Path, mosaic: Callable[..., Raster], change: dict[str, Any], message: str
) -> None:
    write(tmp_path / "a.tif", band())
    values = band().astype(change.pop("dtype", "uint16"))
    write(tmp_path / "b.tif", values, **{"place": (60, 0), **change})
    with pytest.raises(DataError, match=message):
        mosaic("a.tif", "b.tif")


def test_what_a_thousandth_of_a_pixel_hides(tmp_path: Path, mosaic: Callable[..., Raster]) -> None:
    write(tmp_path / "a.tif", band())
    write(tmp_path / "b.tif", band(), (60.0004, 0))
    assert mosaic("a.tif", "b.tif").width == 120


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "names no raster"),
        (b"# nothing\n\n", "names no raster"),
        (b"\xff\xfe\x00", "cannot be read as a list of rasters"),
        (b"none.tif", "none.tif: no such file"),
        (b"list.txt", "list.txt: cannot be opened as a raster"),
        (b"a.tif\n.", "cannot be opened as a raster"),
        (b"bare.tif\nbare.tif", "bare.tif: has no coordinates"),
    ],
)
def test_lists_of_nothing(tmp_path: Path, text: bytes, message: str) -> None:
    write(tmp_path / "a.tif", band())
    write(tmp_path / "bare.tif", band(), crs=None, transform=None)
    (tmp_path / "list.txt").write_bytes(text)
    with pytest.raises(DataError, match=message):
        find_source(str(tmp_path / "list.txt"), ("nir",))


def vrt(path: Path, *names: str) -> Path:
    """Write a VRT over whole files of 60 x 40 px side by side."""
    pieces = "".join(
        f'<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand>'
        f'<DstRect xOff="{60 * column}" yOff="0" xSize="60" ySize="40"/></SimpleSource>'
        for column, name in enumerate(names)
    )
    size = f'rasterXSize="{60 * len(names)}" rasterYSize="40"'
    path.write_text(
        f'<VRTDataset {size}><VRTRasterBand dataType="UInt16" band="1">{pieces}</VRTRasterBand></VRTDataset>'
    )
    return path


def test_the_identity_covers_all_files(tmp_path: Path, mosaic: Callable[..., Raster]) -> None:
    write(tmp_path / "a.tif", band())
    write(tmp_path / "b.tif", band(), (60, 0))
    vrt(tmp_path / "inner.vrt", "b.tif")
    vrt(tmp_path / "outer.vrt", "a.tif", "inner.vrt")

    def identities() -> list[str]:
        with mosaic("a.tif", "b.tif") as joined, Raster(tmp_path / "outer.vrt") as outer:
            return [joined.identity(), outer.identity()]

    before = identities()
    assert identities() == before
    (tmp_path / "b.tif.aux.xml").write_text("<PAMDataset></PAMDataset>")  # a viewer keeps a histogram
    assert identities() == before
    write(tmp_path / "b.tif", band()[::-1], (60, 0))
    assert all(now != then for now, then in zip(identities(), before, strict=True))
    with mosaic("a.tif", "b.tif") as one, mosaic("b.tif", "a.tif") as other:
        assert one.identity() != other.identity()  # what lies on top is another
