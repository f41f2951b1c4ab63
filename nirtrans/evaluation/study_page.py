"""Write a human study as a folder that any browser opens: no server, no network, and no truth in it.

OUT/page/index.html, OUT/page/pictures/   what raters are given
OUT/key.json                              what they are not given: which pictures were made, and by whom
"""

import hashlib
import json
import shutil
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from nirtrans.errors import DataError, InputError
from nirtrans.evaluation.study_plan import (
    FORMAT,
    REAL,
    Mode,
    StudyKey,
    Trial,
    find_pictures,
    name_systems,
    plan_trials,
)
from nirtrans.io.atomic import make_folder, write_text
from nirtrans.io.images import read_image, to_unit, write_image
from nirtrans.progress import SILENT, Progress

PAGE = Path(__file__).with_suffix(".html")
KEY = "key.json"
LONGEST_S = 60
BACKDROP = 0.5
"""Grey behind transparent pixels."""
QUESTIONS = {
    "2afc": (
        "Which of the two has its true colours?",
        "Two versions of a photograph appear side by side for a moment. One has its true colours, the colours of the "
        "other were made by a computer. Then say which one is true. If you are not sure, guess.",
    ),
    "naturalness": (
        "Did it look natural?",
        "A photograph appears for a moment. Its colours may be true, or made by a computer. Then say whether they "
        "looked natural. Your first impression counts.",
    ),
}


def write_study(
    real: Path,
    fakes: list[Path],
    out: Path,
    *,
    mode: Mode = "2afc",
    seconds: float = 1.0,
    count: int | None = None,
    seed: int = 0,
    side_px: int = 512,
    progress: Progress = SILENT,
) -> StudyKey:
    """Write the page and its key.

    Args:
        real: True pictures.
        fakes: Folders of made pictures of the same names and sizes, one per system.
        out: Where to write; must not hold a study.
        mode: Kind of study.
        seconds: How long a trial is shown.
        count: Pictures that count; None for all.
        seed: Of pictures, sides and names.
        side_px: Larger pictures are shrunk, to this longer side.
        progress: Shows the pictures written.

    Raises:
        DataError: If pictures are absent, unreadable, or of different sizes.
        InputError: If the folder cannot be written or holds a study, systems cannot be told apart, or the time is none.
    """
    if (out / "page").exists() or (out / KEY).exists():
        raise InputError(f"{out} holds a study, whose answers would belong to no page; choose another --out")
    if not 0 < seconds <= LONGEST_S:
        raise InputError(f"--seconds {seconds:g}: expected more than 0 and at most {LONGEST_S}")
    systems = name_systems(fakes)
    found = {name: find_pictures(folder) for name, folder in systems.items()}
    plan = plan_trials(find_pictures(real), found, mode=mode, count=count, seed=seed)
    trials = {trial.name: trial.key for trials in plan for trial in trials}
    judged = (REAL, *systems) if mode == "naturalness" else tuple(systems)
    key = StudyKey(page="", mode=mode, seconds=seconds, seed=seed, systems=judged, trials=trials)
    key = key.model_copy(update={"page": _number(key, plan)})
    pictures = make_folder(out) / "page" / "pictures"
    try:
        _write_pictures(plan, make_folder(pictures), side_px, progress)
        write_text(out / "page" / "index.html", render_page(key, plan))
        write_text(out / KEY, key.model_dump_json(indent=1) + "\n")
    except BaseException:
        shutil.rmtree(out / "page", ignore_errors=True)  # a page without its key is worth nothing
        raise
    return key


def _number(key: StudyKey, plan: list[list[Trial]]) -> str:
    """Return 16 digits that follow from all that the page shows."""
    digest = hashlib.sha256(key.model_dump_json().encode())
    for trials in plan:
        for trial in trials:
            for _, path in trial.files:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def render_page(key: StudyKey, plan: list[list[Trial]]) -> str:
    """Return the page; it knows numbers of trials and names of copies, and nothing of what they show."""
    asked = [[{"trial": t.name, "files": [copy for copy, _ in t.files]} for t in trials] for trials in plan]
    practice = sum(trials[0].key.practice for trials in plan)
    facts = {"format": FORMAT, "page": key.page, "mode": key.mode, "seconds": key.seconds}
    study = {**facts, "practice": asked[:practice], "pictures": asked[practice:]}
    question, explanation = QUESTIONS[key.mode]
    words = {"question": escape(question), "explanation": escape(explanation), "count": str(len(plan) - practice)}
    return Template(PAGE.read_text(encoding="utf-8")).substitute(**words, study=json.dumps(study))


def _write_pictures(plan: list[list[Trial]], folder: Path, side_px: int, progress: Progress) -> None:
    trials = [trial for trials in plan for trial in trials]
    with progress.task("study", len(trials), unit="trial") as task:
        for trial in trials:
            shown = [(copy, _shown(path, side_px)) for copy, path in trial.files]
            if len({pixels.shape for _, pixels in shown}) > 1:
                (_, first), (_, second) = trial.files
                raise DataError(f"{first} and {second} differ in size, which would tell them apart")
            for copy, pixels in shown:
                write_image(folder / copy, pixels)
            task.advance()


def _shown(path: Path, side_px: int) -> NDArray[np.uint8]:
    """Return [h, w, 3] of 8 bits without metadata, alike for true and made pictures."""
    image = read_image(path)
    pixels = to_unit(image.pixels)
    if image.alpha is not None:
        share = to_unit(image.alpha)[..., None]
        pixels = pixels * share + BACKDROP * (1 - share)
    samples = (255 * np.broadcast_to(pixels, (*pixels.shape[:2], 3)).clip(0, 1)).round().astype(np.uint8)
    shrunk = Pillow.fromarray(np.ascontiguousarray(samples))
    shrunk.thumbnail((side_px, side_px), Pillow.Resampling.LANCZOS)
    return np.asarray(shrunk)
