"""`nirtrans study` as a user sees it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

Command = Callable[..., Any]


def test_from_pictures_to_a_fool_rate(tmp_path: Path, nirtrans: Command) -> None:
    for folder in ("photos", "one", "two"):
        (tmp_path / folder).mkdir()
        for number in range(6):
            Image.new("RGB", (12, 9), (number, 3, 4)).save(tmp_path / folder / f"{number}.png")
    fakes = f"{tmp_path / 'one'},{tmp_path / 'two'}"
    out = tmp_path / "study"
    flags = ("--real", tmp_path / "photos", "--fake", fakes, "--out", out, "--progress", "none")
    result = nirtrans("study", "make", *flags, "--count", 4, "--seconds", 0.5, "--seed", 9)
    assert (result.code, result.err) == (0, "")
    assert "4 pictures of one, two; give raters this folder" in result.out
    key = json.loads((out / "key.json").read_text())
    seen, given = set(), []
    for name, trial in key["trials"].items():
        if trial["picture"] not in seen:
            seen.add(trial["picture"])
            given.append({"trial": name, "choice": trial["fake"], "milliseconds": 1, "shown_ms": 500})
    answers = {"format": 1, "page": key["page"], "rater": "[red]x", "started": "", "finished": "", "answers": given}
    (out / "answers.json").write_text(json.dumps(answers))
    scored = nirtrans("study", "score", out / "answers.json", "--out", tmp_path / "rates.json")
    assert (scored.code, scored.err) == (0, "")
    assert "100.0" in scored.out
    assert "1 rater of page" in scored.out
    found = json.loads((tmp_path / "rates.json").read_text())
    assert found["raters"] == ["[red]x"]
    assert sum(known["answers"] for known in found["systems"].values()) == 4
    again = nirtrans("study", "make", *flags)
    assert (again.code, "holds a study" in again.error) == (2, True)
    lost = nirtrans("study", "score", tmp_path / "none.json")
    assert (lost.code, "give --key FILE" in lost.error) == (2, True)
    assert nirtrans("study", "score", tmp_path / "none.json", "--key", out).code == 2
    assert nirtrans("study", "make", *flags[2:]).code == 2
