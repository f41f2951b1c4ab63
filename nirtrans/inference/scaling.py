"""How the numbers of one raster become the [0, 1] of a network: one rule for the whole scene, never per tile."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import DataError, InputError
from nirtrans.inference.scene import Pixels
from nirtrans.inference.tiling import Window
from nirtrans.io.bands import Scaling, find_bands, find_scaling
from nirtrans.io.geotiff import Raster
from nirtrans.io.overview import look_over, percentiles, zero_in_others
from nirtrans.models.weights import ModelInfo

log = logging.getLogger("nirtrans")
ANY_RANGE = (0.0, 1.0)
"""Where no pixel is valid."""
GSD_FACTOR, MOST_GSD_FACTOR = 1.25, 2.0
"""Ground sampling distances that differ by more than the first are warned about, by more than the second refused."""


@dataclass(frozen=True)
class SourceOptions:
    """What the user says about the bands and values of a raster.

    Attributes:
        bands: Band numbers by name, from 1.
        sensor: Name in `nirtrans.io.bands.SENSORS`.
        scale: Physical value = number * scale + offset.
        offset: See scale.
        input_range: "LO,HI", physical values that become 0 and 1, or "percentile:P1,P2".
        any_gsd: Accept pixels of any size on the ground.
    """

    bands: dict[str, int] | None = None
    sensor: str | None = None
    scale: float | None = None
    offset: float | None = None
    input_range: str | None = None
    any_gsd: bool = False


@dataclass(frozen=True)
class RasterScene:
    """The input bands of a raster as a scene; see `nirtrans.inference.scene.Scene`.

    Attributes:
        raster: Where to read; by one thread at a time.
        bands: Numbers from 1, in the order of the channels.
        scaling: From numbers to physical values; None if the range is one of numbers.
        low: Value that becomes 0.
        high: Value that becomes 1.
        filled: Whether 0 in every band of the raster means that nothing was measured, although the file calls it valid.
        valid_share: Share of measured pixels, 0 to 1, as a look at some of them tells.
    """

    raster: Raster
    bands: tuple[int, ...]
    scaling: Scaling | None
    low: float
    high: float
    filled: bool = False
    valid_share: float = 1.0

    @property
    def height(self) -> int:
        """Rows."""
        return self.raster.height

    @property
    def width(self) -> int:
        """Columns."""
        return self.raster.width

    def read(self, window: Window) -> Pixels:
        """Read and scale a window; undeclared fill is NaN."""
        numbers, valid = self.raster.read(self.bands, window)
        values = numbers.astype(np.float32) if self.scaling is None else self.scaling.apply(numbers)
        unit = unit_range(values, self.low, self.high)
        if self.filled:
            zero = valid & (numbers == 0).all(axis=0)
            fill = zero_in_others(self.raster, self.bands, zero, lambda band: self.raster.read([band], window)[0][0])
            unit[:, fill] = np.nan
        return unit, valid

    def elsewhere(self) -> Callable[[Raster], "RasterScene"]:
        """Return what makes this scene of another handle of the raster; another process may call it."""
        rest = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "raster"}
        return partial(RasterScene, **rest)

    def describe(self) -> dict[str, object]:
        """Return what determines the input of the network, for the tag of the result."""
        known = {} if self.scaling is None else {"scale": self.scaling.scale, "offset": self.scaling.offset}
        return {"bands": self.bands, **known, "input_range": (self.low, self.high)}


def unit_range(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Map low..high to 0..1, in place.

    Raises:
        InputError: If low is not below high.
    """
    if not low < high:
        raise InputError(f"an input range needs a lower and a higher value, got {low},{high}")
    values -= np.float32(low)
    values *= np.float32(1 / (high - low))
    return values


class Rule(NamedTuple):
    """What only a look at the whole scene tells; see `RasterScene`."""

    low: float
    high: float
    filled: bool
    valid_share: float


