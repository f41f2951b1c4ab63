"""Write colour rasters on the grid of their source, block by block, under their final name only when complete."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import InputError, IOFailure
from nirtrans.io.atomic import atomic_path, make_folder
from nirtrans.io.gdal import CACHE_BYTES, gdal_quiet, gdal_reason
from nirtrans.io.geotiff import Raster, Window

if TYPE_CHECKING:
    from rasterio.io import DatasetWriter

SampleType = Literal["uint8", "uint16", "float32"]
MaskKind = Literal["internal", "alpha", "nodata"]
Compression = Literal["zstd", "deflate", "lzw", "jpeg", "none"]
BLOCK_PX = 512
JPEG_QUALITY = 90
_LEVEL = {"zstd": {"zstd_level": 1}, "deflate": {"zlevel": 1}}  # levels 6 and 9 cost five times the time for 15 % less


@dataclass(frozen=True)
class RasterForm:
    """How samples are stored.

    Attributes:
        dtype: uint8 and uint16 span their whole range, float32 is 0 to 1.
        mask: Where invalid pixels are told: a mask inside the file, an alpha band, or nodata (0, or NaN for floats).
        compress: zstd, deflate and lzw lose nothing.
        block_px: Side of the blocks, a multiple of 16; None to choose.
    """

    dtype: SampleType = "uint8"
    mask: MaskKind = "internal"
    compress: Compression = "zstd"
    block_px: int | None = None

    def __post_init__(self) -> None:
        if self.block_px is not None and (self.block_px < 16 or self.block_px % 16):
            raise InputError(f"--block expects a multiple of 16, got {self.block_px}")
        if self.compress == "jpeg" and (self.dtype != "uint8" or self.mask == "alpha"):
            raise InputError(
                "--compress jpeg holds uint8 colours without alpha; use --dtype uint8 --mask internal, or zstd"
            )

        if self.mask == "alpha" and self.dtype == "float32":
            raise InputError(
                "--mask alpha holds uint8 or uint16, readers take no float as transparency; use --mask internal"
            )

    @property
    def nodata(self) -> float | None:
        """Value of invalid pixels; None unless it tells them."""
        if self.mask != "nodata":
            return None
        return float("nan") if self.dtype == "float32" else 0.0

    def encode(self, rgb: NDArray[np.float32], valid: NDArray[np.bool_] | None) -> NDArray[Any]:
        """Turn [3, h, w] in [0, 1] into samples, clamped and rounded; with nodata, valid ones never have its value."""
        samples = rgb.clip(0, 1)
        if self.dtype == "float32":
            return samples if valid is None else np.where(valid, samples, np.float32(self.nodata or 0))
        samples *= np.iinfo(self.dtype).max
        np.rint(samples, out=samples)
        if self.mask == "nodata":
            np.maximum(samples, 1, out=samples)
        if valid is not None:
            np.copyto(samples, 0, where=~valid)
        return samples.astype(self.dtype)

    def creation_options(self) -> dict[str, Any]:
        """Return what GDAL's GTiff driver is told about the storage."""
        block = self.block_px or BLOCK_PX
        options: dict[str, Any] = {"tiled": True, "blockxsize": block, "blockysize": block}
        options |= {"interleave": "pixel", "bigtiff": "if_safer", "sparse_ok": True, "photometric": "rgb"}
        if self.compress != "none":
            options["compress"] = self.compress
        if self.compress == "jpeg":
            return options | {"photometric": "ycbcr", "jpeg_quality": JPEG_QUALITY}
        predictor = {"predictor": 3 if self.dtype == "float32" else 2} if self.compress != "none" else {}
        alpha = {"alpha": "yes"} if self.mask == "alpha" else {}
        return options | predictor | alpha | _LEVEL.get(self.compress, {})


class RasterWriter:
    """A colour raster that is being written; made by `colour_raster`.

    Windows that start and end on blocks are written once; blocks that are never written stay sparse and invalid.
    """

    def __init__(self, dataset: "DatasetWriter", path: Path, form: RasterForm, *, masked: bool) -> None:
        self._dataset, self._path, self._form, self._masked = dataset, path, form, masked
        self._temporary = Path(dataset.name)

    def begin_mask(self) -> None:
        """Create the mask by one invalid block, since without any block the file would say that all is valid."""
        height, width = (min(size, self._form.block_px or BLOCK_PX) for size in self._dataset.shape)
        if self._form.mask == "internal" and self._masked:
            self._write_mask((0, 0, height, width), np.zeros((height, width), dtype=bool))

    def write(self, window: Window, rgb: NDArray[np.float32] | None, valid: NDArray[np.bool_] | None) -> None:
        """Write [3, h, w] in [0, 1]; None leaves the window sparse.

        Args:
            window: Top, left, height and width.
            rgb: Colours, or None where nothing is valid.
            valid: [h, w], or None where every pixel is valid.

        Raises:
            IOFailure: If the file cannot be written on, for example on a full disk.
        """
        if rgb is None:
            return
        from rasterio.errors import RasterioError

        self._check_room(window)
        try:
            with gdal_quiet():
                self._write(window, rgb, np.ones(rgb.shape[1:], dtype=bool) if valid is None else valid)
        except RasterioError as error:
            raise self._failure(window, gdal_reason(error)) from None

    def _check_room(self, window: Window) -> None:
        """Stop before the disk is full: GDAL notices late, when it flushes its cache, and prints lines of its own."""
        sample = self._dataset.count * np.dtype(self._form.dtype).itemsize
        left = self._dataset.height * self._dataset.width * sample - self._temporary.stat().st_size
        needed = min(left, window[2] * window[3] * sample + CACHE_BYTES)
        room = free_bytes(self._temporary)
        if needed > room:
            raise self._failure(window, f"{room / 1e6:.1f} MB are free, up to {needed / 1e6:.1f} MB needed")

    def _failure(self, window: Window, reason: str) -> IOFailure:
        place = f"at row {window[0]}, column {window[1]}"
        remedy = "nothing stands under that name, free space and run again"
        return IOFailure(f"writing {self._path} failed {place} ({reason}); {remedy}")

    def _write(self, window: Window, rgb: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
        self._dataset.write(self._form.encode(rgb, valid), indexes=[1, 2, 3], window=_part(window))
        if self._form.mask == "alpha":
            opaque = valid * np.iinfo(self._form.dtype).max
            self._dataset.write(opaque.astype(self._form.dtype), indexes=4, window=_part(window))
        elif self._form.mask == "internal" and self._masked:
            self._write_mask(window, valid)

    def _write_mask(self, window: Window, valid: NDArray[np.bool_]) -> None:
        import rasterio

        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):  # else it becomes a file of its own; settings are per thread
            self._dataset.write_mask(valid.astype(np.uint8) * np.uint8(255), window=_part(window))


