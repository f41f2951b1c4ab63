"""What docs/data.md shows works."""

import re
from pathlib import Path

import pytest

from nirtrans.config import Run
from nirtrans.config_files import parse_yaml, validate
from nirtrans.data.collection import open_collection
from nirtrans.data.loader import training_batches
from nirtrans.models import build_system

DOCS = Path(__file__).parents[2] / "docs" / "data.md"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_config_of_many_sensors_trains_on_the_real_rasters(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = validate(Run, parse_yaml(block("yaml"), "docs/data.md"), origin="docs/data.md")
    monkeypatch.chdir(shared_data)
    collection = open_collection(run.data, run.domain)
    names = {part: {p.id.split("@")[0] for p in collection.part(part).sources} for part in ("train", "val")}
    assert len(names["train"]) == 29
    assert {name.split("/")[1][:5] for name in names["val"]} == {"senti", "637U_", "HURST", "RANCH", "CLEAR", "m_420"}
    assert collection.preprocessing.units == "percentile", "raw numbers and reflectance mixed"
    batch = next(training_batches(collection, run, workers=0))
    assert batch.source.shape == (4, 1, 96, 96)
    build_system(run).forward_train(batch)


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(
        block("python").replace("256, 256", "32, 32").replace("128, 128", "32, 32").replace("1024, 1024", "64, 64"), {}
    )
    assert len(list((tmp_path / "pairs" / "nir").iterdir())) == 12
    assert (tmp_path / "scene.tif").is_file()
