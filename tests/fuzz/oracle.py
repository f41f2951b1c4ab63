"""What a result must be: the scene coloured at once in memory from what rasterio itself reads."""

import json
import re
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import MaskFlags
from rasterio.io import DatasetReader

from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.scene import ArrayScene

from .choices import LARGE_PX, Choice

Box = tuple[int, int, int, int]
TOPS = {"uint8": 255, "uint16": 65535, "float32": 1}
SUSPICIOUS_SHARE = 0.005
NAMES = ("nir", "nir08", "near infrared", "b8", "b08", "sr b5")


class Wrong(Exception):
    """A result that is not what it must be."""


def check(source: Path, made: Path, choice: Choice, colorizer: Colorizer) -> None:
    """Compare a result with the oracle; raises Wrong."""
    with rasterio.open(source) as given, rasterio.open(made) as result:
        box = wanted(given, choice)
        band = _band(given, result, choice)
        _check_form(given, result, choice, box)
        whole = (0, 0, *given.shape) if given.width * given.height <= LARGE_PX else box
        valid = validity(given, band, whole)
        seen = result.dataset_mask() > 0
        shown = _cut(_away_from_holes(valid, int(choice.number("--mask-halo") or 0)), whole, box)
        if not np.array_equal(seen, shown):
            raise Wrong(f"mask: {int((seen != shown).sum())} pixels differ")
        if given.width * given.height <= LARGE_PX:  # of larger ones the mask says enough
            unit = network_input(given, band, valid, choice, colorizer)
            rgb = colorizer.colorize_array(ArrayScene(unit[None], valid))
            _check_colours(result, _cut(rgb, whole, box), seen, choice, colorizer)


def wanted(given: DatasetReader, choice: Choice) -> Box:
    """Return the part that is made: top, left, height, width."""
    if choice.box:
        return choice.box
    if "--window" not in choice.flags:
        return 0, 0, *given.shape
    left, top, width, height = map(int, str(choice.flags["--window"]).split(","))
    return top, left, height, width


def _cut(array: np.ndarray, whole: Box, box: Box) -> np.ndarray:
    top, left = box[0] - whole[0], box[1] - whole[1]
    return array[..., top : top + box[2], left : left + box[3]]


def _band(given: DatasetReader, result: DatasetReader, choice: Choice) -> int:
    """Return the band that was used; raises Wrong if it is not the one that was named."""
    (used,) = json.loads(result.tags()["NIRTRANS"])["bands"]
    named = [i for i, text in enumerate(given.descriptions, 1) if re.sub(r"[\s_-]+", " ", text or "").lower() in NAMES]
    if "--bands" in choice.flags:
        named = [int(str(choice.flags["--bands"]).removeprefix("nir="))]
    if named and used != named[0]:
        raise Wrong(f"band {used} was used, {named[0]} is near infrared")
    return int(used)


