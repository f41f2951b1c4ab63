"""How the samples of a colour raster are stored."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import InputError

SampleType = Literal["uint8", "uint16", "float32"]
MaskKind = Literal["internal", "alpha", "nodata"]
Compression = Literal["zstd", "deflate", "lzw", "jpeg", "none"]
BigTiff = Literal["if_safer", "yes", "no"]
Overviews = Literal["average", "nearest", "none"]
BLOCK_PX = 512
JPEG_QUALITY = 90
CACHED_ROWS = 32
"""Rows that are rounded at a time, so that they stay in the processor's cache."""
_HIGHEST = {"zstd": 22, "deflate": 12}
"""Highest level of a compression."""


@dataclass(frozen=True)
class RasterForm:
    """How samples are stored.

    Attributes:
        dtype: uint8 and uint16 span their whole range, float32 is 0 to 1.
        mask: Where invalid pixels are told: a mask inside the file, an alpha band, or nodata (0, or NaN for floats).
        compress: zstd, deflate and lzw lose nothing.
        block_px: Side of the blocks, a multiple of 16; None to choose.
        level: Effort of zstd or deflate; 6 and 9 cost five times the time of 1 for 15 % fewer bytes.
        bigtiff: Whether offsets have 64 bits: if_safer where the uncompressed samples exceed 2 GB.
        overviews: How smaller pictures inside the file are made; None for average in a COG, else none.
        cog: Whether the result is a cloud-optimised GeoTIFF.
    """

    dtype: SampleType = "uint8"
    mask: MaskKind = "internal"
    compress: Compression = "zstd"
    block_px: int | None = None
    level: int = 1
    bigtiff: BigTiff = "if_safer"
    overviews: Overviews | None = None
    cog: bool = False

    def __post_init__(self) -> None:
        if self.block_px is not None and (self.block_px < 16 or self.block_px % 16):
            raise InputError(f"--block expects a multiple of 16, got {self.block_px}")
        if not 1 <= self.level <= _HIGHEST.get(self.compress, 1):
            known = " and ".join(f"{name} from 1 to {most}" for name, most in _HIGHEST.items())
            raise InputError(f"--level {self.level} does not go with --compress {self.compress}; {known} have levels")
        if self.compress == "jpeg" and (self.dtype != "uint8" or self.mask != "internal"):
            raise InputError(
                "--compress jpeg changes values: it holds uint8 without alpha or nodata; "
                "use --dtype uint8 --mask internal, or zstd"
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
        samples = np.empty(rgb.shape, self.dtype)
        for band, given in zip(samples, rgb, strict=True):
            for top in range(0, rgb.shape[1], CACHED_ROWS):
                rows = slice(top, top + CACHED_ROWS)
                band[rows] = self._encode_rows(given[rows], None if valid is None else valid[rows])
        return samples

    def _encode_rows(self, rows: NDArray[np.float32], valid: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        samples = rows.clip(0, 1)
        if self.dtype == "float32":
            return samples if valid is None else np.where(valid, samples, np.float32(self.nodata or 0))
        samples *= np.iinfo(self.dtype).max
        np.rint(samples, out=samples)
        if self.mask == "nodata":
            np.maximum(samples, 1, out=samples)
        if valid is not None:
            np.copyto(samples, 0, where=~valid)
        return samples

    def creation_options(self) -> dict[str, Any]:
        """Return what GDAL's GTiff driver is told about the storage."""
        block = self.block_px or BLOCK_PX
        options: dict[str, Any] = {"tiled": True, "blockxsize": block, "blockysize": block}
        options |= {"interleave": "pixel", "bigtiff": self.bigtiff, "sparse_ok": True, "photometric": "rgb"}
        if self.compress != "none":
            options["compress"] = self.compress
        if self.compress == "jpeg":
            return options | {"photometric": "ycbcr", "jpeg_quality": JPEG_QUALITY}
        predictor = {"predictor": 3 if self.dtype == "float32" else 2} if self.compress != "none" else {}
        alpha = {"alpha": "yes"} if self.mask == "alpha" else {}
        return options | predictor | alpha | self._level("zstd_level", "zlevel")

    def cog_options(self) -> dict[str, Any]:
        """Return what GDAL's COG driver is told; it copies georeference and mask itself."""
        options: dict[str, Any] = {"compress": self.compress, "blocksize": self.block_px or BLOCK_PX}
        options |= {
            "bigtiff": self.bigtiff,
            "sparse_ok": True,
            "overviews": "auto",
            "overview_resampling": self.thinning,
        }
        if self.thinning == "none":
            options |= {"overviews": "none", "overview_resampling": "nearest"}
        if self.compress == "jpeg":
            return options | {"quality": JPEG_QUALITY}
        predictor = {"predictor": "yes"} if self.compress != "none" else {}
        return options | predictor | self._level("level", "level")

    @property
    def thinning(self) -> Overviews:
        """How overviews are made."""
        return self.overviews or ("average" if self.cog else "none")

    def _level(self, zstd: str, deflate: str) -> dict[str, int]:
        names = {"zstd": zstd, "deflate": deflate}
        return {names[self.compress]: self.level} if self.compress in names else {}
