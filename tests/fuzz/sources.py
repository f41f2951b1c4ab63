"""Small valid GeoTIFFs of every kind that GDAL writes, made from a generator of random numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.enums import Resampling
from rasterio.io import DatasetWriter
from rasterio.shutil import copy
from rasterio.transform import Affine

Rng = np.random.Generator
LARGEST_PX = 170
DTYPES = ("uint8", "uint8", "uint16", "uint16", "uint16", "int16", "float32", "float32", "float64")
ODD_DTYPES = ("int32", "uint32", "complex64", "int8", "float32")
COMPRESSIONS = (None, "lzw", "deflate", "zstd", "packbits", "lzma", "jpeg")
PLACES: tuple[dict[str, Any], ...] = (
    {"crs": "EPSG:32633", "transform": Affine(10, 0, 400_000, 0, -10, 5_000_000)},
    {"crs": "EPSG:4326", "transform": Affine(0.5, 0, 0, 0, 0.5, -20)},
    {"crs": "EPSG:32633", "transform": Affine(8, 3, 400_000, 3, -8, 5_000_000)},
    {},
)


@dataclass(frozen=True)
class Plan:
    """What a raster is like."""

    height: int
    width: int
    count: int
    dtype: str
    profile: dict[str, Any]
    masked: bool
    described: bool
    scaled: bool
    overviews: bool
    cog: bool


def pick(rng: Rng, choices: Any) -> Any:
    """Return one of several."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: Rng, share: float) -> bool:
    """Return True in a share of cases."""
    return bool(rng.random() < share)


def make_plan(rng: Rng) -> Plan:
    """Choose what a raster is like."""
    height, width = (1 if chance(rng, 0.04) else int(rng.integers(2, LARGEST_PX)) for _ in range(2))
    count = pick(rng, (1, 1, 1, 2, 3, 4))
    dtype = pick(rng, DTYPES if chance(rng, 0.94) else ODD_DTYPES)
    profile = _storage(rng, count, dtype)
    profile |= _meaning(rng, count, dtype, profile.get("compress")) | _place(rng)
    masked = "alpha" not in profile and chance(rng, 0.25)
    return Plan(
        height,
        width,
        count,
        dtype,
        profile,
        masked=masked,
        described=chance(rng, 0.7),
        scaled=chance(rng, 0.15),
        overviews=chance(rng, 0.2),
        cog=chance(rng, 0.1) and not dtype.startswith("complex"),
    )


def _storage(rng: Rng, count: int, dtype: str) -> dict[str, Any]:
    compress = pick(rng, COMPRESSIONS)
    if compress == "jpeg" and (dtype != "uint8" or count == 2):
        compress = "deflate"
    made = {"compress": compress} if compress else {}
    if compress in ("lzw", "deflate", "zstd") and not dtype.startswith("complex") and chance(rng, 0.5):
        made["predictor"] = 3 if dtype.startswith("float") and chance(rng, 0.5) else 2
    if chance(rng, 0.5):
        made |= {"tiled": True, "blockxsize": 16 * int(rng.integers(1, 9)), "blockysize": 16 * int(rng.integers(1, 9))}
    elif chance(rng, 0.7):
        made |= {"blockysize": int(rng.integers(1, 60)) if compress != "jpeg" else 8 * int(rng.integers(1, 8))}
    if chance(rng, 0.15):
        made["endianness"] = "big"
    if chance(rng, 0.1):
        made["sparse_ok"] = True
    return made | {"interleave": pick(rng, ("pixel", "band")), "bigtiff": pick(rng, ("yes", "no"))}


def _meaning(rng: Rng, count: int, dtype: str, compress: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"photometric": "minisblack"}
    if count in (3, 4) and chance(rng, 0.5):
        made["photometric"] = "rgb"
    if count == 1 and dtype == "uint8" and compress != "jpeg" and chance(rng, 0.06):
        made["photometric"] = "palette"
    if count in (2, 4) and chance(rng, 0.3):
        made["alpha"] = "yes"
    if chance(rng, 0.4):
        made["nodata"] = _nodata(rng, dtype)
    return made