def _check_form(given: DatasetReader, result: DatasetReader, choice: Choice, box: Box) -> None:
    top, left, height, width = box
    told = {
        "size": (result.shape, (height, width)),
        "dtype": (result.dtypes[0], choice.flags.get("--dtype", "uint8")),
        "bands": (result.count, 4 if choice.flags.get("--mask") == "alpha" else 3),
        "crs": (result.crs, given.crs),
        "points": (len(result.gcps[0]), len(given.gcps[0])),
        "synthetic": (result.tags().get("SYNTHETIC_COLOR"), "YES"),
        "layout": (result.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG", "--cog" in choice.flags),
    }
    if given.crs and np.isfinite(given.transform).all():
        moved = given.window_transform(((top, top + height), (left, left + width)))
        told["transform"] = (result.transform.almost_equals(moved, 1e-6 * abs(moved.a)), True)
    for name, (is_there, should_be) in told.items():
        if is_there != should_be:
            raise Wrong(f"{name}: {is_there} instead of {should_be}")


def validity(given: DatasetReader, band: int, box: Box) -> np.ndarray:
    """Return [h, w]: valid by the band's own mask, by alpha bands that are no input, and finite."""
    here = ((box[0], box[0] + box[2]), (box[1], box[1] + box[3]))
    valid = np.isfinite(given.read(band, window=here))
    if not {MaskFlags.alpha, MaskFlags.all_valid} & set(given.mask_flag_enums[band - 1]):
        valid &= given.read_masks(band, window=here) > 0
    for number, colour in enumerate(given.colorinterp, start=1):
        if colour.name == "alpha" and number != band:
            valid &= given.read(number, window=here) > 0
    return valid


def _away_from_holes(valid: np.ndarray, reach: int) -> np.ndarray:
    """Return the pixels without an invalid one within `reach` rows and columns."""
    wide = np.pad(valid, reach, constant_values=True)
    for axis in (0, 1):
        spans = np.lib.stride_tricks.sliding_window_view(wide, 2 * reach + 1, axis=axis)
        wide = spans.all(axis=-1)
    return wide


def network_input(
    given: DatasetReader, band: int, valid: np.ndarray, choice: Choice, colorizer: Colorizer
) -> np.ndarray:
    """Return what the network sees, [h, w] in [0, 1], NaN at undeclared fill."""
    numbers = given.read(band)
    zero = fill = (numbers == 0) & valid
    for other, colour in enumerate(given.colorinterp, start=1):
        if other == band or colour.name == "alpha" or not fill.any():
            continue
        if fill.mean() < SUSPICIOUS_SHARE:
            fill = fill & False
        else:
            zero = fill = fill & (given.read(other) == 0)
    scaling, low, high = _rule(given, band, numbers[valid & ~fill], choice, colorizer)
    values = numbers.astype(np.float32)
    if scaling is not None:
        values = values * np.float32(scaling[0]) + np.float32(scaling[1])
    unit = ((values - np.float32(low)) * np.float32(1 / (high - low))).clip(0, 1)
    return np.where(zero, np.float32(np.nan), unit) if fill.any() else unit


def _rule(
    given: DatasetReader, band: int, measured: np.ndarray, choice: Choice, colorizer: Colorizer
) -> tuple[tuple[float, float] | None, float, float]:
    """Return scaling and range."""
    text = str(choice.flags.get("--input-range", ""))
    if text and not text.startswith("percentile"):
        low, high = map(float, text.split(","))
        return _scaling(given, band, choice), low, high
    if not text and choice.units == "reflectance":
        low, high = colorizer.info.preprocessing.input_range or (0.0, 1.0)
        return _scaling(given, band, choice), low, high
    shares = [float(share) for share in text.partition(":")[2].split(",") if share] or [2.0, 98.0]
    if not measured.size:
        return None, 0.0, 1.0
    low, high = np.percentile(measured, shares)
    return None, float(low), float(high if high > low else low + max(1.0, abs(low) * 1e-6))


def _scaling(given: DatasetReader, band: int, choice: Choice) -> tuple[float, float] | None:
    scale, offset = choice.number("--scale"), choice.number("--offset")
    in_file = given.scales[band - 1], given.offsets[band - 1]
    if scale is not None:
        return scale, offset or 0.0
    if in_file != (1.0, 0.0):
        return in_file[0], in_file[1] if offset is None else offset
    if choice.flags.get("--sensor") == "landsat-c2-l2":
        return 2.75e-5, -0.2 if offset is None else offset
    if choice.flags.get("--sensor") == "s2-l2a" and offset is not None:
        return 1e-4, offset
    return None


def _check_colours(
    result: DatasetReader, rgb: np.ndarray, valid: np.ndarray, choice: Choice, colorizer: Colorizer
) -> None:
    top = TOPS[result.dtypes[0]]
    made = result.read([1, 2, 3])
    if not np.isfinite(made[:, valid]).all():
        raise Wrong("valid pixels are not finite")
    if choice.flags.get("--compress") == "jpeg" or choice.flags.get("--precision", "fp32") != "fp32":
        return
    if choice.flags.get("--norm-stats") == "tile":
        return
    if choice.flags.get("--mask") != "nodata" and made[:, ~valid].any():
        raise Wrong("invalid pixels are not 0")
    if (choice.number("--halo") if choice.flags.get("--halo", "auto") != "auto" else 99) < colorizer.info.halo_px:
        return
    away = np.abs(made[:, valid] / top - rgb[:, valid])
    if away.size and away.max() > 1.6 / 255:
        raise Wrong(f"colours: {255 * away.max():.1f} levels away at most, {255 * away.mean():.2f} on average")
