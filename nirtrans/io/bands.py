"""Which band of a raster is what, and which physical value a number stands for.

Order of trust for bands: numbers given by the user, descriptions and STAC common names in the file, colour
interpretation, the layout of a sensor. For scaling: given by the user, scale and offset in the file, the sensor.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import DataError, UnknownNameError
from nirtrans.io.geotiff import Raster
from nirtrans.registry import did_you_mean

log = logging.getLogger("nirtrans")


@dataclass(frozen=True)
class Sensor:
    """How the products of one sensor are laid out.

    Attributes:
        names: Descriptions of a band, lower case, in order of preference, by what it shows.
        layout: Band numbers by what they show, for files of exactly `layout_count` bands without descriptions.
        layout_count: See layout; 0 if there is no usual layout.
        scale: Physical value = number * scale + offset; None if numbers have no fixed meaning.
        offset: See scale; None if it differs between products and must be known from elsewhere.
        brightest: Number that is shown as full brightness, where colours are stored ready for display.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    layout: Mapping[str, int] = field(default_factory=dict)
    layout_count: int = 0
    scale: float | None = None
    offset: float | None = None
    brightest: float | None = None


COMMON_NAMES = {
    "nir": ("nir", "nir08", "near infrared", "b8", "b08", "sr b5"),
    "red": ("red", "tci r"),
    "green": ("green", "tci g"),
    "blue": ("blue", "tci b"),
    "gray": ("gray", "grey", "pan", "panchromatic", "luminance"),
}
"""Descriptions that mean one thing whatever the sensor."""
SENTINEL_2 = {"nir": ("b8", "b08"), "red": ("b4", "b04"), "green": ("b3", "b03"), "blue": ("b2", "b02")}
LANDSAT_8 = {"nir": ("b5", "sr b5"), "red": ("b4", "sr b4"), "green": ("b3", "sr b3"), "blue": ("b2", "sr b2")}
SENSORS = {
    # Sentinel-2 level 2A: reflectance = (DN + BOA_ADD_OFFSET) / 10000. The offset is -1000 from processing baseline
    # 04.00 on unless a provider has already applied it, so it is never assumed. Twelve bands: B01 ... B8A, B09, B11,
    # B12.
    "s2-l2a": Sensor(SENTINEL_2, {"nir": 8, "red": 4, "green": 3, "blue": 2}, 12, scale=1e-4),
    # Landsat 8 and 9, collection 2 level 2: USGS product guide, surface reflectance.
    "landsat-c2-l2": Sensor(LANDSAT_8, {"nir": 5, "red": 4, "green": 3, "blue": 2}, 7, scale=2.75e-5, offset=-0.2),
    # USDA aerial photographs: red, green, blue, near infrared; display values without physical meaning.
    "naip": Sensor(layout={"nir": 4, "red": 1, "green": 2, "blue": 3}, layout_count=4, brightest=255.0),
    "generic": Sensor(),
}


@dataclass(frozen=True)
class Scaling:
    """Physical value = number * scale + offset, band by band.

    Attributes:
        scale: One factor per band.
        offset: One summand per band, in physical units.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]

    def apply(self, values: NDArray) -> NDArray[np.float32]:
        """Turn numbers [C, H, W] into physical values, float32."""
        scale = np.array(self.scale, dtype=np.float32)[:, None, None]
        offset = np.array(self.offset, dtype=np.float32)[:, None, None]
        return values.astype(np.float32) * scale + offset


def find_sensor(name: str | None) -> Sensor:
    """Return the sensor called `name`, or one that knows nothing for None.

    Raises:
        UnknownNameError: If there is none; proposes the nearest name.
    """
    if name is None:
        return SENSORS["generic"]
    if name not in SENSORS:
        raise UnknownNameError(f"unknown sensor {name!r}{did_you_mean(name, list(SENSORS))}")
    return SENSORS[name]


def find_bands(
    raster: Raster, wanted: Sequence[str], *, bands: Mapping[str, int] | None = None, sensor: str | None = None
) -> tuple[int, ...]:
    """Find the numbers of bands by what they show, and claim them as data.

    Args:
        raster: Where to look.
        wanted: Such as ("nir",) or ("red", "green", "blue").
        bands: Numbers given by the user; they win.
        sensor: Name in `SENSORS`.

    Raises:
        DataError: If a band cannot be found, naming --bands and --sensor, or a number exceeds the raster's bands.
        UnknownNameError: If the sensor is unknown.
    """
    table = find_sensor(sensor)
    _check_names(raster, bands or {})
    numbers = {name: _find_band(raster, name, bands or {}, table) for name in wanted}
    if len(wanted) == 1 and numbers[wanted[0]] is None and raster.count == 1 and not raster.descriptions[0]:
        if wanted[0] == "nir":
            log.warning("%s: its only band has no description; taken as near infrared", raster.path)
        numbers[wanted[0]] = 1
    missing = [name for name, number in numbers.items() if number is None]
    if missing:
        raise DataError(_missing_bands(raster, missing))
    found = tuple(number for number in numbers.values() if number is not None)
    raster.claim(found)
    return found


def _check_names(raster: Raster, bands: Mapping[str, int]) -> None:
    unknown = sorted(bands.keys() - COMMON_NAMES.keys())
    if unknown:
        near = did_you_mean(unknown[0], list(COMMON_NAMES))
        raise DataError(f"{raster.path}: --bands names {unknown[0]!r}, which no model uses{near}")


def _find_band(raster: Raster, name: str, given: Mapping[str, int], sensor: Sensor) -> int | None:
    if name in given:
        if given[name] > raster.count:
            raise DataError(f"{raster.path}: has {raster.count} bands, but --bands gives {name}={given[name]}")
        return given[name]
    described = [_plain(text) for text in raster.descriptions]
    for alias in (*COMMON_NAMES.get(name, (name,)), *sensor.names.get(name, ()), *_of_sentinel_2(name, described)):
        if alias in described:
            return described.index(alias) + 1
    common = [_plain(raster.common_name(band)) for band in range(1, raster.count + 1)]
    for known in (common, list(raster.colours)):
        if name in known:
            return known.index(name) + 1
    return sensor.layout.get(name) if raster.count == sensor.layout_count else None


def _of_sentinel_2(name: str, described: Sequence[str]) -> tuple[str, ...]:
    """Return the names of visible bands that hold only beside Sentinel-2's B8 (of Landsat 7, B4 is near infrared)."""
    return SENTINEL_2.get(name, ()) if {"b8", "b08"} & set(described) else ()


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text).strip().lower()


