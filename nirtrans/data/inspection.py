"""Report what a data path holds and what is wrong with it, without changing or refusing anything."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.data.layout import TARGET_FOLDERS, Layout, find_layout
from nirtrans.data.readable import OPENING_THREADS, SHOWN
from nirtrans.data.split import read_labels
from nirtrans.errors import DataError
from nirtrans.io.bands import find_bands
from nirtrans.io.gdal import gdal_cache
from nirtrans.io.geotiff import Raster
from nirtrans.io.images import read_image
from nirtrans.io.overview import read_overview


@dataclass(frozen=True)
class FileFacts:
    """What one file holds; `fault` is why it cannot be read, or None.

    Attributes:
        size: Height and width, as 256x256.
        dtype: Sample type.
        bands: One description per band, or its number.
        ranges: Smallest and largest valid value, per band; empty if no pixel is valid.
        valid_share: Share of valid pixels.
        problem: What training would stumble over.
    """

    name: str
    fault: str | None = None
    size: str = ""
    dtype: str = ""
    bands: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()
    valid_share: float = 1.0
    problem: str | None = None


@dataclass(frozen=True)
class GroupReport:
    """One folder of files of one role.

    Attributes:
        count: Files, unreadable ones included.
        sizes: Files by HEIGHTxWIDTH.
        dtypes: Files by sample type.
        bands: Files by their bands.
        value_ranges: Smallest and largest valid value by band.
        valid_share: Mean share of valid pixels.
        unreadable: File -> reason.
    """

    count: int
    sizes: dict[str, int]
    dtypes: dict[str, int]
    bands: dict[str, int]
    value_ranges: dict[str, tuple[float, float]]
    valid_share: float
    unreadable: dict[str, str]


@dataclass(frozen=True)
class SourceReport:
    """What one path holds.

    Attributes:
        path: As given.
        layout: pairs, unpaired, rasters or pictures.
        count: Sources.
        groups: Report per folder.
        scenes: Number of places.
        splits: Pictures per split, where a file decides it.
        problems: What training would stumble over.
    """

    path: str
    layout: str
    count: int
    groups: dict[str, GroupReport]
    scenes: int
    splits: dict[str, int]
    problems: list[str] = field(default_factory=list)


def inspect(paths: Sequence[str | Path]) -> list[SourceReport]:
    """Look into every file of some data paths.

    Raises:
        DataError: If a path is absent or holds nothing of use.
    """
    return [_inspect_layout(find_layout(Path(path).expanduser())) for path in paths]


def _inspect_layout(layout: Layout) -> SourceReport:
    look = raster_facts if layout.kind == "rasters" else picture_facts
    with ThreadPoolExecutor(OPENING_THREADS) as pool:
        facts = {name: list(pool.map(look, files.values())) for name, files in layout.groups.items()}
    problems = [fact.problem for group in facts.values() for fact in group if fact.problem]
    if layout.kind == "pairs":
        problems += _pair_problems(facts)
    scenes, splits = len(layout.names), Counter[str]()
    try:
        labels = read_labels(layout.path, layout.names)
        scenes = len({label.scene for label in labels.values()})
        splits.update(label.split for label in labels.values() if label.split)
    except DataError as error:
        problems.append(str(error))
    groups = {name: _group_report(group) for name, group in facts.items()}
    return SourceReport(str(layout.path), layout.kind, len(layout.names), groups, scenes, dict(splits), problems)


def picture_facts(path: Path) -> FileFacts:
    """Decode a picture and describe it."""
    try:
        image = read_image(path)
    except DataError as error:
        return FileFacts(path.name, fault=str(error))
    pixels = image.pixels
    colour = pixels.shape[2] == 3 and bool(np.ptp(pixels, axis=2).any())
    problem = None
    if path.parent.name in TARGET_FOLDERS and pixels.shape[2] == 1:
        problem = f"{path}: gray, but colour is expected in {path.parent.name}/"
    elif path.parent.name == "nir" and colour:
        problem = f"{path}: colour, but near infrared is expected in nir/"
    share = 1.0 if image.alpha is None else float((image.alpha > 0).mean())
    bands = ("red", "green", "blue") if pixels.shape[2] == 3 else ("gray",)
    size = f"{pixels.shape[0]}x{pixels.shape[1]}"
    return FileFacts(
        path.name, None, size, str(pixels.dtype), bands, _ranges(pixels.transpose(2, 0, 1)), share, problem
    )


def raster_facts(path: Path) -> FileFacts:
    """Read an overview of a raster and describe it."""
    try:
        with gdal_cache(), Raster(path, failure=DataError) as raster:
            bands = tuple(text or str(i) for i, text in enumerate(raster.descriptions, start=1))
            problem = _band_problem(raster)
            raster.claim(range(1, raster.count + 1))
            values, valid = read_overview(raster, range(1, raster.count + 1))
            size = f"{raster.height}x{raster.width}"
    except DataError as error:
        return FileFacts(path.name, fault=str(error))
    if not valid.any():
        problem = f"{path}: every pixel is nodata"
    share = round(float(valid.mean()), 4)
    return FileFacts(path.name, None, size, str(values.dtype), bands, _ranges(values[:, valid]), share, problem)


def _band_problem(raster: Raster) -> str | None:
    try:
        find_bands(raster, ("nir", "red", "green", "blue"))
    except DataError as error:
        return str(error)
    return None


def _ranges(values: NDArray) -> tuple[tuple[float, float], ...]:
    """Return the ends of each band of [C, ...]; nothing if there is no value."""
    return tuple((float(band.min()), float(band.max())) for band in values) if values.size else ()


def _pair_problems(facts: dict[str, list[FileFacts]]) -> list[str]:
    """Find halves without a partner and pairs of unequal size."""
    (source, sources), (target, targets) = facts.items()
    sizes = [{Path(fact.name).stem: fact.size for fact in group} for group in (sources, targets)]
    problems = []
    for have, lack, alone in (
        (source, target, sizes[0].keys() - sizes[1]),
        (target, source, sizes[1].keys() - sizes[0]),
    ):
        if alone:
            problems.append(f"{len(alone)} in {have}/ without a partner in {lack}/: {', '.join(sorted(alone)[:SHOWN])}")
    unequal = sorted(
        n for n in sizes[0].keys() & sizes[1] if sizes[0][n] and sizes[1][n] and sizes[0][n] != sizes[1][n]
    )
    if unequal:
        problems.append(f"{len(unequal)} pairs of unequal size: {', '.join(unequal[:SHOWN])}")
    return problems


def _group_report(facts: Sequence[FileFacts]) -> GroupReport:
    readable = [fact for fact in facts if fact.fault is None]
    return GroupReport(
        count=len(facts),
        sizes=dict(Counter(fact.size for fact in readable).most_common()),
        dtypes=dict(Counter(fact.dtype for fact in readable).most_common()),
        bands=dict(Counter(", ".join(fact.bands) for fact in readable).most_common()),
        value_ranges=_value_ranges(readable),
        valid_share=float(np.mean([fact.valid_share for fact in readable])) if readable else 0.0,
        unreadable={fact.name: fact.fault for fact in facts if fact.fault is not None},
    )


def _value_ranges(facts: Sequence[FileFacts]) -> dict[str, tuple[float, float]]:
    """Join the ends of equally named bands over files."""
    joined: dict[str, tuple[float, float]] = {}
    for fact in facts:
        for band, (low, high) in zip(fact.bands, fact.ranges, strict=False):
            known = joined.get(band, (low, high))
            joined[band] = (min(low, known[0]), max(high, known[1]))
    return joined
