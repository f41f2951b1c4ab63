"""Classes of scenes: named in scenes.csv, for rasters the file."""

from pathlib import Path

from nirtrans.config import DataSettings
from nirtrans.data.collection import open_collection
from nirtrans.data.synthetic import write_synthetic_pairs, write_synthetic_raster


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
