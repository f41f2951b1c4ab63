"""Classes of scenes: named in scenes.csv, by a folder per class, for rasters the file; and their numbers in batches."""

from pathlib import Path

import numpy as np
import pytest

from nirtrans.config import DataSettings, Run, TrainSettings
from nirtrans.data.collection import open_collection
from nirtrans.data.loader import training_batches
from nirtrans.data.synthetic import write_synthetic_pairs, write_synthetic_raster
from nirtrans.errors import DataError
from nirtrans.io.images import write_image


def groups(path: Path, domain: str = "nir") -> list[str | None]:
    collection = open_collection(DataSettings(sources=[str(path)], crop_px=32), domain)
    assert [picture.group for picture in collection.targets] == [picture.group for picture in collection.sources]
    return [picture.group for picture in collection.sources]


def test_scenes_csv_names_classes(tmp_path: Path) -> None:
    write_synthetic_pairs(tmp_path, scenes=3, size=(40, 40))
    assert groups(tmp_path) == [None] * 3
    rows = ["id,scene,class", "scene0000,a,forest", "scene0001,b,town", "scene0002,c,"]
    (tmp_path / "scenes.csv").write_text("\n".join(rows))
    assert groups(tmp_path) == ["forest", "town", None]
    (tmp_path / "splits.csv").write_text("id,scene,split\nscene0000,a,train\nscene0001,b,val\nscene0002,c,train\n")
    assert groups(tmp_path) == ["forest", "town", None], "splits.csv says nothing of classes"


def test_gray_has_the_class_of_its_colours(tmp_path: Path) -> None:
    write_synthetic_pairs(tmp_path, scenes=2, size=(40, 40))
    (tmp_path / "rgb" / "scenes.csv").write_text("id,scene,class\nscene0000,a,forest\nscene0001,b,town\n")
    assert groups(tmp_path / "rgb", "gray") == ["forest", "town"]


def test_tiles_of_a_raster_are_one_class(tmp_path: Path) -> None:
    for name in ("north", "south"):
        write_synthetic_raster(tmp_path / f"{name}.tif", size=(130, 70))
    assert groups(tmp_path) == ["north", "north", "south", "south"]


def classed(folder: Path, *names: str) -> Path:
    """Write one colour picture of 40 px per name."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(folder / name, np.random.default_rng(number).integers(0, 255, (40, 40, 3), dtype=np.uint8))
    return folder


def test_a_folder_per_class_names_classes(tmp_path: Path) -> None:
    folder = classed(tmp_path, "town/a.png", "forest/a.png", "forest/b.png")
    assert groups(folder, "gray") == ["forest", "forest", "town"]
    collection = open_collection(DataSettings(sources=[str(folder)], crop_px=32), "gray")
    assert [picture.id for picture in collection.sources] == ["forest/a", "forest/b", "town/a"]


@pytest.mark.parametrize("other", ["train/a.png", "rgb/a.png", "nir/a.png"])
def test_folders_of_another_meaning_are_no_classes(tmp_path: Path, other: str) -> None:
    folder = classed(tmp_path, "forest/a.png", other)
    with pytest.raises(DataError, match=r"or pictures, also in a folder per class in it; found forest/"):
        open_collection(DataSettings(sources=[str(folder)]), "gray")


def test_pictures_beside_folders_are_all_there_is(tmp_path: Path) -> None:
    assert groups(classed(tmp_path, "a.png", "forest/b.png"), "gray") == [None]


def labels_of(folder: Path) -> dict[str, int]:
    run = Run(
        model="any",
        domain="gray",
        data=DataSettings(sources=[str(folder)], crop_px=32, workers=0),
        train=TrainSettings(batch=6),
    )
    batch = next(training_batches(open_collection(run.data, "gray"), run))
    return dict(zip(batch.ids, batch.extra["label"].tolist() if "label" in batch.extra else [], strict=False))


def test_batches_hold_the_numbers_of_classes(tmp_path: Path) -> None:
    folder = classed(tmp_path, *(f"{number}.png" for number in range(6)))
    assert labels_of(folder) == {}
    rows = [
        "id,scene,split,class",
        *(f"{n},{n},train,{c}" for n, c in enumerate(("town", "forest", "", "sea", "", ""))),
    ]
    (folder / "scenes.csv").write_text("\n".join(rows))
    assert labels_of(folder) == {"0": 2, "1": 0, "2": -1, "3": 1, "4": -1, "5": -1}


def test_classes_are_those_of_the_training_part(tmp_path: Path) -> None:
    folder = classed(tmp_path, "a.png", "b.png", "c.png")
    (folder / "scenes.csv").write_text("id,scene,split,class\na,a,val,air\nb,b,train,sea\nc,c,train,land\n")
    collection = open_collection(DataSettings(sources=[str(folder)]), "gray")
    assert collection.classes == ("air", "land", "sea")
    assert collection.part("train").classes == ("land", "sea")
    assert labels_of(folder) == {"b": 1, "c": 0}
