"""A STAC item as one raster: the bands that are wanted, from whatever assets hold them.

Bands are found by their common names (`bands` of STAC 1.1, `eo:bands` before). Scale, offset and nodata of the item
(`bands`, `raster:bands`) hold where the files say nothing. Properties of the item are never used to guess an offset.
"""

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import urlopen

from nirtrans.errors import DataError
from nirtrans.io.raster_facts import RasterFacts, check_same_pixels, common_tags, look
from nirtrans.io.virtual import Piece, Place, VirtualBand, VirtualRaster, describe, is_remote

log = logging.getLogger("nirtrans")
ALIASES = {"nir": ("nir", "nir08")}
"""Common names that mean a band, in order of preference."""
FOR_DISPLAY = frozenset({"visual", "overview", "thumbnail", "preview", "rendered_preview"})
"""Roles and keys of assets that show pictures; their bands have common names as well."""
INHERITED = ("nodata", "raster:scale", "raster:offset")
"""What the bands of STAC 1.1 take over from their asset."""
TIMEOUT_S = 30.0
MOST_BYTES = 2**24


@dataclass(frozen=True)
class AssetBand:
    """What an item tells of one band.

    Attributes:
        asset: The item and the key of the asset, for messages.
        href: Where the file is.
        number: Number in the file, from 1.
        facts: Fields of the band.
        named: Numbers of all bands of the asset that have a common name.
    """

    asset: str
    href: str
    number: int
    facts: Mapping[str, Any]
    named: frozenset[int]

    @property
    def common_name(self) -> str:
        """Such as `nir`; empty if there is none."""
        return str(self.facts.get("eo:common_name") or self.facts.get("common_name") or "")

    def scaling(self) -> tuple[float, float]:
        """Return scale and offset; 1 and 0 if the item does not tell."""
        scale, offset = self._number("scale", 1.0), self._number("offset", 0.0)
        if not (math.isfinite(scale) and math.isfinite(offset) and scale):
            raise DataError(f"{self.asset}: expected a scale and an offset, got {scale:g} and {offset:g}")
        return scale, offset

    def nodata(self) -> float | None:
        """Return the value of invalid pixels; None if the item names none, or NaN, which is none anyway."""
        value = self._number("nodata", math.nan)
        return None if math.isnan(value) else value

    def _number(self, name: str, default: float) -> float:
        value = next((self.facts[key] for key in (f"raster:{name}", name) if self.facts.get(key) is not None), None)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise DataError(f"{self.asset}: expected a number as {name}, got {value!r}")
        try:
            return float(value)
        except (ValueError, OverflowError):
            raise DataError(f"{self.asset}: expected a number as {name}, got {value!r}") from None


def read_item(name: str, wanted: Sequence[str]) -> VirtualRaster:
    """Join the bands that are wanted of a STAC item.

    Args:
        name: Path or address of the item's JSON.
        wanted: Common names, such as ("nir",).

    Raises:
        DataError: If it is no item, lacks a band, or the assets cannot be opened or lie on different grids.
    """
    item = _load(name)
    present = list(_bands(name, item["assets"]))
    chosen = [_choose(name, band, present) for band in wanted]
    _warn_of_offsets(name, item, chosen)
    files = {band.href: look(band.href) for band in chosen}
    first = files[chosen[0].href]
    if first.crs is None and first.transform.is_identity:
        raise DataError(f"{name}: {first.name} has no transform; give that file itself")
    for part in files.values():
        check_same_pixels(part, first)
    bands = [_virtual(word, band, files[band.href]) for word, band in zip(wanted, chosen, strict=True)]
    tags = common_tags(list(files.values()), 0)
    place = Place(first.size, first.crs, first.transform, first.rpcs)
    return describe(name, bands, place, tags)


