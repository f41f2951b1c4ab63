"""Recognise what a data path holds: pairs, unpaired folders, rasters or pictures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nirtrans.domains import DOMAINS
from nirtrans.errors import DataError
from nirtrans.io.geotiff import RASTER_SUFFIXES
from nirtrans.io.images import IMAGE_SUFFIXES, list_images

Kind = Literal["pairs", "unpaired", "rasters", "pictures"]
TARGET_FOLDER = "rgb"
TARGET_FOLDERS = (TARGET_FOLDER, "color")
"""Folders that may hold the colours of pairs; the first one is the name that we write."""
SOURCE_FOLDERS = {"lineart": ("lineart", "line")}
"""Folders that may hold the sources of pairs, where there are more names than that of the domain."""
UNPAIRED_FOLDERS = ("trainA", "trainB", "testA", "testB")
NO_CLASSES = {*DOMAINS, *TARGET_FOLDERS, *SOURCE_FOLDERS["lineart"], *UNPAIRED_FOLDERS, "train", "val", "test"}
"""Names of folders that mean something else than a class of pictures."""


@dataclass(frozen=True)
class Layout:
    """What a path holds.

    Attributes:
        path: The folder, or a single raster.
        kind: pairs: DOMAIN/ and rgb/, or folders of the same meaning; unpaired: trainA/, trainB/ and perhaps testA/,
            testB/; rasters; pictures.
        groups: Files by name without suffix, per subfolder, sources first; rasters and pictures are one group, where
            pictures in a folder per class are called CLASS/NAME.
        domain: Of pairs, the kind of their sources.
    """

    path: Path
    kind: Kind
    groups: dict[str, dict[str, Path]]
    domain: str | None = None

    @property
    def names(self) -> list[str]:
        """Names of the sources, sorted."""
        return list(next(iter(self.groups.values())))


def find_layout(path: Path, domain: str | None = None) -> Layout:
    """Look into a path.

    Args:
        path: A folder, or a raster.
        domain: Kind of source that is wanted; any if None.

    Raises:
        DataError: If it is absent or empty, holds nothing of use for the domain, or two files share a name.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; give a folder of pairs, of rasters, or a raster")
    if not path.is_dir():
        return _single(path, domain)
    for name in [domain] if domain else DOMAINS:
        folders = [_first_folder(path, names) for names in (SOURCE_FOLDERS.get(name, (name,)), TARGET_FOLDERS)]
        if all(folders):
            return Layout(path, "pairs", {folder.name: pictures_by_name(folder) for folder in folders if folder}, name)
    if all((path / part).is_dir() for part in UNPAIRED_FOLDERS[:2]):
        return Layout(
            path, "unpaired", {p: pictures_by_name(path / p) for p in UNPAIRED_FOLDERS if (path / p).is_dir()}
        )
    rasters = sorted(item for item in path.iterdir() if _is_raster(item))
    if rasters and domain in (None, "nir"):
        return Layout(path, "rasters", {"rasters": _by_name(rasters)})
    if domain != "nir" and list_images(path):
        return Layout(path, "pictures", {"pictures": pictures_by_name(path)})
    if domain != "nir" and (classed := _classed_images(path)):
        return Layout(path, "pictures", {"pictures": classed})
    raise DataError(_nothing_of_use(path, domain))


def _first_folder(path: Path, names: Sequence[str]) -> Path | None:
    return next((path / name for name in names if (path / name).is_dir()), None)


def _single(path: Path, domain: str | None) -> Layout:
    if _is_raster(path) and domain in (None, "nir"):
        return Layout(path, "rasters", {"rasters": {path.stem: path}})
    raise DataError(f"{path}: a single file must be a raster ({', '.join(RASTER_SUFFIXES)}); give pictures as a folder")


def _is_raster(path: Path) -> bool:
    return path.suffix.lower() in RASTER_SUFFIXES and not path.name.startswith(".")


def pictures_by_name(folder: Path) -> dict[str, Path]:
    """Return the pictures directly inside a folder by name without suffix.

    Raises:
        DataError: If there are none, or two share a name.
    """
    found = _by_name(list_images(folder))
    if not found:
        raise DataError(f"{folder}: no pictures in it; expected {', '.join(IMAGE_SUFFIXES)}")
    return found


def _classed_images(path: Path) -> dict[str, Path]:
    """Return the pictures of a folder per class as CLASS/NAME; none if a subfolder has another meaning."""
    folders = sorted(item for item in path.iterdir() if item.is_dir() and not item.name.startswith("."))
    if NO_CLASSES & {folder.name for folder in folders}:
        return {}
    return {f"{folder.name}/{name}": file for folder in folders for name, file in _by_name(list_images(folder)).items()}


def _by_name(paths: Iterable[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in paths:
        other = named.setdefault(path.stem, path)
        if other != path:
            raise DataError(f"{path.parent}: {other.name} and {path.name} share one name; keep one of them")
    return named


def _nothing_of_use(path: Path, domain: str | None) -> str:
    """Say what was expected in a folder and what is there; one half of pairs is the commonest mistake."""
    wanted = f"{domain or 'nir'}/ and {TARGET_FOLDER}/, or trainA/ and trainB/"
    wanted += (
        ", or rasters"
        if domain in (None, "nir")
        else ", or pictures, also in a folder per class"
        if domain in ("gray", "lineart")
        else ""
    )
    found = sorted(item.name + "/" * item.is_dir() for item in path.iterdir())
    return (
        f"{path}: expected {wanted} in it; found {', '.join(found[:5]) or 'nothing'}{' ...' if len(found) > 5 else ''}"
    )
