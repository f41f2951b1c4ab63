"""Read rasters by windows: bands in their own type, and which pixels are valid.

A band that is named as an input (by number, description or sensor) is data even where the file tags it as alpha, as
some near-infrared imagery does; other bands tagged alpha are masks. rasterio is imported when a raster is opened.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import DataError, InputError, IOFailure
from nirtrans.io.datasets import files_of, forget, is_remote, open_dataset, stamp
from nirtrans.io.gdal import gdal_reason, reading
from nirtrans.io.transforms import apply
from nirtrans.io.virtual import VirtualRaster

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

Window = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""
RASTER_SUFFIXES = (".tif", ".tiff", ".vrt", ".jp2")
NEARLY = 1e-6
"""Pixels by which a box may miss the edge of a pixel, since coordinates are rounded."""
TOUCHED_BY_VIEWERS = (".aux.xml", ".ovr")
"""Files beside a raster that programs make when they show it; they change no pixel."""
METRES_PER_DEGREE = 111_320.0
"""Length of one degree along the equator."""


class Raster:
    """A raster opened for reading; one per thread, since GDAL handles are not thread-safe.

    Args:
        source: A file, anything else that GDAL opens, or a raster made of several.
        failure: What a read that breaks off raises: IOFailure while colorizing, DataError for training data.
        decoders: Threads that decode the blocks of one read.

    Attributes:
        source: As given; opens the same raster once more.
        path: Its name.
        dataset: The rasterio dataset, for metadata that has no property here.

    Raises:
        DataError: If it cannot be opened as a raster.
    """

    def __init__(
        self,
        source: str | Path | VirtualRaster,
        *,
        failure: type[DataError] | type[IOFailure] = IOFailure,
        decoders: int = 1,
    ) -> None:
        self.source, self.failure, self.decoders = source, failure, decoders
        self.path, self._opened = source if isinstance(source, VirtualRaster) else (str(source), str(source))
        self.dataset: DatasetReader = open_dataset(self._opened, decoders)
        self._claimed: frozenset[int] = frozenset()

    def __enter__(self) -> "Raster":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def another(self) -> "Raster":
        """Open the same raster once more, for another thread."""
        handle = Raster(self.source, failure=self.failure, decoders=self.decoders)
        handle.claim(tuple(self._claimed))
        return handle

    def close(self) -> None:
        """Release the file."""
        self.dataset.close()

    @property
    def width(self) -> int:
        """Columns."""
        return self.dataset.width

    @property
    def height(self) -> int:
        """Rows."""
        return self.dataset.height

    @property
    def count(self) -> int:
        """Bands."""
        return self.dataset.count

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Sample type of each band."""
        return self.dataset.dtypes

    @property
    def descriptions(self) -> tuple[str, ...]:
        """Description of each band; empty where there is none."""
        return tuple(text or "" for text in self.dataset.descriptions)

    def common_name(self, band: int) -> str:
        """Return the STAC common name that the file's tags give a band, or an empty word."""
        tags = {name.lower(): text for name, text in self.dataset.tags(band).items()}
        return next((tags[name] for name in ("common_name", "eo:common_name", "stac_common_name") if name in tags), "")

    @cached_property
    def colours(self) -> tuple[str, ...]:
        """Colour interpretation of each band: red, gray, alpha, undefined, ..."""
        return tuple(colour.name for colour in self.dataset.colorinterp)

    @property
    def crs(self) -> Any:
        """Coordinate system, or None."""
        return self.dataset.crs

    @property
    def transform(self) -> Any:
        """Affine transform from pixels to coordinates."""
        return self.dataset.transform

    @property
    def profile(self) -> Any:
        """Creation profile as rasterio gives it."""
        return self.dataset.profile

    @cached_property
    def gsd_m(self) -> float | None:
        """Ground sampling distance, metres; None without a coordinate system."""
        if self.crs is None:
            return None
        step = float(np.sqrt(abs(self.transform.determinant)))
        if self.crs.is_projected:
            return step * self.crs.linear_units_factor[1]
        latitude = self.dataset.xy(self.height // 2, self.width // 2)[1]
        return step * METRES_PER_DEGREE * float(np.sqrt(max(np.cos(np.radians(latitude)), 0.0)))

    @cached_property
    def files(self) -> tuple[str, ...]:
        """All files that pixels come from, also those that virtual rasters name."""
        return tuple(sorted(set(files_of(self.dataset, seen=set()))))

    def identity(self) -> str:
        """Return what changes when a file is replaced: names, and size and time of local ones."""
        files = [name for name in self.files if not name.endswith(TOUCHED_BY_VIEWERS)]
        return "\n".join([self._opened, *map(stamp, files)])

    def window_of(self, bounds: tuple[float, float, float, float]) -> Window:
        """Return the pixels that a box in the raster's coordinates touches: top, left, height and width.

        Raises:
            InputError: If it does not meet the raster.
        """
        left, bottom, right, top = bounds
        columns, rows = apply(~self.transform, [left, left, right, right], [bottom, top, bottom, top])
        first_row, last_row, first_column, last_column = rows.min(), rows.max(), columns.min(), columns.max()
        first_row, first_column = max(0, floor(first_row + NEARLY)), max(0, floor(first_column + NEARLY))
        last_row, last_column = min(self.height, ceil(last_row - NEARLY)), min(self.width, ceil(last_column - NEARLY))
        if first_row >= last_row or first_column >= last_column:
            there = ",".join(f"{number:.8g}" for number in self.dataset.bounds)
            raise InputError(f"{self.path}: --bbox does not meet it; it lies in {there} (left, bottom, right, top)")
        return first_row, first_column, last_row - first_row, last_column - first_column

    def claim(self, bands: Sequence[int]) -> None:
        """Declare bands as data, so that none of them is taken as alpha in later reads."""
        self._claimed |= set(bands)

    def read(
        self, bands: Sequence[int], window: Window | None = None, *, size: tuple[int, int] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Read a window of some bands.

        Args:
            bands: Numbers from 1, in the order of the result.
            window: Part inside the raster; all of it if None.
            size: Height and width to decimate to by nearest neighbour; the window's own if None.

        Returns:
            values: [C, h, w], the raster's own type.
            valid: [h, w], True where every band is valid by its own mask and finite.

        Raises:
            IOFailure: If the file breaks off twice, naming the window (or the class given as `failure`).
        """
        from rasterio.errors import RasterioError

        self.claim(bands)
        part = window or (0, 0, self.height, self.width)
        try:
            return self._read(bands, part, size or part[2:])
        except RasterioError:  # what a server or a network drive refuses once it may give the second time
            self.close()
            forget(self._opened)
        try:
            self.dataset = open_dataset(self._opened, self.decoders)
            return self._read(bands, part, size or part[2:])
        except (RasterioError, DataError) as error:
            raise self._broken(part, error) from None

    def _read(
        self, bands: Sequence[int], part: Window, shape: tuple[int, int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        with reading(self.decoders):
            values = self.dataset.read(list(bands), window=_slices(part), out_shape=(len(bands), *shape))
            masks = list(self._masks(bands, part, shape))
        valid = np.isfinite(values).all(axis=0) if values.dtype.kind in "fc" else np.ones(shape, dtype=bool)
        for mask in masks:
            valid &= mask > 0
        return values, valid

    def _masks(self, bands: Sequence[int], part: Window, shape: tuple[int, int]) -> Iterator[NDArray[Any]]:
        """Yield masks [h, w], 0 where invalid: those of the bands themselves, and alpha bands that nobody claimed."""
        from rasterio.enums import MaskFlags

        flags = {band: self._mask_flags[band - 1] for band in bands}
        own = [b for b in bands if not {MaskFlags.all_valid, MaskFlags.alpha} & set(flags[b])]
        shared = [b for b in own if MaskFlags.per_dataset in flags[b]]
        for band in [b for b in own if b not in shared] + shared[:1]:
            yield self.dataset.read_masks(band, window=_slices(part), out_shape=shape)
        for number, colour in enumerate(self.colours, start=1):
            if colour == "alpha" and number not in self._claimed:
                yield self.dataset.read(number, window=_slices(part), out_shape=shape)

    @cached_property
    def _mask_flags(self) -> tuple[Any, ...]:
        """How each band is masked; GDAL is asked once, since files may claim tens of thousands of bands."""
        return tuple(self.dataset.mask_flag_enums)

    def _broken(self, part: Window, error: Exception) -> DataError | IOFailure:
        top, left, height, width = part
        local = "the file is damaged or truncated, replace it"
        return self.failure(
            f"{self.path}: reading {height}x{width} pixels at row {top}, column {left} failed ({gdal_reason(error)}); "
            f"{'the server fails, try again later' if is_remote(self.path) else local}"
        )


def _slices(part: Window) -> tuple[tuple[int, int], tuple[int, int]]:
    top, left, height, width = part
    return (top, top + height), (left, left + width)