def _load(name: str) -> dict[str, Any]:
    try:
        item = json.loads(_fetch(name))
    except (OSError, URLError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise DataError(f"{name}: cannot be read ({reason}); give the JSON of a STAC item") from None
    except (ValueError, RecursionError):
        raise DataError(f"{name}: is no JSON; give that of a STAC item") from None
    kind = item.get("type") if isinstance(item, dict) else type(item).__name__
    if not (kind == "Feature" and "stac_version" in item and isinstance(item.get("assets"), dict)):
        raise DataError(f"{name}: expected a STAC item (a Feature with stac_version and assets), got {kind}")
    return dict(item)


def _fetch(name: str) -> bytes:
    if not name.lower().startswith(("http://", "https://")):
        return Path(name).expanduser().read_bytes()
    with urlopen(name, timeout=TIMEOUT_S) as answer:
        content: bytes = answer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(f"more than {MOST_BYTES} bytes")
    return content


def _bands(name: str, assets: Mapping[str, Any]) -> Iterator[AssetBand]:
    """Yield all bands of all assets but pictures, files for the cloud first."""
    holders = [(key, asset) for key, asset in assets.items() if isinstance(asset, dict) and _is_data(key, asset)]
    for key, asset in sorted(holders, key=lambda pair: "cloud-optimized" not in str(pair[1].get("type"))):
        told = _told(asset)
        names = [facts.get("eo:common_name") or facts.get("common_name") for facts in told]
        named = frozenset(number for number, word in enumerate(names, start=1) if word)
        for number, facts in enumerate(told, start=1):
            yield AssetBand(f"{name}: asset {key}", _resolve(name, asset["href"]), number, facts, named)


def _is_data(key: str, asset: Mapping[str, Any]) -> bool:
    roles = asset.get("roles")
    words = {key, *map(str, roles if isinstance(roles, list) else ())}
    return isinstance(asset.get("href"), str) and not FOR_DISPLAY & words


def _told(asset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the fields of each band: of STAC 1.1, or of the two lists before, and what they inherit."""
    inherited = {key: asset[key] for key in INHERITED if key in asset}
    lists = [asset[key] for key in ("eo:bands", "raster:bands", "bands") if isinstance(asset.get(key), list)]
    if not lists and "eo:common_name" in asset:
        lists = [[{"eo:common_name": asset["eo:common_name"]}]]
    told: list[dict[str, Any]] = [dict(inherited) for _ in range(max(map(len, lists), default=0))]
    for facts in lists:
        for band, fields in zip(told, facts, strict=False):
            band.update(fields if isinstance(fields, dict) else {})
    return told


def _resolve(name: str, href: str) -> str:
    if is_remote(href) or href.startswith("/"):
        return href
    return urljoin(name, href) if is_remote(name) else str(Path(name).expanduser().parent / href)


def _choose(name: str, wanted: str, present: Sequence[AssetBand]) -> AssetBand:
    for alias in ALIASES.get(wanted, (wanted,)):
        for band in present:
            if band.common_name == alias:
                return band
    there = ", ".join(dict.fromkeys(band.common_name for band in present if band.common_name)) or "none"
    raise DataError(f"{name}: no asset has a band with the common name {wanted}; there are {there}")


def _warn_of_offsets(name: str, item: Mapping[str, Any], chosen: Sequence[AssetBand]) -> None:
    """Say so where a catalog is known to state an offset that its files hold already."""
    properties = item.get("properties")
    applied = isinstance(properties, dict) and properties.get("earthsearch:boa_offset_applied") is True
    offset = next((band.scaling()[1] for band in chosen if band.scaling()[1]), None)
    if applied and offset:
        log.warning(
            "%s states offset %g and says that it is applied already; it is used, unless you give --offset 0",
            name, offset,
        )  # fmt: skip


def _virtual(wanted: str, band: AssetBand, file: RasterFacts) -> VirtualBand:
    """Join what the file and the item tell of a band; the file has the first word."""
    if band.number > len(file.bands):
        raise DataError(f"{band.asset}: {file.name} has {len(file.bands)} bands, the item says {band.number} or more")
    facts = file.bands[band.number - 1]
    scale, offset = facts.scale, facts.offset
    if (scale, offset) == (1.0, 0.0):
        scale, offset = band.scaling()
    masked = _is_masked(band, file)
    mask = [Piece(file.name, f"mask,{band.number}", file.size)] if masked else []
    nodata = None if masked else band.nodata()
    return VirtualBand(
        facts.dtype, [Piece(file.name, str(band.number), file.size)], mask, wanted, "undefined", scale, offset, nodata,
        common_tags([file], band.number), facts.block,
    )  # fmt: skip


def _is_masked(band: AssetBand, file: RasterFacts) -> bool:
    """Tell whether the file says which pixels are valid; near infrared that it tags as alpha says nothing."""
    flags = file.bands[band.number - 1].mask
    return "all_valid" not in flags and not ("alpha" in flags and file.alpha in band.named)
