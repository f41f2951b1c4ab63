"""STAC items: which assets are taken, what the item tells of their values, and items that do not do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.control
import rasterio.rpc
from rasterio.transform import Affine

from nirtrans.errors import DataError
from nirtrans.io.bands import find_bands, find_scaling
from nirtrans.io.geotiff import Raster
from nirtrans.io.sources import find_source

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
RGBN = ("red", "green", "blue", "nir")


def write(path: Path, *values: int, side_m: float = 10, size: int = 20, **profile: Any) -> Path:
    """Write a raster whose bands hold one value each, but 0 in the first row."""
    place = {"crs": "EPSG:32633", "transform": Affine(side_m, 0, 400_000, 0, -side_m, 5_000_000)}
    shape = {"height": size, "width": size, "count": len(values), "dtype": "uint16", **place}
    scale = profile.pop("scale", None)
    with rasterio.open(path, "w", driver="GTiff", **{**shape, **profile}) as target:
        for number, value in enumerate(values, start=1):
            band = np.full((size, size), value, target.dtypes[0])
            band[0] = 0
            target.write(band, number)
        if scale is not None:
            target.scales = (scale,) * len(values)
        target.update_tags(PLACE="valley", NAME=path.stem)
    return path


def asset(href: str, *names: str, role: str = "data", kind: str = COG, **facts: Any) -> dict[str, Any]:
    """Describe an asset as STAC 1.0 does; the facts are those of each band."""
    bands = [{"name": f"B{number}", "common_name": name} for number, name in enumerate(names)]
    return {"href": href, "type": kind, "roles": [role], "eo:bands": bands, "raster:bands": [facts for _ in names]}


def item(path: Path, assets: dict[str, Any], **properties: Any) -> str:
    content = {"type": "Feature", "stac_version": "1.0.0", "id": "x", "properties": properties, "assets": assets}
    path.write_text(json.dumps(content))
    return str(path)


def read(source: str, *wanted: str) -> Raster:
    return Raster(find_source(source, wanted))


@pytest.fixture
def sentinel(tmp_path: Path) -> dict[str, Any]:
    """Assets as of Sentinel-2: one file per band, another size, pictures and metadata."""
    for name, value in (("red", 400), ("green", 500), ("blue", 600), ("nir", 3000)):
        write(tmp_path / f"{name}.tif", value)
    write(tmp_path / "nir08.tif", 2900, side_m=20, size=10)
    write(tmp_path / "tci.tif", 1, 2, 3, dtype="uint8")
    known = {"scale": 1e-4, "offset": -0.1, "nodata": 0}
    picture = asset("tci.tif", "red", "green", "blue")
    return {
        "thumbnail": asset("tci.tif", "red", "green", "blue", role="thumbnail"),
        "visual": picture,
        "true": {**picture, "roles": ["visual"]},
        "metadata": {"href": "x.xml", "roles": ["metadata"]},
        "nir-jp2": asset("missing.jp2", "nir", kind="image/jp2", **known),
        "nir08": asset("nir08.tif", "nir08", **known),
        **{name: asset(f"{name}.tif", name, **known) for name in RGBN},
    }


def test_files_are_joined_as_bands(tmp_path: Path, sentinel: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    source = item(tmp_path / "item.json", sentinel)
    monkeypatch.chdir(tmp_path.parent)
    with read(source, *RGBN) as raster, rasterio.open(tmp_path / "nir.tif") as nir:
        assert raster.descriptions == RGBN
        assert find_bands(raster, RGBN) == (1, 2, 3, 4)
        assert (raster.crs, raster.transform, raster.dataset.shape) == (nir.crs, nir.transform, nir.shape)
        assert "NAME" not in raster.dataset.tags()
        assert raster.dataset.tags()["PLACE"] == "valley"
        values, valid = raster.read([1, 2, 3, 4])
        assert values[:, 1, 1].tolist() == [400, 500, 600, 3000]
        assert not valid[0].any()
        assert valid[1:].all()
        scaling = find_scaling(raster, (1, 4))
        assert scaling is not None
        assert (scaling.scale, scaling.offset) == ((1e-4, 1e-4), (-0.1, -0.1))
        assert len(raster.files) == 4


def test_only_what_is_wanted_is_opened(tmp_path: Path, sentinel: dict[str, Any]) -> None:
    (tmp_path / "red.tif").unlink()
    with read(item(tmp_path / "item.json", sentinel), "nir") as raster:
        assert raster.files == (str(tmp_path / "nir.tif"),)


def test_nir08_stands_in(tmp_path: Path, sentinel: dict[str, Any]) -> None:
    rest = {key: value for key, value in sentinel.items() if key not in ("nir", "nir-jp2")}
    with read(item(tmp_path / "item.json", rest), "nir") as raster:
        assert raster.read([1])[0][0, 5, 5] == 2900
        assert raster.descriptions == ("nir",)


def test_bands_of_stac_1_1_inherit(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", 400, 3000)
    bands = [{"name": "r", "eo:common_name": "red"}, {"eo:common_name": "nir", "raster:scale": 2e-4}]
    told = {"href": "a.tif", "bands": bands, "raster:scale": 1e-4, "raster:offset": -0.1, "nodata": 3000}
    with read(item(tmp_path / "item.json", {"data": told}), "nir", "red") as raster:
        assert (raster.dataset.scales, raster.dataset.offsets) == ((2e-4, 1e-4), (-0.1, -0.1))
        assert raster.read([2])[1].all()
        assert raster.read([1])[1].sum() == 20
    single = {"href": "a.tif", "eo:common_name": "nir"}
    with read(item(tmp_path / "item.json", {"data": single}), "nir") as raster:
        assert raster.read([1])[0].max() == 400


def test_the_file_has_the_first_word(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", 400, scale=3e-4, nodata=400)
    source = item(tmp_path / "item.json", {"a": asset("a.tif", "nir", scale=1e-4, offset=-0.1, nodata=0)})
    with read(source, "nir") as raster:
        assert (raster.dataset.scales, raster.dataset.offsets) == ((3e-4,), (0.0,))
        assert raster.read([1])[1].sum() == 20


@pytest.mark.parametrize("named", [True, False])
def test_near_infrared_tagged_as_alpha(tmp_path: Path, named: bool) -> None:
    """What the item names is data; an alpha band that it does not name is a mask."""
    write(tmp_path / "a.tif", 10, 20, 30, 40, dtype="uint8", photometric="rgb", alpha="yes")
    names = RGBN if named else RGBN[:3]
    with read(item(tmp_path / "item.json", {"image": asset("a.tif", *names)}), names[-1]) as raster:
        values, valid = raster.read([1])
    assert values[0, 5, 5] == (40 if named else 30)
    assert valid.sum() == (400 if named else 380)


@pytest.mark.parametrize("nodata", ["nan", None, -9999])
def test_nodata_that_marks_nothing(tmp_path: Path, nodata: Any) -> None:
    write(tmp_path / "a.tif", 400)
    with read(item(tmp_path / "item.json", {"a": asset("a.tif", "nir", nodata=nodata)}), "nir") as raster:
        assert raster.read([1])[1].all()


def test_properties_are_no_offset(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "a.tif", 400)
    properties = {"s2:processing_baseline": "05.11", "earthsearch:boa_offset_applied": True}
    for offset in ({}, {"offset": 0}, {"offset": -0.1}):
        assert not caplog.records
        source = item(tmp_path / "item.json", {"a": asset("a.tif", "nir", scale=1e-4, **offset)}, **properties)
        with read(source, "nir") as raster:
            assert raster.dataset.offsets == (offset.get("offset", 0),)
    assert "states offset -0.1 and says that it is applied already" in caplog.text


def test_the_item_is_part_of_the_identity(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", 400)
    texts = set()
    for scale in (1e-4, 2e-4):
        with read(item(tmp_path / "item.json", {"a": asset("a.tif", "nir", scale=scale)}), "nir") as raster:
            texts.add(raster.identity())
    assert len(texts) == 2


NIR = asset("a.tif", "nir")
ITEM = {"type": "Feature", "stac_version": "1.0.0", "assets": {}}
HOSTILE: list[tuple[Any, str]] = [
    (b"", "is no JSON"),
    (b"\xff\xfe\x00", "is no JSON"),
    (b"[" * 100_000, "is no JSON"),
    (b"[]", "expected a STAC item .*got list"),
    ({"type": "Collection", "stac_version": "1.0.0"}, "expected a STAC item .*got Collection"),
    ({"type": "FeatureCollection", "features": []}, "got FeatureCollection"),
    ({"type": "Feature", "geometry": None}, "got Feature"),
    ({**ITEM, "assets": [NIR]}, "expected a STAC item"),
    (ITEM, "no asset has a band with the common name nir; there are none"),
    ({**ITEM, "assets": {"a": asset("a.tif", "red", "green")}}, "common name nir; there are red, green"),
    ({**ITEM, "assets": {"a": asset("a.tif", "nir", role="thumbnail"), "b": 3}}, "there are none"),
    ({**ITEM, "assets": {"a": {**NIR, "href": 7}}}, "there are none"),
    ({**ITEM, "assets": {"a": {**NIR, "eo:bands": "nir", "raster:bands": [None]}}}, "there are none"),
    ({**ITEM, "assets": {"a": {**NIR, "roles": 5}}}, "roles"),
    ({**ITEM, "assets": {"a": asset("none.tif", "nir")}}, "none.tif: no such file"),
    ({**ITEM, "assets": {"a": asset("a.tif", "red", "nir")}}, "asset a: .*a.tif has 1 bands, the item says 2 or more"),
    ({**ITEM, "assets": {"a": asset("a.tif", "nir", scale="x")}}, "asset a: expected a number as scale, got 'x'"),
    ({**ITEM, "assets": {"a": asset("a.tif", "nir", scale=[1])}}, "asset a: expected a number as scale"),
    ({**ITEM, "assets": {"a": asset("a.tif", "nir", offset="nan")}}, "expected a scale and an offset"),
    ({**ITEM, "assets": {"a": asset("a.tif", "nir", scale=0)}}, "expected a scale and an offset"),
]


@pytest.mark.parametrize(("content", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_items_that_do_not_do(tmp_path: Path, content: Any, message: str) -> None:
    write(tmp_path / "a.tif", 400)
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    (tmp_path / "item.json").write_bytes(text)
    if message == "roles":
        assert read(str(tmp_path / "item.json"), "nir").count == 1
        return
    with pytest.raises(DataError, match=message):
        read(str(tmp_path / "item.json"), "nir")


def test_assets_of_different_grids(tmp_path: Path, sentinel: dict[str, Any]) -> None:
    rest = {key: value for key, value in sentinel.items() if key not in ("nir", "nir-jp2")}
    message = r"nir08.tif and .*red.tif have different resolutions: 10 x 10 px and 20 x 20 px; bring them to one grid"
    with pytest.raises(DataError, match=message):
        read(item(tmp_path / "item.json", rest), "red", "nir")
    moved = Affine(10, 0, 400_050, 0, -10, 5_000_000)
    for change, message in (
        ({"transform": Affine(10, 0, 400_005, 0, -10, 5_000_000)}, "red.tif lies 0.5 and 0 px off the grid"),
        ({"transform": moved}, "red.tif and .*nir.tif show different places"),
        ({"crs": "EPSG:32634"}, "different coordinate systems"),
    ):
        write(tmp_path / "red.tif", 400, **change)
        with pytest.raises(DataError, match=message):
            read(item(tmp_path / "item.json", sentinel), "nir", "red")


def test_coefficients_are_kept_and_control_points_refused(tmp_path: Path) -> None:
    point = rasterio.control.GroundControlPoint(0, 0, 10, 50, 0)
    write(tmp_path / "a.tif", 400)
    source = item(tmp_path / "item.json", {"a": asset("a.tif", "nir")})
    coefficients = [1.0, *[0.0] * 19]
    with rasterio.open(tmp_path / "a.tif", "r+") as target:
        names = ("height", "lat", "line", "long", "samp")
        numbers = {f"{name}_{kind}": 2.5 for name in names for kind in ("off", "scale")}
        lists = {f"{axis}_{part}_coeff": coefficients for axis in ("line", "samp") for part in ("num", "den")}
        target.rpcs = rasterio.rpc.RPC(**numbers, **lists)
    with read(source, "nir") as raster, rasterio.open(tmp_path / "a.tif") as plain:
        assert raster.dataset.rpcs.to_gdal() == plain.rpcs.to_gdal()
    (tmp_path / "a.tif").unlink()
    write(tmp_path / "a.tif", 400, transform=None, gcps=[point] * 3)
    with pytest.raises(DataError, match=r"item.json: .*a.tif has no transform; give that file itself"):
        read(source, "nir")


def test_items_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.json: cannot be read \(No such file"):
        read(str(tmp_path / "none.json"), "nir")
    with pytest.raises(DataError, match=r"item.json: cannot be read \(.*refused"):
        read("http://127.0.0.1:9/item.json", "nir")
