"""Lists of pictures to leave out."""

from pathlib import Path

import pytest

from nirtrans.config import DataSettings
from nirtrans.data.collection import Collection, open_collection
from nirtrans.data.synthetic import write_synthetic_pairs, write_synthetic_raster
from nirtrans.errors import DataError


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two folders whose files have the same names, the second with one more."""
    for name, scenes in (("a", 2), ("b", 3)):
        write_synthetic_pairs(tmp_path / name, scenes=scenes, size=(32, 32))
    return [tmp_path / "a", tmp_path / "b"]


def opened(folders: list[Path], tmp_path: Path, *lines: str) -> Collection:
    listed = tmp_path / "list.csv"
    listed.write_text("\n".join(["id,why", *(f"{line},x" for line in lines)]) + "\n")
    return open_collection(DataSettings(sources=[str(folder) for folder in folders], exclude=str(listed)), "nir")


def test_a_name_of_one_folder_is_left_out(folders: list[Path], tmp_path: Path) -> None:
    found = opened(folders, tmp_path, "scene0002", "a/scene0000")
    assert [picture.id for picture in found.sources] == ["a/scene0001", "b/scene0000", "b/scene0001"]


def test_an_empty_list_leaves_nothing_out(folders: list[Path], tmp_path: Path) -> None:
    assert len(opened(folders, tmp_path).sources) == 5


def test_rasters_are_left_out_by_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "r").mkdir(exist_ok=True)
        write_synthetic_raster(tmp_path / "r" / f"{name}.tif", size=(64, 64))
    assert {picture.scene for picture in opened([tmp_path / "r"], tmp_path, "one").sources} == {"two"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scene0001", "'scene0001' is in .*/a and in .*/b; write FOLDER/scene0001 instead"),
        ("scene00002", "'scene00002', which is no file of these data; did you mean scene0002"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(folders: list[Path], tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        opened(folders, tmp_path, line)


def test_files_that_are_no_lists_are_refused(folders: list[Path], tmp_path: Path) -> None:
    settings = DataSettings(sources=[str(folders[0])], exclude=str(tmp_path / "list.csv"))
    with pytest.raises(DataError, match="no such file"):
        open_collection(settings, "nir")
    (tmp_path / "list.csv").write_text("name\nscene0000\n")
    with pytest.raises(DataError, match=r"expected the columns id$"):
        open_collection(settings, "nir")