def _nodata(rng: Rng, dtype: str) -> float:
    if dtype.startswith("float"):
        return float(pick(rng, (0.0, -9999.0, float("nan"), 1e30)))
    return float(pick(rng, (0, 0, 7, 100)))


def _place(rng: Rng) -> dict[str, Any]:
    if chance(rng, 0.1):
        points = [GroundControlPoint(row, col, col / 10, row / 10, 0) for row in (0, 50) for col in (0, 60)]
        return {"gcps": points, "crs": "EPSG:4326"}
    return dict(pick(rng, PLACES))


def write_source(path: Path, rng: Rng, plan: Plan) -> Path:
    """Write a raster according to plan."""
    plain = path.with_name("plain.tif") if plan.cog else path
    shape = {"height": plan.height, "width": plan.width, "count": plan.count, "dtype": plan.dtype}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(plain, "w", "GTiff", **shape, **plan.profile) as to:
        _fill_in(to, rng, plan)
    if plan.overviews and not plan.cog and min(plan.height, plan.width) > 8:
        with rasterio.open(plain, "r+") as to:
            to.build_overviews([2, 4], Resampling.nearest)
    if plan.cog:
        copy(plain, path, driver="COG", blocksize=128, compress="deflate")
        plain.unlink()
    return path


def _fill_in(to: DatasetWriter, rng: Rng, plan: Plan) -> None:
    """Write values, and whatever else the plan asks for."""
    if plan.described:
        to.set_band_description(1 + int(rng.integers(plan.count)), pick(rng, ("nir", "B8", "red", "NIR08")))
    if plan.scaled:
        to.scales, to.offsets = (1e-4,) * plan.count, (pick(rng, (0.0, -0.1)),) * plan.count
    if plan.profile["photometric"] == "palette":
        to.write_colormap(1, {1: (255, 0, 0, 255)})
    sparse = plan.profile.get("sparse_ok") and plan.profile.get("tiled")
    if sparse and chance(rng, 0.5):
        side = min(plan.height, plan.width, 16)
        to.write(values(rng, plan)[:, :side, :side], window=((0, side), (0, side)))
    else:
        to.write(values(rng, plan))
    if plan.masked:
        to.write_mask(holes(rng, plan.height, plan.width, 0.5))


def values(rng: Rng, plan: Plan) -> np.ndarray:
    """Return smooth bands with noise, and holes of zeros, of the nodata value or of what is no number."""
    rows, columns = np.mgrid[: plan.height, : plan.width]
    wave = np.sin(rows / rng.uniform(3, 20)) * np.cos(columns / rng.uniform(3, 20)) + rng.normal(0, 0.1, rows.shape)
    top = {"uint8": 200, "int8": 100}.get(plan.dtype, 4000) if not plan.dtype.startswith("float") else 0.5
    bands = np.stack([(0.5 + 0.25 * np.clip(wave * rng.uniform(0.5, 1), -2, 2)) * top for _ in range(plan.count)])
    if chance(rng, 0.1):
        bands[:] = top / 2
    for share, value in ((0.3, 0), (0.3, plan.profile.get("nodata")), (0.15, np.nan), (0.05, np.inf)):
        if value is not None and chance(rng, share) and (np.isfinite(value) or "float" in plan.dtype):
            bands[:, ~holes(rng, plan.height, plan.width, 0.9)] = value
    if plan.profile.get("alpha"):
        most = 255 if plan.dtype == "uint8" else 60000 if plan.dtype == "uint16" else 1
        bands[-1] = holes(rng, plan.height, plan.width, 0.5) * most
    return bands.astype(plan.dtype)


def holes(rng: Rng, height: int, width: int, whole: float) -> np.ndarray:
    """Return [height, width] that is False in some rectangles and pixels, or everywhere, or in a share nowhere."""
    valid = np.ones((height, width), dtype=bool)
    if chance(rng, 0.05):
        return ~valid
    for _ in range(int(rng.integers(1, 4))):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        valid[top : top + int(rng.integers(1, 90)), left : left + int(rng.integers(1, 90))] = False
    if chance(rng, 0.3):
        valid &= rng.random(valid.shape) > 0.1
    return valid if chance(rng, whole) else valid | True
