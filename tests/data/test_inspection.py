"""`nirtrans data inspect` and `split`: everything is reported, nothing refused that is there."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nirtrans.cli.data import data_app
from nirtrans.data.inspection import inspect
from nirtrans.data.synthetic import write_synthetic_pairs
from nirtrans.errors import DataError


def run(*arguments: str) -> str:
    return CliRunner().invoke(data_app, list(arguments), catch_exceptions=False).output


def test_pairs_are_described(pairs: Path) -> None:
    (report,) = inspect([pairs])
    assert (report.layout, report.count, report.scenes, report.problems) == ("pairs", 8, 8, [])
    assert report.groups["nir"].sizes == {"48x48": 8}
    assert report.groups["nir"].dtypes == {"uint8": 8}
    assert report.groups["rgb"].bands == {"red, green, blue": 8}
    assert set(report.groups["rgb"].value_ranges) == {"red", "green", "blue"}


def test_rasters_are_described_band_by_band(rasters: Path) -> None:
    (report,) = inspect([rasters])
    group = report.groups["rasters"]
    assert (report.layout, report.count) == ("rasters", 7)
    assert group.bands == {"red, green, blue, nir": 7}
    assert group.valid_share < 1
    assert group.value_ranges["nir"][0] >= 1, "nodata is no value"


def test_everything_wrong_is_listed_at_once(pairs: Path, tmp_path: Path) -> None:
    write_synthetic_pairs(tmp_path / "other", scenes=1, size=(40, 40))
    (tmp_path / "other" / "rgb" / "scene0000.png").replace(pairs / "rgb" / "scene0000.png")
    (pairs / "rgb" / "scene0001.png").write_bytes(b"damaged")
    (pairs / "rgb" / "scene0002.png").unlink()
    (pairs / "rgb" / "scene0004.png").replace(pairs / "nir" / "scene0004.png")
    (report,) = inspect([pairs])
    assert list(report.groups["rgb"].unreadable) == ["scene0001.png"]
    text = "\n".join(report.problems)
    assert "2 in nir/ without a partner in rgb/: scene0002, scene0004" in text
    assert "1 pairs of unequal size: scene0000" in text
    assert "scene0004.png: colour, but near infrared is expected" in text


def test_a_faulty_table_is_a_problem_not_an_end(pairs: Path) -> None:
    (pairs / "scenes.csv").write_text("id,scene\nscene0000,a\n")
    (report,) = inspect([pairs])
    assert "no scene for scene0001" in report.problems[0]


def test_absent_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        inspect([tmp_path / "absent"])


def test_the_command_prints_words_or_json(pairs: Path, rasters: Path) -> None:
    words = run("inspect", str(pairs), str(rasters))
    assert "8 pairs, 8 scenes" in words
    assert "sizes    48x48 (8)" in words
    report = json.loads(run("inspect", str(pairs), "--json"))
    assert report["sources"][0]["groups"]["nir"]["sizes"] == {"48x48": 8}


def test_the_split_command_writes_what_training_reads(pairs: Path, tmp_path: Path) -> None:
    output = run("split", str(pairs), "--out", str(tmp_path / "s.csv"), "--val", "0.25", "--test", "0", "--seed", "1")
    assert "6 train, 2 val, 0 test" in output
    assert (tmp_path / "s.csv").read_text().startswith("id,scene,split\nscene0000,scene0000,")
    run("split", str(pairs))
    assert (pairs / "splits.csv").is_file()


def test_real_folders_are_described(shared_data: Path) -> None:
    ground, remote = inspect([shared_data / "nir/ground/nirscene-starainj", shared_data / "nir/remote/naip-stactools"])
    assert ground.problems == []
    assert ground.count == 19
    assert len(remote.problems) == 4, "near infrared has no description there"
