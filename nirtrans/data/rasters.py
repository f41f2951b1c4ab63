"""Rasters as training data: bands found, every file read through once, tiles cut within scenes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.config import DataSettings, Preprocessing, SourceSettings
from nirtrans.data.cache import DECODED, stamp
from nirtrans.data.layout import Layout
from nirtrans.data.picture import Collection, Pixels, Window, cut
from nirtrans.data.readable import open_readable
from nirtrans.data.split import Label
from nirtrans.data.stretch import Stretch, source_stretch, target_stretch
from nirtrans.data.synthetic import NIR_TOP
from nirtrans.errors import DataError
from nirtrans.io.bands import Scaling, find_bands, find_scaling
from nirtrans.io.gdal import gdal_cache
from nirtrans.io.geotiff import Raster

COLOURS = ("red", "green", "blue")
MIN_VALID_SHARE = 0.5
"""Tiles with a smaller share of valid pixels are dropped."""
HELD_OUT_SHARE = 1 / 6
"""Lower part of a single raster that validates."""
MIN_HELD_OUT_PX = 32
STRIP_PX = 512
"""Height of the strips in which a raster is read through; a multiple of CELL_PX."""
CELL_PX = 16
"""Side of the cells in which valid pixels are counted."""


@dataclass(frozen=True)
class RasterFile:
    """What is known of one raster before it is cut.

    Attributes:
        path: The file.
        label: Name, scene and split.
        sources: Numbers of the source bands.
        targets: Numbers of the red, green and blue band.
        source_scaling: Physical units of the source, if known.
        target_stretch: How the colours are shown.
        size: Height and width, pixels.
        coverage: Share of valid pixels in cells of CELL_PX.
        gsd_m: Ground sampling distance, metres.
    """

    path: Path
    label: Label
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    source_scaling: Scaling | None
    target_stretch: Stretch
    size: tuple[int, int]
    coverage: NDArray[np.float64]
    gsd_m: float | None


def survey_all(
    layout: Layout, labels: Mapping[str, Label], source: SourceSettings, domain: str, *, skip_bad: bool = False
) -> list[RasterFile]:
    """Survey the rasters of a source that are labelled.

    Raises:
        DataError: If one of them cannot be used, unless `skip_bad`; or if none is left.
    """
    paths = layout.groups["rasters"]
    return open_readable(
        labels, lambda name: survey(paths[name], labels[name], source, domain), folder=layout.path, skip_bad=skip_bad
    )


def survey(path: Path, label: Label, source: SourceSettings, domain: str) -> RasterFile:
    """Find bands, scaling and stretch of one raster.

    Raises:
        DataError: If it cannot be read, a band is not found, or no pixel is valid.
    """
    with gdal_cache(), Raster(path, failure=DataError) as raster:
        sources = find_bands(raster, (domain,), bands=source.bands, sensor=source.sensor)
        targets = find_bands(raster, COLOURS, bands=source.bands, sensor=source.sensor)
        units = {
            bands: find_scaling(raster, bands, sensor=source.sensor, scale=source.scale, offset=source.offset)
            for bands in (sources, targets)
        }
        coverage = _read_through(raster, sources + targets)
        stretch = target_stretch(raster, targets, units[targets], source.sensor)
        size = (raster.height, raster.width)
        return RasterFile(path, label, sources, targets, units[sources], stretch, size, coverage, raster.gsd_m)


def _read_through(raster: Raster, bands: Sequence[int]) -> NDArray[np.float64]:
    """Read everything once, so that damage shows before training, and return the share of valid pixels per cell."""
    strips = []
    for top in range(0, raster.height, STRIP_PX):
        numbers, valid = raster.read(bands, (top, 0, min(STRIP_PX, raster.height - top), raster.width))
        strips.append(_cell_means(is_data(numbers, valid)))
    coverage = np.concatenate(strips)
    if not coverage.any():
        raise DataError(f"{raster.path}: every pixel is nodata; leave it out of the training data")
    return coverage


def _cell_means(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Average [H, W] over cells; those at the border may be smaller."""
    rows, columns = (np.arange(0, length, CELL_PX) for length in mask.shape)
    sums = np.add.reduceat(np.add.reduceat(mask, rows, axis=0, dtype=np.float64), columns, axis=1)
    height, width = (
        np.diff(np.append(starts, length)) for starts, length in zip((rows, columns), mask.shape, strict=True)
    )
    return sums / np.outer(height, width)


