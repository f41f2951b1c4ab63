"""Folders of runs: names, what may be replaced, and settings that must agree."""

from pathlib import Path

import pytest

from nirtrans.config import Run
from nirtrans.engine.run_folder import agree, check_unused, create, flatten, next_folder, read_run
from nirtrans.errors import ConfigError, InputError


def make_run(**changes: object) -> Run:
    return Run.model_validate({"model": "test", "domain": "nir", "train": {"steps": 5}} | changes)


def test_names_count_up(tmp_path: Path) -> None:
    assert next_folder(make_run(), tmp_path).name == "test-nir-1"
    for name in ("test-nir-1", "test-nir-9", "test-nir-old", "test-gray-30"):
        (tmp_path / name).mkdir()
    assert next_folder(make_run(), tmp_path).name == "test-nir-10"


@pytest.mark.parametrize("name", ["state", "best.safetensors", "last.safetensors"])
def test_a_run_is_not_replaced_unasked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"holds a run \\({name}\\).*--resume.*--overwrite"):
        check_unused(tmp_path, overwrite=False)
    check_unused(tmp_path, overwrite=True)


def test_creating_removes_only_what_a_run_writes(tmp_path: Path) -> None:
    for name in ("state", "samples", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    for name in ("metrics.jsonl", "best.safetensors", "notes.txt"):
        (tmp_path / name).write_text("x")
    create(tmp_path, make_run())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "mine", "notes.txt"]
    assert (tmp_path / "mine" / "file").exists()


def test_unwritable_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="cannot write"):
            create(out, make_run())


def test_reading_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no training state"):
        read_run(tmp_path / "absent")
    (tmp_path / "state" / "step-000000003").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"config\.yaml: cannot be read"):
        read_run(tmp_path)
    run = make_run(data={"sources": ["/a"]}, network={"width": 4})
    create(tmp_path / "other", run)
    (tmp_path / "other" / "state" / "step-000000003").mkdir(parents=True)
    assert read_run(tmp_path / "other") == run


def test_given_settings_must_agree() -> None:
    stored = make_run(data={"sources": ["/a"]}, network={"width": 4})
    assert agree(stored, {"train": {"steps": 9, "schedule_steps": 8}}, origin="x").train.steps == 9
    assert agree(stored, {"model": "test", "network": {"width": 4}}, origin="x") == stored
    assert agree(stored, {"data": {"sources": [{"path": "/b/../a"}]}}, origin="x") == stored
    with pytest.raises(InputError, match=r"train\.batch is 1 in RUN/config\.yaml, but 2 was given; leave it out"):
        agree(stored, {"train": {"batch": 2}}, origin="RUN/config.yaml")
    with pytest.raises(InputError, match=r"data\.sources\.0\.path is /a"):
        agree(stored, {"data": {"sources": ["/b"]}}, origin="x")
    with pytest.raises(InputError, match=r"network\.width"):
        agree(stored, {"network": {"width": 5}}, origin="x")
    with pytest.raises(ConfigError, match=r"train\.step is not a setting; did you mean train\.steps"):
        agree(stored, {"train": {"step": 2}}, origin="x")


def test_flatten() -> None:
    assert flatten({"a": {"b": 1, "c": [2, {"d": 3}]}, "e": {}}) == {"a.b": 1, "a.c.0": 2, "a.c.1.d": 3, "e": {}}
