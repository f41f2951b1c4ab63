"""Nothing is ever half-written under its final name."""

import errno
from pathlib import Path

import pytest

from nirtrans.errors import InputError, IOFailure
from nirtrans.io.atomic import atomic_path, make_folder, write_text


def test_a_finished_file_appears(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "text")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")

    def break_off() -> None:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        break_off()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, IOFailure), (errno.EACCES, InputError)])
def test_a_full_disk_is_no_fault_of_the_user(tmp_path: Path, number: int, expected: type) -> None:
    with pytest.raises(expected, match=r"a\.txt"), atomic_path(tmp_path / "a.txt"):
        raise OSError(number, "reason")
    assert not list(tmp_path.iterdir())


def test_the_temporary_name_keeps_the_suffix(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.tif") as temporary:
        assert temporary.suffix == ".tif"
        assert temporary.name.startswith(".")
        temporary.touch()


def test_folders_are_made_or_refused(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="it is a file"):
        make_folder(tmp_path / "file")
    with pytest.raises(InputError, match="cannot write"):
        make_folder(tmp_path / "file" / "below")
