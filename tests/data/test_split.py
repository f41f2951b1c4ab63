"""Splits go by scene, from the file that decides or by every 6th."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nirtrans.config import Run
from nirtrans.data.collection import open_collection
from nirtrans.data.split import _draw, _every_sixth, write_splits
from nirtrans.errors import DataError, InputError

MakeRun = Callable[..., Run]


def splits(run: Run) -> dict[str, str | None]:
    return {picture.id: picture.split for picture in open_collection(run.data, "nir").sources}


@pytest.mark.parametrize(
    ("scenes", "held_out"), [(1, []), (2, ["b"]), (5, ["e"]), (6, ["f"]), (7, ["f"]), (12, ["f", "l"])]
)
def test_every_sixth_scene_validates(scenes: int, held_out: list[str]) -> None:
    names = [chr(ord("a") + number) for number in range(scenes)]
    assert [name for name, split in _every_sixth(names).items() if split == "val"] == held_out


@given(st.integers(5, 60), st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 9))
def test_shares_are_kept_within_one_scene(count: int, val: float, test: float, seed: int) -> None:
    counts = Counter(_draw([str(number) for number in range(count)], val, test, seed).values())
    assert sum(counts.values()) == count
    assert counts["train"] >= 1
    for name, share in (("val", val), ("test", test)):
        assert abs(counts[name] - share * count) <= 1


def test_columns_decide_in_order_of_trust(pairs: Path, make_run: MakeRun) -> None:
    names = [f"scene{number:04d}" for number in range(8)]
    rows = [f"{name},{name},{'test' if number < 2 else 'train'}" for number, name in enumerate(names)]
    (pairs / "scenes.csv").write_text("\n".join(["id,scene,split", *rows]))
    assert Counter(splits(make_run(str(pairs))).values()) == {"test": 2, "train": 6}
    (pairs / "splits.csv").write_text("\n".join(["id,scene,split", *[f"{name},{name},val" for name in names]]))
    assert set(splits(make_run(str(pairs))).values()) == {"val"}


def test_pictures_of_one_scene_stay_together(pairs: Path, make_run: MakeRun) -> None:
    rows = [f"scene{number:04d},place{number // 2}" for number in range(8)]
    (pairs / "scenes.csv").write_text("\n".join(["id,scene", *rows]))
    found = splits(make_run(str(pairs)))
    assert [name for name, split in found.items() if split == "val"] == ["scene0006", "scene0007"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,place\nscene0000,x\n", "expected the columns id, scene"),
        ("id,scene\nscene0000,x\n", "no scene for scene0001"),
        (
            "id,scene,split\n" + "".join(f"scene{n:04d},x,holdout\n" for n in range(8)),
            "split 'holdout'; expected train, val",
        ),
        ("id,scene,split\n" + "".join(f"scene{n:04d},x,{'val' if n else 'train'}\n" for n in range(8)), "one split"),
        ("", "at least one row"),
    ],
)
def test_faulty_tables_are_refused(pairs: Path, make_run: MakeRun, text: str, message: str) -> None:
    (pairs / "scenes.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        splits(make_run(str(pairs)))


def test_written_splits_are_read_again(pairs: Path, make_run: MakeRun) -> None:
    counts = write_splits(pairs, pairs / "splits.csv", val=0.25, test=0.25, seed=3)
    assert counts == {"train": 4, "val": 2, "test": 2}
    assert Counter(splits(make_run(str(pairs))).values()) == counts
    first = (pairs / "splits.csv").read_text()
    write_splits(pairs, pairs / "splits.csv", val=0.25, test=0.25, seed=3)
    assert (pairs / "splits.csv").read_text() == first


def test_impossible_splits_are_refused(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave nothing for training"):
        write_splits(pairs, tmp_path / "s.csv", val=0.6, test=0.4)
    with pytest.raises(InputError, match="cannot write"):
        write_splits(pairs, tmp_path / "absent" / "s.csv")
    (pairs / "scenes.csv").write_text("id,scene\n" + "".join(f"scene{n:04d},one\n" for n in range(8)))
    with pytest.raises(DataError, match="1 scenes are too few"):
        write_splits(pairs, tmp_path / "s.csv")