def open_scene(
    raster: Raster, info: ModelInfo, options: SourceOptions, *, known: Rule | None = None, threads: int = 1
) -> RasterScene:
    """Find the bands that the weights want and the rule that scales them.

    Args:
        raster: Where to read.
        info: What the weights say of themselves.
        options: What the user says of the raster.
        known: What an earlier look has told; None to look, which decodes the whole raster once.
        threads: How many look at the same time.

    Raises:
        DataError: If bands or scaling cannot be found, or values are no measurements.
        InputError: If the input range is malformed.
    """
    bands = find_bands(raster, info.preprocessing.bands, bands=options.bands, sensor=options.sensor)
    _check_measurements(raster, bands, options.input_range)
    _compare_gsd(raster, info.preprocessing.gsd_m, options.any_gsd)
    scaling, given = _find_range(raster, bands, info, options)
    if known is not None:
        low, high = given if isinstance(given, tuple) else (known.low, known.high)
        return RasterScene(raster, bands, scaling, low, high, known.filled, known.valid_share)
    seen = look_over(raster, bands, threads=threads)
    low, high = given if isinstance(given, tuple) else percentiles(*seen[:2], given.low, given.high) or ANY_RANGE
    filled, valid_share = bool(seen.fill.any()), float(seen.measured.mean())
    return RasterScene(raster, bands, scaling, low, high, filled, valid_share)


def _find_range(
    raster: Raster, bands: tuple[int, ...], info: ModelInfo, options: SourceOptions
) -> tuple[Scaling | None, "tuple[float, float] | Percentiles"]:
    """Decide scaling and range: the user's, the weights' physical range, 8-bit display values, or percentiles."""
    rule = info.preprocessing
    find = partial(find_scaling, raster, bands, sensor=options.sensor, scale=options.scale, offset=options.offset)
    given = parse_input_range(options.input_range)
    if isinstance(given, Percentiles):
        return None, given
    if given is not None:
        return find(), given
    if rule.units == "reflectance":
        return find(required=True), rule.input_range or (0.0, 1.0)
    if rule.units == "picture" and raster.dtypes[bands[0] - 1] == "uint8":
        return None, (0.0, 255.0)
    return None, Percentiles()


@dataclass(frozen=True)
class Percentiles:
    """Take the range from the scene."""

    low: float = 2.0
    high: float = 98.0


def parse_input_range(text: str | None) -> Percentiles | tuple[float, float] | None:
    """Read `LO,HI`, `percentile` or `percentile:P1,P2`.

    Raises:
        InputError: If it is none of these, or not ascending.
    """
    if text is None:
        return None
    kind, _, rest = text.rpartition(":")
    if text == "percentile":
        return Percentiles()
    numbers = [
        float(part) for part in rest.split(",") if re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", part)
    ]
    if len(numbers) != 2 or kind not in ("", "percentile") or not numbers[0] < numbers[1]:
        raise InputError(f"--input-range expects LO,HI with LO < HI, or percentile:P1,P2, got {text!r}")
    if kind == "":
        return numbers[0], numbers[1]
    if not 0 <= numbers[0] < numbers[1] <= 100:
        raise InputError(f"--input-range percentile expects two numbers from 0 to 100, got {rest!r}")
    return Percentiles(*numbers)


def _check_measurements(raster: Raster, bands: tuple[int, ...], input_range: str | None) -> None:
    for band in bands:
        kind, colour = raster.dtypes[band - 1], raster.colours[band - 1]
        if colour == "palette":
            raise DataError(
                f"{raster.path}: band {band} holds palette indices, not measurements; expand it to colours first"
            )
        if kind.startswith("complex"):
            raise DataError(f"{raster.path}: band {band} is {kind}; expected real numbers, take the amplitude first")
        if kind in ("int32", "uint32", "int64", "uint64") and input_range is None:
            raise DataError(f"{raster.path}: band {band} is {kind}, whose range is not known; give --input-range LO,HI")


def _compare_gsd(raster: Raster, trained_m: float | None, any_gsd: bool) -> None:
    here_m = raster.gsd_m
    if not trained_m or not here_m:
        return
    factor = max(here_m / trained_m, trained_m / here_m)
    found = f"{raster.path}: pixels of {here_m:.3g} m, the weights learned from {trained_m:.3g} m"
    if factor > MOST_GSD_FACTOR and not any_gsd:
        raise DataError(f"{found}; use weights for such pixels, or --any-gsd to go on")
    if factor > GSD_FACTOR:
        log.warning("%s", found)
