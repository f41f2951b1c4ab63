"""Open what a run trains on: several sources joined, or synthetic scenes when none is given."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.config import DataSettings, Preprocessing, SourceSettings
from nirtrans.data.folders import is_paired, is_unpaired, open_pairs, open_unpaired
from nirtrans.data.picture import Collection, InMemory, Part, Picture
from nirtrans.data.split import assign_splits
from nirtrans.data.synthetic import synthetic_scene
from nirtrans.domains import find_domain
from nirtrans.errors import DataError

__all__ = ["Collection", "InMemory", "Part", "Picture", "open_collection"]
SYNTHETIC_PX = 256


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
    return assign_splits(_join([_open_source(source, domain, skip_bad) for source in settings.sources]))


def _open_source(source: SourceSettings, domain: str, skip_bad: bool) -> Collection:
    folder = Path(source.path).expanduser()
    if not folder.exists():
        raise DataError(f"{folder}: no such file or folder; give --data a folder of {domain}/ and rgb/, or of rasters")
    if is_paired(folder, domain):
        return open_pairs(folder, domain, skip_bad=skip_bad)
    if is_unpaired(folder):
        return open_unpaired(folder, domain, skip_bad=skip_bad)
    raise DataError(f"{folder}: expected {domain}/ and rgb/, trainA/ and trainB/, or rasters in it")


def _join(parts: list[Collection]) -> Collection:
    """Concatenate sources; one unaligned part makes the whole unaligned. Names gain a number where several sources meet."""
    if len(parts) == 1:
        return parts[0]
    numbered = [(f"{number}/", part) for number, part in enumerate(parts, start=1)]
    return Collection(
        sources=tuple(replace(p, id=prefix + p.id) for prefix, part in numbered for p in part.sources),
        targets=tuple(replace(p, id=prefix + p.id) for prefix, part in numbered for p in part.targets),
        aligned=all(part.aligned for part in parts),
        preprocessing=parts[0].preprocessing,
        description="; ".join(part.description for part in parts),
    )


def _synthetic(settings: DataSettings, domain: str) -> Collection:
    """Make scenes in memory; gray is the luma of their colours."""
    if domain not in ("nir", "gray"):
        raise DataError(f"there are no synthetic scenes for {domain}; give --data PATH")
    side = max(SYNTHETIC_PX, settings.crop_px)
    sources, targets = [], []
    for seed in range(settings.synthetic_scenes):
        scene, name = synthetic_scene(seed, (side, side)), f"synthetic-{seed:04d}"
        rgb = scene.rgb_picture()
        sources.append(InMemory(name, name, scene.nir_picture() if domain == "nir" else luma(rgb)))
        targets.append(InMemory(name, name, rgb))
    description = f"{settings.synthetic_scenes} synthetic scenes of {side} px"
    return Collection(tuple(sources), tuple(targets), True, Preprocessing(bands=(domain,)), description)


def luma(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the BT.601 luma [1, H, W] of RGB [3, H, W]."""
    return np.tensordot(np.array([[0.299, 0.587, 0.114]], dtype=np.float32), rgb, axes=1)