def free_bytes(path: Path) -> int:
    """Return by how much a file may grow, as the disk and the limit on the size of files allow."""
    free = shutil.disk_usage(path.parent).free
    if sys.platform == "win32":
        return free
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return free if limit == resource.RLIM_INFINITY else min(free, limit - path.stat().st_size)


def _part(window: Window) -> Any:
    from rasterio.windows import Window as Part

    top, left, height, width = window
    return Part(left, top, width, height)


@contextmanager
def colour_raster(path: Path, source: Raster, form: RasterForm, tags: Mapping[str, str]) -> Iterator[RasterWriter]:
    """Open an RGB GeoTIFF on the grid of `source`: its size, CRS, transform or GCPs, RPCs and tags.

    Args:
        path: Target; appears when the block ends without an error.
        source: Raster whose grid is copied.
        form: How samples are stored.
        tags: Tags beside those of the source.

    Raises:
        InputError: If the target cannot be written.
        IOFailure: If writing breaks off, for example on a full disk.
    """
    import rasterio

    make_folder(path.parent)
    masked = may_have_holes(source)
    with atomic_path(path) as temporary, gdal_quiet():
        with rasterio.open(temporary, "w", **_profile(source, form)) as target:
            _describe(target, source, tags)
            writer = RasterWriter(target, path, form, masked=masked)
            writer.begin_mask()
            yield writer
        _check_complete(temporary)


def may_have_holes(source: Raster) -> bool:
    """Tell whether any pixel of the source could be invalid; if not, no mask is written."""
    from rasterio.enums import MaskFlags

    flags = source.dataset.mask_flag_enums
    return any(MaskFlags.all_valid not in band for band in flags) or any(np.dtype(t).kind == "f" for t in source.dtypes)


def _profile(source: Raster, form: RasterForm) -> dict[str, Any]:
    dataset = source.dataset
    profile = {"driver": "GTiff", "width": source.width, "height": source.height, "dtype": form.dtype}
    profile |= {"count": 4 if form.mask == "alpha" else 3, "nodata": form.nodata}
    gcps, _ = dataset.gcps
    if not gcps:
        profile["crs"] = dataset.crs
        if not dataset.transform.is_identity or dataset.crs:
            profile["transform"] = dataset.transform
    return profile | form.creation_options()


def _describe(target: "DatasetWriter", source: Raster, tags: Mapping[str, str]) -> None:
    """Copy what describes the grid and is no band's own."""
    gcps, crs = source.dataset.gcps
    if gcps:
        shift = _point_shift() if source.dataset.tags().get("AREA_OR_POINT") == "Point" else 0.0
        for gcp in gcps:
            gcp.row, gcp.col = gcp.row - shift, gcp.col - shift
        target.gcps = (gcps, crs)
    if source.dataset.rpcs:
        target.rpcs = source.dataset.rpcs
    target.update_tags(**{**source.dataset.tags(), **tags})
    for band, name in enumerate(("red", "green", "blue"), start=1):
        target.set_band_description(band, name)


def _point_shift() -> float:
    """Measure by how much GDAL moves control points where pixels are points: 1 in GDAL 3.10, where it should be 0."""
    from rasterio.control import GroundControlPoint
    from rasterio.io import MemoryFile

    with MemoryFile() as memory:
        with memory.open(driver="GTiff", width=1, height=1, count=1, dtype="uint8") as made:
            made.gcps = ([GroundControlPoint(0, 0, 0, 0)], "EPSG:4326")
            made.update_tags(AREA_OR_POINT="Point")
        with memory.open() as read:
            return read.gcps[0][0].row


def _check_complete(path: Path) -> None:
    """Read the last rows: GDAL reports a disk that filled up while closing a file only to its log."""
    import rasterio

    with rasterio.open(path) as written:
        written.read(window=((written.height - 1, written.height), (0, written.width)))
