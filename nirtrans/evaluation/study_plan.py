"""A human study: which pictures are shown in which trial, and the key that says afterwards which ones were made.

Two kinds. 2afc: the true and the colorized picture side by side, which has its true colours? naturalness: one picture,
does it look natural? True pictures are among those, as control.

Every rater sees every picture once. Which system coloured it turns with the rater, so that nobody learns the true
colours of a picture from an earlier trial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from nirtrans.config import Settings
from nirtrans.errors import DataError, InputError
from nirtrans.io.images import IMAGE_SUFFIXES

Mode = Literal["2afc", "naturalness"]
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")
REAL = "real"
"""What true pictures are called beside systems."""
PRACTICE = 3
"""Pictures to begin with that do not count."""
FORMAT = 1


class TrialKey(Settings):
    """What a trial shows, in truth."""

    picture: str
    """Name of the picture."""
    system: str
    """Who coloured it; real for true pictures."""
    fake: Side | None = None
    """Where the made picture stands; None for a single picture."""
    practice: bool = False
    """Whether the answer counts."""


class StudyKey(Settings):
    """The truth of a study, which raters do not see."""

    format: int = FORMAT
    """Version of this file."""
    page: str
    """Number of the page that it belongs to."""
    mode: Mode
    """Kind of study."""
    seconds: float
    """How long a trial is shown."""
    seed: int
    """What trials, sides and names were drawn by."""
    systems: tuple[str, ...]
    """Who is judged; in naturalness also real."""
    trials: dict[str, TrialKey]
    """By their number in page and answers."""


@dataclass(frozen=True)
class Trial:
    """One question.

    Attributes:
        name: Its number in page and answers, which tells nothing.
        files: What is shown, from left to right: the name in the page, and the picture that it is a copy of.
        key: The truth.
    """

    name: str
    files: tuple[tuple[str, Path], ...]
    key: TrialKey


def find_pictures(folder: Path) -> dict[str, Path]:
    """Return all pictures below a folder by their path without suffix.

    Raises:
        DataError: If the folder is absent or empty, or two pictures differ in their suffix alone.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file():
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in found:
                raise DataError(f"{folder}: {found[name].name} and {path.name} are both {name}; keep one of them")
            found[name] = path
    if not found:
        raise DataError(f"{folder}: no pictures; give a folder of them, as `nirtrans evaluate --save-pictures` writes")
    return found


def name_systems(folders: Sequence[Path]) -> dict[str, Path]:
    """Name folders of made pictures by their last part, by two parts where that clashes.

    Raises:
        InputError: If there are none, names clash all the same, or one is called real.
    """
    if not folders:
        raise InputError("--fake names no folder; give at least one, several with commas between them")
    resolved = [folder.resolve() for folder in folders]
    short = [folder.name for folder in resolved]
    names = [
        name if short.count(name) == 1 else f"{f.parent.name}/{name}" for name, f in zip(short, resolved, strict=True)
    ]
    if len(set(names)) < len(names):
        raise InputError(f"two folders of --fake are called {max(names, key=names.count)}; rename one")
    if REAL in names:
        raise InputError(f"a folder of --fake is called {REAL}, as true pictures are; rename it")
    return dict(zip(names, folders, strict=True))


def plan_trials(
    real: Mapping[str, Path],
    fakes: Mapping[str, Mapping[str, Path]],
    *,
    mode: Mode,
    count: int | None,
    seed: int,
) -> list[list[Trial]]:
    """Draw pictures, sides and names.

    Args:
        real: True pictures by name.
        fakes: Of each system the pictures that it made, by the same names.
        mode: Kind of study.
        count: Pictures that count; None for all that practice leaves.
        seed: Of the draw.

    Returns:
        Of each picture one trial per system, in random order; those for practice first.

    Raises:
        DataError: If no picture is in all folders.
        InputError: If there are fewer than `count`.
    """
    common = sorted(set(real).intersection(*fakes.values()))
    if not common:
        raise DataError(f"no picture is in --real and in {' and in '.join(fakes)}; names without suffix must be equal")
    if count is not None and count > len(common):
        raise InputError(f"--count {count}: only {len(common)} pictures are in all folders; use at most that")
    random = np.random.default_rng(seed)
    drawn = [common[index] for index in random.permutation(len(common))]
    practice = min(PRACTICE, len(common) - (count or 1))
    chosen = drawn[: practice + (count or len(common))]
    shown = {REAL: real, **fakes} if mode == "naturalness" else fakes
    plan = [
        [
            _trial(name, system, made, real, practice=number < practice, mode=mode, random=random)
            for system, made in shown.items()
        ]
        for number, name in enumerate(chosen)
    ]
    return [[trials[index] for index in random.permutation(len(trials))] for trials in plan]


def _trial(
    name: str,
    system: str,
    made: Mapping[str, Path],
    real: Mapping[str, Path],
    *,
    practice: bool,
    mode: Mode,
    random: np.random.Generator,
) -> Trial:
    """Draw one trial; every picture is copied under a name of its own, so that no two trials share one."""
    number, *names = (random.bytes(8).hex() for _ in range(3))
    if mode == "naturalness":
        return Trial(
            number, ((f"{names[0]}.png", made[name]),), TrialKey(picture=name, system=system, practice=practice)
        )
    fake = SIDES[random.integers(2)]
    paths = (made[name], real[name]) if fake == "left" else (real[name], made[name])
    files = tuple((f"{copy}.png", path) for copy, path in zip(names, paths, strict=True))
    return Trial(number, files, TrialKey(picture=name, system=system, fake=fake, practice=practice))
