"""Configs: precedence, YAML that lies in wait, and messages that propose the nearest key."""

from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import pytest
import yaml
from pydantic import Field, model_validator

from nirtrans import config_files
from nirtrans.config import DataSettings, Run, Settings, TrainSettings
from nirtrans.config_files import dump_run, merge, parse_overrides, parse_yaml, resolve_run, validate
from nirtrans.errors import ConfigError, UnknownNameError


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shipped config `toy`, and a folder for files beside it."""
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "toy.yaml").write_text("model: toy\ndomain: nir\ntrain: {steps: 7, batch: 2}\n")
    monkeypatch.setattr(config_files, "SHIPPED", tmp_path / "shipped")
    return tmp_path


def test_precedence(toy: Path) -> None:
    file = toy / "mine.yaml"
    file.write_text("model: toy\ntrain: {steps: 8, seed: 1, ema: 0.5, pool: 3}\n")
    run = resolve_run(
        str(file), flags={"train": {"seed": 2, "ema": 0.6, "pool": 4}}, overrides=["train.ema=0.7", "train.pool=5"]
    )
    assert (run.train.batch, run.train.steps, run.train.seed, run.train.ema, run.train.pool) == (2, 8, 2, 0.7, 5)
    assert run.train.validate_every == TrainSettings().validate_every


@pytest.mark.parametrize("config", [None, "toy", "toy-small"])
def test_the_config_of_a_domain_lies_over_that_of_the_model(toy: Path, config: str | None) -> None:
    shipped = toy / "shipped"
    (shipped / "toy-gray.yaml").write_text(
        "model: toy\ndomain: gray\nnetwork: {luma: copy, width: 3}\ntrain: {seed: 9}\n"
    )
    (shipped / "toy-small.yaml").write_text("model: toy\ndomain: nir\nnetwork: {width: 1}\n")
    gray, nir = (resolve_run(config, model="toy", flags={"domain": domain}) for domain in ("gray", "nir"))
    width = 1 if config == "toy-small" else 3
    assert (gray.domain, gray.train.steps, gray.train.seed, gray.network) == (
        "gray",
        7,
        9,
        {"luma": "copy", "width": width},
    )
    assert "luma" not in nir.network
    chosen = resolve_run("toy-gray", overrides=["network.luma=predict"])
    assert (chosen.domain, chosen.train.steps, chosen.network["luma"]) == ("gray", 7, "predict")
    assert resolve_run("toy-gray", flags={"domain": "lineart"}).network["luma"] == "copy", "what was asked for by name"


def test_model_name_alone_uses_its_config(toy: Path) -> None:
    assert resolve_run(model="toy").train.steps == 7
    assert resolve_run("toy").model == "toy"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.step=3", r"train\.step is not a setting; did you mean train\.steps\?"),
        ("train.optimizer.lrate=3", r"train\.optimizer\.lrate is not a setting; did you mean train\.optimizer\.lr"),
        ("train.phases.critic.ler=1", r"did you mean train\.phases\.critic\.lr\?"),
        ("train.lr=3", r"train\.lr is not a setting; did you mean train\.optimizer\.lr\?"),
        ("train.optimizer.betas=[1, 0.9]", r"train\.optimizer\.betas\.0: .*less than 1, got 1"),
        ("train.optimizer.betas=1", r"train\.optimizer\.betas: expected a list such as \[1, 2\], got 1"),
        ("train.phases=lr", r"train\.phases: expected settings such as \{key: value\}, got 'lr'"),
        ("data.workers=1e9", r"data\.workers: .*less than or equal to 256"),
        ("trian.steps=3", r"trian is not a setting; did you mean train\?"),
        ("train.steps=-3", r"train\.steps: .*greater than 0, got -3"),
        ("train.batch=on", r"train\.batch: true is a boolean here"),
        ("train.batch=9999999999999", r"train\.batch: .*less than or equal"),
        ("train.optimizer.lr=.nan", r"train\.optimizer\.lr: .*finite"),
        ("data.pairing=pared", r"data\.pairing: .*'paired', 'unpaired' or 'mixed'"),
        ("train.accumulate=3", r"train\.batch 2 must be a multiple of train\.accumulate 3"),
        ("train", r"--set expects section\.key=value, got 'train'"),
        ("train..steps=1", r"--set expects section\.key=value"),
        ("train.steps=[1", r"--set train\.steps=\[1: no valid YAML"),
        ("train.steps=2001-99-99", r"--set train\.steps=2001-99-99: no valid YAML: month must be"),
        ("train.steps=1\ntrain: 2", r"--set expects one setting"),
        ("train.steps=", r"train\.steps: .*got None"),
        ("train=5", r"train: .*got 5"),
    ],
)
def test_wrong_override(toy: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        resolve_run("toy", overrides=[override])
    assert "\n" not in str(caught.value)


def test_yaml_1_1_numbers_are_converted(toy: Path) -> None:
    run = resolve_run("toy", overrides=["train.optimizer.lr=2e-4", "train.steps=2e3"])
    assert (run.train.optimizer.lr, run.train.steps) == (2e-4, 2000)


def test_unknown_config_proposes(toy: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown config 'toi'; did you mean toy\?"):
        resolve_run("toi")


def test_names_that_are_no_names(toy: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown config 'xxx"):
        resolve_run("x" * 300)
    with pytest.raises(ConfigError, match=r"model: expected a name, got \[1\]"):
        resolve_run("toy", overrides=["model=[1]"])


def test_missing_file_is_named(toy: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read \(No such file"):
        resolve_run(str(toy / "absent.yaml"))


def test_config_without_model_or_domain(toy: Path) -> None:
    with pytest.raises(ConfigError, match="no model: give --model NAME"):
        resolve_run()
    with pytest.raises(ConfigError, match="no domain for other"):
        resolve_run(model="other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "line 2: a is set twice"),
        ("1: a\n", "expected a word as key, got 1"),
        ("- a\n", "expected `key: value` lines, got a list"),
        ("a: {b: 1\n", "no valid YAML at line"),
        ("a: &x [*x]\n", "aliases expand"),
        ("a: !!python/object:os.system {}\n", "no valid YAML"),
        ("x" * 1_000_001, "at most 1 MB"),
    ],
)
def test_malformed_yaml(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_yaml(text, "file.yaml")


def test_alias_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(ConfigError, match="aliases expand"):
        parse_yaml("\n".join(lines), "bomb.yaml")


def test_a_block_given_in_part_keeps_the_rest_of_the_fields_default() -> None:
    class Inner(Settings):
        kind: str = "plain"
        size: int = 1

    class Middle(Settings):
        inner: Inner = Inner(kind="fancy")
        weight: float = 0.0

    class Outer(Settings):
        middle: Middle = Middle(inner=Inner(kind="special", size=5), weight=2.0)

    changed = Outer.model_validate({"middle": {"inner": {"size": 7}}}).middle
    assert (changed.inner.kind, changed.inner.size, changed.weight) == ("special", 7, 2.0)
    assert Middle(weight=1.0).inner.kind == "fancy"
    assert Outer.model_validate(Outer(middle=changed).model_dump()).middle == changed
    with pytest.raises(ConfigError, match=r"middle\.inner\.sice is not a setting; did you mean middle\.inner\.size"):
        validate(Outer, {"middle": {"inner": {"sice": 7}}}, origin="x")


def test_faults_of_keys_and_blocks_are_told_by_name() -> None:
    class Inner(Settings):
        renamed = MappingProxyType({"old": "size"})
        size: int = 1
        parts: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)

        @model_validator(mode="after")
        def _refuse_thirteen(self) -> "Inner":
            if self.size == 13:
                raise ValueError("13 brings bad luck")
            return self

    class Outer(Settings):
        left: Inner = Inner()
        right: Inner = Inner()

    def message(values: dict[str, Any], prefix: str = "") -> str:
        with pytest.raises(ConfigError) as caught:
            validate(Outer, values, origin="x", prefix=prefix)
        return str(caught.value)

    assert message({"left": {"old": 3}}, "network.") == "x: network.left.old has become network.left.size"
    assert message({"size": 3}) == "x: size is not a setting; did you mean left.size or right.size?"
    assert message({"left": {"size": 13}}, "network.") == "x: network.left: 13 brings bad luck"
    assert message({"left": {"parts": []}}) == "x: left.parts: expected more values in the list, got []"
    assert message({"left": 3}) == "x: left: expected settings such as {key: value}, got 3"


def test_merge_keeps_what_is_not_named() -> None:
    assert merge({"a": {"b": 1, "c": [1, 2]}}, {"a": {"c": [3]}}) == {"a": {"b": 1, "c": [3]}}
    assert parse_overrides(["a.b=1", "a.c=x"]) == {"a": {"b": 1, "c": "x"}}


def test_dump_is_complete_and_reads_back(toy: Path) -> None:
    run = resolve_run("toy", overrides=["data.sources=[one, {path: two, bands: {nir: 4}}]"])
    assert Run.model_validate(yaml.safe_load(dump_run(run))) == run
    assert "validate_every" in dump_run(run)


def test_every_setting_has_a_sentence() -> None:
    for block in (Run, DataSettings, TrainSettings):
        assert all(field.description for field in block.model_fields.values()), block
