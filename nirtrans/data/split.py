"""Train, validation and test parts, decided scene by scene so that no place is in two of them."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nirtrans.config import SourceSettings
from nirtrans.data.layout import find_layout
from nirtrans.data.picture import Collection
from nirtrans.errors import DataError, InputError
from nirtrans.io.atomic import write_text
from nirtrans.registry import did_you_mean

SPLITS = ("train", "val", "test")
VALIDATION_EVERY = 6
EVERY_OTHER = "*"


def assign_splits(collection: Collection) -> Collection:
    """Give every picture a split: that of its scene where a file decided it, else every 6th scene validates.

    Scenes are sorted by name over all sources joined. Of two to five the last one validates; a single one trains.

    Raises:
        DataError: If pictures of one scene were given different splits.
    """
    pictures = [*collection.every_source, *collection.every_target]
    decided = _decided(pictures)
    open_scenes = sorted({picture.scene for picture in pictures} - decided.keys())
    splits = _every_sixth(open_scenes) | decided

    def placed(pictures: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(replace(picture, split=splits[picture.scene]) for picture in pictures)

    return replace(
        collection,
        sources=placed(collection.sources),
        targets=placed(collection.targets),
        loose_sources=placed(collection.loose_sources),
        loose_targets=placed(collection.loose_targets),
    )


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


def write_splits(folder: Path, out: Path, *, val: float = 0.15, test: float = 0.15, seed: int = 0) -> dict[str, int]:
    """Draw a split of whole scenes and write it as id,scene,split.

    Args:
        folder: Pairs, rasters or pictures, with or without a scenes.csv.
        out: The CSV file; in the folder and called splits.csv, it is found again by training and evaluation.
        val: Share of the scenes that validate.
        test: Share of the scenes that are kept for the end.
        seed: Decides the draw.

    Returns:
        Pictures per split.

    Raises:
        DataError: If there are too few scenes for the shares.
        InputError: If the shares leave nothing for training, or `out` cannot be written.
    """
    if val + test >= 1:
        raise InputError(f"--val {val:g} and --test {test:g} leave nothing for training; use a sum below 1")
    layout = find_layout(folder)
    if layout.kind == "unpaired":
        raise DataError(f"{folder}: trainA/, trainB/, testA/ and testB/ are a split already")
    labels = read_labels(folder, layout.names, with_splits=False)
    splits = _draw(sorted({label.scene for label in labels.values()}), val, test, seed)
    rows = [(name, label.scene, splits[label.scene]) for name, label in labels.items()]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("id", "scene", "split"), *rows])
    write_text(out, text.getvalue())
    return dict(Counter(split for _, _, split in rows))


def _draw(scenes: Sequence[str], val: float, test: float, seed: int) -> dict[str, str]:
    names = [name for name, share in (("val", val), ("test", test)) for _ in range(_count(share, len(scenes)))]
    if len(scenes) <= len(names):
        raise DataError(f"{len(scenes)} scenes are too few for a split; use smaller shares or 0 for --val or --test")
    names += ["train"] * (len(scenes) - len(names))
    order = np.random.default_rng(seed).permutation(len(scenes))
    return {scenes[index]: name for index, name in zip(order, names, strict=True)}


def _count(share: float, scenes: int) -> int:
    return max(1, round(share * scenes)) if share > 0 else 0


def _every_sixth(scenes: Sequence[str]) -> dict[str, str]:
    held_out = set(scenes[VALIDATION_EVERY - 1 :: VALIDATION_EVERY] or scenes[-1:] if len(scenes) > 1 else ())
    return {scene: "val" if scene in held_out else "train" for scene in scenes}


def read_table(path: Path, columns: Sequence[str], *, empty: bool = False) -> list[dict[str, str]]:
    """Read a CSV file with a header that must hold `columns`, and at least one row unless it may be `empty`.

    Raises:
        DataError: If a column is missing or the file is no CSV text.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in table]
            header = table.fieldnames or ()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; give a CSV file with the columns {', '.join(columns)}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})") from None
    missing = set(columns) - set(header)
    if missing or not (rows or empty):
        raise DataError(f"{path}: expected the columns {', '.join(columns)}{'' if empty else ' and at least one row'}")
    return rows


@dataclass(frozen=True)
class Label:
    """Name, scene and, where a file or folder decided them, split and class of one picture."""

    name: str
    scene: str
    split: str | None = None
    group: str | None = None


def read_labels(folder: Path, names: Iterable[str], *, with_splits: bool = True) -> dict[str, Label]:
    """Tell the scene and split of every name; `splits.csv` wins over `scenes.csv`, without either each name is a scene.

    Args:
        folder: Where the two files may be.
        names: File names without suffix; CLASS/NAME where a folder per class tells them.
        with_splits: Read `splits.csv` too.

    Raises:
        DataError: If a file is malformed, leaves a name out, or names a split other than train, val and test.
    """
    labels = {name: Label(name, name, group=name.rpartition("/")[0] or None) for name in names}
    tables = {"scenes.csv": ("id", "scene"), "splits.csv": ("id", "scene", "split")}
    for table, columns in tables.items():
        path = folder / table
        if path.is_file() and (with_splits or table == "scenes.csv"):
            rows = {row["id"]: row for row in read_table(path, columns)}
            labels = {name: _tabled(label, rows, path) for name, label in labels.items()}
    return labels


def relabel(labels: Mapping[str, Label], source: SourceSettings) -> dict[str, Label]:
    """Apply the scenes and splits that the settings of a source name; files in the split none are left out.

    Raises:
        DataError: If they name a file that is not there.
    """
    scenes, splits = source.scenes or {}, source.splits or {}
    unknown = sorted((scenes.keys() | splits.keys()) - labels.keys() - {EVERY_OTHER})
    if unknown:
        near = did_you_mean(unknown[0], list(labels))
        raise DataError(f"{source.path}: scenes or splits name {unknown[0]}, which is no file there{near}")
    result = {}
    for name, label in labels.items():
        split = splits.get(name, splits.get(EVERY_OTHER, label.split))
        if split != "none":
            result[name] = replace(label, scene=scenes.get(name, label.scene), split=split)
    return result


def _tabled(label: Label, rows: Mapping[str, Mapping[str, str]], path: Path) -> Label:
    row = rows.get(label.name)
    if row is None or not row["scene"]:
        raise DataError(f"{path}: no scene for {label.name}; add the row or remove the file")
    split = row.get("split") or label.split
    if split not in (None, *SPLITS):
        raise DataError(f"{path}: {label.name} is in the split {split!r}; expected train, val or test")
    return Label(label.name, row["scene"], split, row.get("class") or label.group)