def _missing_bands(raster: Raster, missing: Sequence[str]) -> str:
    named = ", ".join(f"{i}={text}" for i, text in enumerate(raster.descriptions, start=1) if text)
    state = f"descriptions {named}" if named else "no descriptions"
    example = ",".join(f"{name}=N" for name in missing)
    return (
        f"{raster.path}: no band found for {', '.join(missing)} among {raster.count} ({state}); "
        f"give --bands {example} or --sensor {'|'.join(SENSORS)}"
    )


def find_scaling(
    raster: Raster,
    bands: Sequence[int],
    *,
    sensor: str | None = None,
    scale: float | None = None,
    offset: float | None = None,
    required: bool = False,
) -> Scaling | None:
    """Find how numbers become physical values.

    Args:
        raster: Where to look.
        bands: Numbers from 1.
        sensor: Name in `SENSORS`.
        scale: Given by the user; wins.
        offset: Given by the user, in physical units; wins.
        required: Raise instead of returning None.

    Raises:
        DataError: If it is required and unknown, naming the flags that tell.
        UnknownNameError: If the sensor is unknown.
    """
    table = find_sensor(sensor)
    in_file = [(raster.dataset.scales[b - 1], raster.dataset.offsets[b - 1]) for b in bands]
    if scale is not None:
        return _everywhere(bands, scale, offset or 0.0)
    if any(pair != (1.0, 0.0) for pair in in_file):
        return Scaling(tuple(a for a, _ in in_file), tuple(b if offset is None else offset for _, b in in_file))
    if table.scale is not None:
        known = next((o for o in (offset, table.offset, _tagged_offset(raster, table.scale)) if o is not None), None)
        if known is not None:
            return _everywhere(bands, table.scale, known)
    if required:
        raise DataError(_unknown_scaling(raster, sensor if table.scale is not None else None))
    return None


def _everywhere(bands: Sequence[int], scale: float, offset: float) -> Scaling:
    return Scaling((scale,) * len(bands), (offset,) * len(bands))


def _tagged_offset(raster: Raster, scale: float) -> float | None:
    """Return Sentinel-2's BOA_ADD_OFFSET in physical units if a tag of the file holds it."""
    for name, text in raster.dataset.tags().items():
        if "BOA_ADD_OFFSET" in name.upper() and re.fullmatch(r"-?\d+(\.\d*)?", text.strip()):
            return float(text) * scale
    return None


def _unknown_scaling(raster: Raster, sensor: str | None) -> str:
    if sensor:
        return (
            f"{raster.path}: the offset of {sensor} is not in the file and differs between products; "
            "give --offset -0.1 (baseline 04.00 or later, not yet applied) or --offset 0"
        )
    known = "|".join(name for name, table in SENSORS.items() if table.scale is not None)
    return (
        f"{raster.path}: these weights want reflectance, but the scaling of {raster.dtypes[0]} numbers is not known; "
        f"give --scale and --offset, --sensor {known}, or --input-range"
    )
