"""Open what a run trains on: several sources joined, or synthetic scenes when none is given."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.config import DataSettings, Preprocessing, SourceSettings
from nirtrans.data.derive import draw, luma, open_colours
from nirtrans.data.exclusion import Exclusion
from nirtrans.data.folders import open_pairs, open_unpaired
from nirtrans.data.layout import find_layout
from nirtrans.data.picture import Collection, InMemory, Part, Picture
from nirtrans.data.rasters import RasterFile, cut_rasters, survey_all
from nirtrans.data.split import assign_splits, read_labels, relabel
from nirtrans.data.synthetic import SyntheticScene, synthetic_scene
from nirtrans.domains import find_domain
from nirtrans.errors import DataError
from nirtrans.io.images import to_unit

__all__ = ["Collection", "InMemory", "Part", "Picture", "open_collection"]
SYNTHETIC_PX = 256
SYNTHETIC_BYTES = 2 * 10**9
"""Most memory that synthetic scenes may take."""


def open_collection(settings: DataSettings, domain: str, *, skip_bad: bool = False) -> Collection:
    """Open all sources of a run, joined, every picture in its split; without sources, make synthetic scenes.

    Args:
        settings: The `data` block of a run.
        domain: nir, gray or lineart.
        skip_bad: Leave unreadable files out with a warning instead of raising.

    Raises:
        DataError: If a folder is missing or empty, pairs do not match, or a file cannot be used.
    """
    find_domain(domain)
    if not settings.sources:
        return assign_splits(_synthetic(settings, domain))
    exclusion = Exclusion(settings.exclude)
    opened = [(source, _open_source(source, settings, domain, skip_bad, exclusion)) for source in settings.sources]
    exclusion.check()
    pictures = [(source, part) for source, part in opened if isinstance(part, Collection)]
    rasters = [(source, part) for source, part in opened if not isinstance(part, Collection)]
    if pictures and rasters:
        raise DataError(
            f"{pictures[0][0].path} holds pictures and {rasters[0][0].path} rasters; train on one kind at a time"
        )
    for source, _ in pictures:
        _refuse_raster_settings(source)
    if rasters:
        return assign_splits(cut_rasters(_named_apart(rasters), settings, domain))
    return assign_splits(_join(pictures))


def _refuse_raster_settings(source: SourceSettings) -> None:
    """Refuse bands and scaling for pictures, which have none, rather than ignoring them."""
    given = [name for name in ("bands", "sensor", "scale", "offset") if getattr(source, name) is not None]
    if given:
        raise DataError(f"{source.path} holds pictures, but {', '.join(given)} describe rasters; leave them out")


def _open_source(
    source: SourceSettings, settings: DataSettings, domain: str, skip_bad: bool, exclusion: Exclusion
) -> Collection | list[RasterFile]:
    layout = find_layout(Path(source.path).expanduser(), domain)
    if layout.kind == "unpaired":
        return open_unpaired(layout, domain, skip_bad=skip_bad)
    labels = exclusion.apply(relabel(read_labels(layout.path, layout.names), source), layout.path)
    if layout.kind == "rasters":
        return survey_all(layout, labels, source, domain, skip_bad=skip_bad)
    if layout.kind == "pairs":
        return open_pairs(layout, domain, labels, skip_bad=skip_bad)
    return open_colours(layout, domain, labels, by=settings.lineart, skip_bad=skip_bad)


def _labels(sources: Sequence[SourceSettings]) -> list[str]:
    """Name sources apart: by folder if that is enough, else by number."""
    names = [Path(source.path).name for source in sources]
    return names if len(set(names)) == len(names) else [str(number) for number in range(1, len(names) + 1)]


def _named_apart(rasters: Sequence[tuple[SourceSettings, list[RasterFile]]]) -> list[RasterFile]:
    if len(rasters) == 1:
        return rasters[0][1]
    labels = _labels([source for source, _ in rasters])
    return [
        replace(file, label=replace(file.label, name=f"{label}/{file.label.name}"))
        for label, (_, files) in zip(labels, rasters, strict=True)
        for file in files
    ]


def _join(parts: Sequence[tuple[SourceSettings, Collection]]) -> Collection:
    """Concatenate sources, named apart; beside pairs, pictures of unpaired folders stay loose."""
    if len(parts) == 1:
        return parts[0][1]
    labels = _labels([source for source, _ in parts])
    named = [_named(part, label) for label, (_, part) in zip(labels, parts, strict=True)]
    pairs = [part for part in named if part.aligned]
    firm = pairs or named
    loose = [part for part in named if not part.aligned] if pairs else []
    return Collection(
        sources=tuple(picture for part in firm for picture in part.sources),
        targets=tuple(picture for part in firm for picture in part.targets),
        aligned=bool(pairs),
        preprocessing=named[0].preprocessing,
        description="; ".join(part.description for part in named),
        loose_sources=tuple(picture for part in loose for picture in part.sources),
        loose_targets=tuple(picture for part in loose for picture in part.targets),
    )


def _named(part: Collection, label: str) -> Collection:
    sources, targets = (tuple(_renamed(picture, label) for picture in side) for side in (part.sources, part.targets))
    return replace(part, sources=sources, targets=targets)


def _renamed(picture: Any, label: str) -> Any:
    return replace(picture, id=f"{label}/{picture.id}")


def _synthetic(settings: DataSettings, domain: str) -> Collection:
    """Make scenes in memory; gray and line art are made of their colours."""
    side = max(SYNTHETIC_PX, settings.crop_px)
    needed = settings.synthetic_scenes * side**2 * 16  # four bands of float32
    if needed > SYNTHETIC_BYTES:
        raise DataError(
            f"{settings.synthetic_scenes} synthetic scenes of {side} px would take {needed / 1e9:.0f} GB; "
            "use a smaller data.crop_px or data.synthetic_scenes, or give --data PATH"
        )
    sources, targets = [], []
    for seed in range(settings.synthetic_scenes):
        scene, name = synthetic_scene(seed, (side, side)), f"synthetic-{seed:04d}"
        rgb = scene.rgb_picture()
        sources.append(InMemory(name, name, _synthetic_source(scene, rgb, settings, domain)))
        targets.append(InMemory(name, name, rgb))
    description = f"{settings.synthetic_scenes} synthetic scenes of {side} px"
    return Collection(tuple(sources), tuple(targets), True, Preprocessing(bands=(domain,)), description)


def _synthetic_source(
    scene: SyntheticScene, rgb: NDArray[np.float32], settings: DataSettings, domain: str
) -> NDArray[np.float32]:
    if domain == "nir":
        return scene.nir_picture()
    return luma(rgb) if domain == "gray" else to_unit(draw(rgb, by=settings.lineart))
