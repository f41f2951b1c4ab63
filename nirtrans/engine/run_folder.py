"""The folder of a run: a fresh one that harms nothing, or an old one whose settings still hold."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nirtrans.config import Run
from nirtrans.config_files import dump_run, merge, read_config, validate
from nirtrans.engine import checkpoint, logs, samples
from nirtrans.engine.trainer import BEST, LAST
from nirtrans.errors import InputError
from nirtrans.io.atomic import make_folder, write_text

CONFIG, SPLITS = "config.yaml", "splits.csv"
OURS = (checkpoint.FOLDER, samples.FOLDER, logs.EVENTS, logs.METRICS, CONFIG, SPLITS, BEST, LAST)
CHANGEABLE = {"train.steps", "train.schedule_steps"}


def next_folder(run: Run, parent: Path = Path("runs")) -> Path:
    """Return the first unused runs/MODEL-DOMAIN-N, N from 1."""
    start = f"{run.model}-{run.domain}-"
    taken = [path.name.removeprefix(start) for path in parent.glob(f"{start}*")]
    return parent / f"{start}{1 + max((int(number) for number in taken if number.isdecimal()), default=0)}"


def check_unused(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds a run, unless it may be replaced.

    Raises:
        InputError: Naming --resume and --overwrite.
    """
    found = next((name for name in (checkpoint.FOLDER, BEST, LAST) if (out / name).exists()), None)
    if found and not overwrite:
        raise InputError(f"{out} holds a run ({found}); continue it with --resume or replace it with --overwrite")


def create(out: Path, run: Run) -> None:
    """Make the folder, remove what an older run left there, and write the settings.

    Raises:
        InputError: If it cannot be created or written to.
    """
    make_folder(out)
    for name in OURS:
        path = out / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    write_run(out, run)


def write_run(out: Path, run: Run) -> None:
    """Write `config.yaml`."""
    write_text(out / CONFIG, dump_run(run))


def read_run(out: Path) -> Run:
    """Return the settings of a run that can be resumed.

    Raises:
        InputError: If the folder is missing or holds no state.
        ConfigError: If its `config.yaml` is absent or damaged.
    """
    if checkpoint.newest_state(out) is None:
        raise InputError(f"--resume: {out} holds no training state; leave --resume out to start a new run there")
    return validate(Run, read_config(out / CONFIG), origin=str(out / CONFIG))


def agree(stored: Run, given: Mapping[str, Any], *, origin: str) -> Run:
    """Return the stored run with the steps that were given; everything else that was given must be as it was.

    Args:
        stored: Settings of the run.
        given: Nested mapping of what flags, `--set` and a config say now.
        origin: Where the stored settings come from, for the message.

    Raises:
        InputError: Naming the first setting that differs.
        ConfigError: If a given key or value is wrong.
    """
    now = with_absolute_paths(validate(Run, merge(stored.model_dump(mode="json"), given), origin="--resume"))
    before, after = flatten(stored.model_dump(mode="json")), flatten(now.model_dump(mode="json"))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key) and key not in CHANGEABLE:
            raise InputError(
                f"--resume: {key} is {before.get(key)} in {origin}, but {after.get(key)} was given; "
                "leave it out, or start a new run with another --out"
            )
    return now


def with_absolute_paths(run: Run) -> Run:
    """Return the run with sources, a list of exclusions and a prior that are found from any folder."""
    sources = tuple(source.model_copy(update={"path": _absolute(source.path)}) for source in run.data.sources)
    files = {
        name: path and _absolute(path) for name, path in (("exclude", run.data.exclude), ("prior", run.data.prior))
    }
    return run.model_copy(update={"data": run.data.model_copy(update={"sources": sources, **files})})


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    """Return {"a.b": 1, "a.c.0": 2} for {"a": {"b": 1, "c": [2]}}."""
    if isinstance(values, list):
        values = {str(number): value for number, value in enumerate(values)}
    if not isinstance(values, dict) or not values:
        return {prefix: values}
    return {
        key: leaf
        for name, value in values.items()
        for key, leaf in flatten(value, f"{prefix}.{name}" if prefix else name).items()
    }
