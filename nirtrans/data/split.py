"""Train, validation and test parts, decided scene by scene so that no place is in two of them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nirtrans.data.picture import Collection
from nirtrans.errors import DataError

SPLITS = ("train", "val", "test")
VALIDATION_EVERY = 6


def assign_splits(collection: Collection) -> Collection:
    """Give every picture a split: that of its scene where a file decided it, else every 6th scene validates.

    Scenes are sorted by name over all sources joined. Of two to five the last one validates; a single one trains.

    Raises:
        DataError: If pictures of one scene were given different splits.
    """
    decided = _decided([*collection.sources, *collection.targets])
    open_scenes = sorted({picture.scene for picture in [*collection.sources, *collection.targets]} - decided.keys())
    splits = _every_sixth(open_scenes) | decided
    placed: list[tuple[Any, ...]] = [
        tuple(replace(picture, split=splits[picture.scene]) for picture in pictures)  # type: ignore[type-var]
        for pictures in (collection.sources, collection.targets)
    ]
    return replace(collection, sources=placed[0], targets=placed[1])


def _decided(pictures: Sequence[Any]) -> dict[str, str]:
    decided: dict[str, str] = {}
    for picture in pictures:
        if picture.split is None:
            continue
        other = decided.setdefault(picture.scene, picture.split)
        if other != picture.split:
            raise DataError(
                f"scene {picture.scene} is in {other} and in {picture.split}; a scene belongs to one split "
                "(make a new splits.csv with `nirtrans data split`)"
            )
    return decided


def _every_sixth(scenes: Sequence[str]) -> dict[str, str]:
    held_out = set(scenes[VALIDATION_EVERY - 1 :: VALIDATION_EVERY] or scenes[-1:] if len(scenes) > 1 else ())
    return {scene: "val" if scene in held_out else "train" for scene in scenes}


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV file with a header that must hold `columns`.

    Raises:
        DataError: If a column is missing or the file is no CSV text.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})") from None
    missing = [column for column in columns if rows and column not in rows[0]]
    if missing or not rows:
        raise DataError(f"{path}: expected the columns {', '.join(columns)} and at least one row")
    return rows


@dataclass(frozen=True)
class Label:
    """Name, scene and, where a file or folder decided it, split of one picture."""

    name: str
    scene: str
    split: str | None = None


def read_labels(folder: Path, names: Iterable[str]) -> dict[str, Label]:
    """Tell the scene and split of every name; `splits.csv` wins over `scenes.csv`, without either each name is a scene.

    Raises:
        DataError: If a file is malformed, leaves a name out, or names a split other than train, val and test.
    """
    labels = {name: Label(name, name) for name in names}
    for path, columns in ((folder / "scenes.csv", ("id", "scene")), (folder / "splits.csv", ("id", "scene", "split"))):
        if path.is_file():
            rows = {row["id"]: row for row in read_table(path, columns)}
            labels = {name: _relabel(label, rows, path) for name, label in labels.items()}
    return labels


def _relabel(label: Label, rows: Mapping[str, Mapping[str, str]], path: Path) -> Label:
    row = rows.get(label.name)
    if row is None or not row["scene"]:
        raise DataError(f"{path}: no scene for {label.name}; add the row or remove the file")
    split = row.get("split") or label.split
    if split not in (None, *SPLITS):
        raise DataError(f"{path}: {label.name} is in the split {split!r}; expected train, val or test")
    return Label(label.name, row["scene"], split)
