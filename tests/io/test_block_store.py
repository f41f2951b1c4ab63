"""Tiles on disk and their way into one GeoTIFF: whole, cut short, spread over shards."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from nirtrans.errors import InputError
from nirtrans.io.assembly import assemble
from nirtrans.io.block_store import BlockStore
from nirtrans.io.geotiff import Raster, Window
from nirtrans.io.geotiff_write import encode_tile, lay_out, may_have_holes
from nirtrans.io.raster_form import RasterForm

TILE_PX = 64
SIZE = (150, 200)


def windows() -> dict[int, Window]:
    height, width = SIZE
    starts = [(top, left) for top in range(0, height, TILE_PX) for left in range(0, width, TILE_PX)]
    return {
        i: (top, left, min(TILE_PX, height - top), min(TILE_PX, width - left)) for i, (top, left) in enumerate(starts)
    }


@pytest.fixture
def colours() -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture, [3, H, W], with a hole that swallows a tile."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    rgb = np.stack([rows / SIZE[0], columns / SIZE[1], (rows + columns) % 7 / 7]).astype(np.float32)
    valid = np.ones(SIZE, dtype=bool)
    valid[:100, :100] = False
    return rgb, valid


@pytest.fixture
def source(write_raster: Callable[..., Path]) -> Path:
    return write_raster(np.zeros((1, *SIZE), np.uint16), nodata=7)


def part(array: np.ndarray, window: Window) -> np.ndarray:
    top, left, height, width = window
    return array[..., top : top + height, left : left + width]


def fill(store: BlockStore, colours: tuple[np.ndarray, np.ndarray], tiles: list[int], form: RasterForm) -> None:
    for tile in tiles:
        rgb, valid = (part(array, windows()[tile]) for array in colours)
        store.append(tile, encode_tile(rgb if valid.any() else None, valid, form, masked=True), valid=int(valid.sum()))


FORMS = [RasterForm(block_px=32, compress=compress) for compress in ("zstd", "deflate", "lzw", "none")]
FORMS += [RasterForm(block_px=64, mask=mask, dtype="uint16") for mask in ("alpha", "nodata")]
FORMS += [RasterForm(block_px=16, dtype="float32", mask="nodata"), RasterForm(block_px=32, compress="jpeg")]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.compress}-{form.mask}-{form.dtype}")
def test_spliced_is_what_gdal_writes(
    tmp_path: Path, source: Path, colours: tuple[np.ndarray, np.ndarray], form: RasterForm
) -> None:
    with Raster(source) as raster:
        head = lay_out(raster, form, {"A": "b"}, (0, 0, *SIZE), masked=may_have_holes(raster))
    with BlockStore(tmp_path / "a.tif", key="k", head=head) as store:
        fill(store, colours, list(windows()), form)
    with rasterio.open(assemble([store], windows().__getitem__)) as made:
        rgb, valid = colours
        wanted = straight(tmp_path / "b.tif", form, rgb, valid)
        assert (made.dataset_mask() > 0).tolist() == valid.tolist()
        assert made.read([1, 2, 3])[:, valid].tolist() == wanted[:, valid].tolist()
        assert made.tags()["A"] == "b"
        assert made.crs == rasterio.crs.CRS.from_epsg(32633)


def straight(path: Path, form: RasterForm, rgb: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Write in one go with GDAL and read back."""
    shape = {"height": SIZE[0], "width": SIZE[1], "count": 3, "dtype": form.dtype, "driver": "GTiff"}
    options = {name: value for name, value in form.creation_options().items() if name != "alpha"}
    with rasterio.open(path, "w", **shape, **options) as made:
        made.write(form.encode(rgb, valid))
    with rasterio.open(path) as made:
        return made.read()


def test_shards_join_to_the_same_bytes(tmp_path: Path, source: Path, colours: tuple[np.ndarray, np.ndarray]) -> None:
    form, tiles = RasterForm(block_px=32), list(windows())
    with Raster(source) as raster:
        head = lay_out(raster, form, {}, (0, 0, *SIZE), masked=may_have_holes(raster))
    made = []
    for cuts in ([0, len(tiles)], [0, 5, len(tiles)], [0, 1, 3, len(tiles)]):
        stores = []
        for number, (begin, end) in enumerate(itertools.pairwise(cuts)):
            path = tmp_path / f"{len(cuts)}-{number}.tif"
            with BlockStore(path, key="k", head=b"" if number else head) as store:
                fill(store, colours, tiles[begin:end], form)
            stores.append(store)
        made.append(assemble(stores, windows().__getitem__).read_bytes())
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("cut", ["nothing", "data", "journal", "flipped bit", "assembled"])
def test_what_was_interrupted_goes_on(
    tmp_path: Path, source: Path, colours: tuple[np.ndarray, np.ndarray], cut: str
) -> None:
    form, tiles = RasterForm(block_px=32), list(windows())
    with Raster(source) as raster:
        head = lay_out(raster, form, {}, (0, 0, *SIZE), masked=may_have_holes(raster))
    with BlockStore(tmp_path / "whole.tif", key="k", head=head) as store:
        fill(store, colours, tiles, form)
    whole = assemble([store], windows().__getitem__).read_bytes()
    path = tmp_path / "cut.tif"
    with BlockStore(path, key="k", head=head) as store:
        fill(store, colours, tiles[:7], form)
    damage(path, cut, store)
    with BlockStore(path, key="k", head=head) as store:
        assert len(store.records) == {"data": 6, "journal": 6, "flipped bit": 6}.get(cut, 7)
        fill(store, colours, tiles[len(store.records) :], form)
    assert assemble([store], windows().__getitem__).read_bytes() == whole


def damage(path: Path, cut: str, store: BlockStore) -> None:
    content = path.read_bytes()
    if cut == "data":
        path.write_bytes(content[:-5])
    elif cut == "flipped bit":
        path.write_bytes(content[:-5] + bytes([content[-5] ^ 1]) + content[-4:])
    elif cut == "journal":
        store.journal.write_bytes(store.journal.read_bytes()[:-5])
    elif cut == "assembled":
        assemble([store], windows().__getitem__)


def test_another_run_is_refused(tmp_path: Path) -> None:
    BlockStore(tmp_path / "a.tif", key="one").close()
    with pytest.raises(InputError, match="another run; give the same options"):
        BlockStore(tmp_path / "a.tif", key="two")