def _share(coverage: NDArray[np.float64], window: Window) -> float:
    """Return about how much of a window is valid."""
    top, left, height, width = window
    cells = coverage[top // CELL_PX : -(-(top + height) // CELL_PX), left // CELL_PX : -(-(left + width) // CELL_PX)]
    return float(cells.mean())


def is_data(numbers: NDArray, valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels [H, W] are valid and not 0 in all bands, which is fill that the file does not declare."""
    return valid & (numbers != 0).any(axis=0)


@dataclass(frozen=True)
class Site:
    """A window of a raster, decoded once for source and target; what is invalid in one band is invalid in all."""

    path: Path
    bands: tuple[int, ...]
    window: Window

    def read(self) -> tuple[NDArray, NDArray[np.bool_]]:
        """Return the numbers of all bands [C, H, W] and the mask of valid pixels [H, W], from the cache if possible."""
        return DECODED.get((self, stamp(self.path)), self._decode)

    def _decode(self) -> tuple[NDArray, NDArray[np.bool_]]:
        with gdal_cache(), Raster(self.path, failure=DataError) as raster:
            numbers, valid = raster.read(self.bands, self.window)
        return numbers, is_data(numbers, valid)


@dataclass(frozen=True)
class RasterTile:
    """The source or the target of a site; see `Picture`.

    Attributes:
        site: Where the numbers come from.
        channel_slice: First and last + 1 of the site's bands.
        stretch: How they become [0, 1].
    """

    id: str
    scene: str
    site: Site
    channel_slice: tuple[int, int]
    stretch: Stretch
    split: str | None = None
    turnable: bool = True
    group: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.site.window[2:]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.channel_slice[1] - self.channel_slice[0]

    def read(self, window: Window | None = None) -> Pixels:
        """Return stretched values, their mean at invalid pixels, and the mask."""
        numbers, mask = self.site.read()
        valid = cut(mask, window)
        pixels = self.stretch.apply(np.nan_to_num(cut(numbers[slice(*self.channel_slice)], window)))
        if valid.all():
            return pixels, None
        mean = pixels[:, valid].mean(axis=1) if valid.any() else np.zeros(len(pixels), dtype=np.float32)
        return np.where(valid, pixels, mean[:, None, None]), valid


def cut_rasters(files: Sequence[RasterFile], settings: DataSettings, domain: str) -> Collection:
    """Cut rasters into tiles and decide by one rule for all how their sources become [0, 1].

    Raises:
        DataError: If no tile with enough valid pixels is left.
    """
    preprocessing = _preprocessing(files, settings, domain)
    sources: list[RasterTile] = []
    targets: list[RasterTile] = []
    for file in files:
        stretch = _source_stretch(file, preprocessing)
        for name, scene, site in _sites(file, settings.crop_px, alone=len(files) == 1):
            first = len(file.sources)
            group = file.label.group or file.label.name
            tile = partial(RasterTile, name, scene, site, split=file.label.split, group=group)
            sources.append(tile((0, first), stretch))
            targets.append(tile((first, first + 3), file.target_stretch))
    if not sources:
        raise DataError(f"{files[0].path}: more than half of every tile is nodata; nothing is left to train on")
    description = f"{len(sources)} tiles of {len(files)} rasters"
    return Collection(tuple(sources), tuple(targets), True, preprocessing, description)


def _preprocessing(files: Sequence[RasterFile], settings: DataSettings, domain: str) -> Preprocessing:
    known = all(file.source_scaling is not None for file in files)
    by_percentile = settings.input_range == "percentile" or (settings.input_range is None and not known)
    given = None if isinstance(settings.input_range, str) else settings.input_range
    distances = [file.gsd_m for file in files if file.gsd_m is not None]
    return Preprocessing(
        kind="raster",
        bands=(domain,),
        units="percentile" if by_percentile else "reflectance",
        input_range=None if by_percentile else given or (0.0, NIR_TOP),
        gsd_m=float(np.median(distances)) if distances else None,
    )


def _source_stretch(file: RasterFile, preprocessing: Preprocessing) -> Stretch:
    with gdal_cache(), Raster(file.path, failure=DataError) as raster:
        raster.claim(file.targets)
        return source_stretch(raster, file.sources, file.source_scaling, preprocessing.input_range)


def _sites(file: RasterFile, crop_px: int, *, alone: bool) -> Iterator[tuple[str, str, Site]]:
    """Yield name, scene and site of each tile with enough valid pixels."""
    for top, rows, scene in _parts(file, crop_px) if alone else [(0, file.size[0], file.label.scene)]:
        for down, height in _steps(rows, 2 * crop_px):
            for left, width in _steps(file.size[1], 2 * crop_px):
                window = (top + down, left, height, width)
                if _share(file.coverage, window) >= MIN_VALID_SHARE:
                    name = f"{file.label.name}@{top + down},{left}"
                    yield name, scene, Site(file.path, file.sources + file.targets, window)


def _parts(file: RasterFile, crop_px: int) -> list[tuple[int, int, str]]:
    """Divide a raster that is alone: first row, rows and scene of what trains, and of the lower part that validates."""
    height, scene = file.size[0], file.label.scene
    held_out = round(height * HELD_OUT_SHARE)
    if file.label.split is not None or held_out < MIN_HELD_OUT_PX or height - held_out < crop_px:
        return [(0, height, scene)]
    return [(0, height - held_out, scene), (height - held_out, held_out, f"{scene} lower part")]


def _steps(length: int, side_px: int) -> list[tuple[int, int]]:
    """Divide a length evenly into parts of about `side_px`: start and length of each."""
    count = max(1, round(length / side_px))
    ends = [round(number * length / count) for number in range(count + 1)]
    return [(start, end - start) for start, end in pairwise(ends)]
