"""Human studies: what raters are given tells nothing, and answers become rates with honest intervals."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nirtrans.errors import DataError, InputError
from nirtrans.evaluation.study_page import KEY, QUESTIONS, write_study
from nirtrans.evaluation.study_plan import PRACTICE, REAL, StudyKey, name_systems
from nirtrans.evaluation.study_score import Judged, Result, find_key, fool_rate, read_key, read_results, score_study


def pictures(folder: Path, names: list[str], *, tint: int = 0, size: tuple[int, int] = (40, 30)) -> Path:
    for number, name in enumerate(names):
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (10 * number + 1, tint, 90)).save(path)
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, list[Path]]:
    names = [f"p{number:02d}" for number in range(9)]
    real = pictures(tmp_path / "photos", names, tint=200)
    return real, [pictures(tmp_path / name, names, tint=tint) for name, tint in (("dull", 20), ("vivid", 50))]


def study_of(page: Path) -> dict[str, Any]:
    found = re.search(r'id="study">(.*?)</script>', page.read_text())
    assert found
    return json.loads(found[1])


def answers(key: StudyKey, rater: str, *, fooled: dict[str, bool] | bool, turn: int = 0) -> dict[str, Any]:
    """Answer as the page would let a rater: every picture once, practice first."""
    by_picture: dict[str, list[str]] = {}
    for name, trial in key.trials.items():
        by_picture.setdefault(trial.picture, []).append(name)
    given = []
    for number, names in enumerate(by_picture.values()):
        name = names[(number + turn) % len(names)]
        trial = key.trials[name]
        taken = fooled if isinstance(fooled, bool) else fooled[trial.picture]
        other = "left" if trial.fake == "right" else "right"
        choice = ("yes" if taken else "no") if key.mode == "naturalness" else (trial.fake if taken else other)
        given.append({"trial": name, "choice": choice, "milliseconds": 300, "shown_ms": 1001})
    times = {"started": "2025-01-01T00:00:00Z", "finished": "2025-01-01T00:10:00Z"}
    return {"format": 1, "page": key.page, "rater": rater, **times, "answers": given}


def stored(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_the_page_needs_nothing_and_tells_nothing(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    real, fakes = folders
    key = write_study(real, fakes, tmp_path / "out", seed=3, seconds=0.7)
    page = tmp_path / "out" / "page" / "index.html"
    text = page.read_text()
    assert "http" not in text
    assert "src=" not in text.replace("image.src = ", "")
    assert "<link" not in text
    for word in ("dull", "vivid", "photos", "fake", "p00", '"real"', str(tmp_path)):
        assert word not in text, word
    study = study_of(page)
    assert {name: study[name] for name in ("format", "page", "mode", "seconds")} == {
        "format": 1, "page": key.page, "mode": "2afc", "seconds": 0.7,
    }  # fmt: skip
    assert len(study["practice"]) == PRACTICE
    assert len(study["pictures"]) == 9 - PRACTICE
    asked = [trial for trials in study["practice"] + study["pictures"] for trial in trials]
    files = [file for trial in asked for file in trial["files"]]
    assert len(set(files)) == len(files) == 9 * 2 * 2, "a name that occurs twice would be the true picture"
    assert sorted(files) == sorted(path.name for path in (tmp_path / "out" / "page" / "pictures").iterdir())
    assert {trial["trial"] for trial in asked} == set(key.trials)
    assert QUESTIONS["2afc"][0] in text
    assert not list((tmp_path / "out" / "page").rglob("*.json"))


def test_the_key_says_what_stands_where(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    real, fakes = folders
    write_study(real, fakes, tmp_path / "out", seed=1)
    key = read_key(tmp_path / "out")
    for trials in study_of(tmp_path / "out" / "page" / "index.html")["pictures"]:
        for asked in trials:
            known = key.trials[asked["trial"]]
            tints = [
                Image.open(tmp_path / "out" / "page" / "pictures" / file).getpixel((0, 0)) for file in asked["files"]
            ]
            made = tints[0 if known.fake == "left" else 1]
            true = tints[1 if known.fake == "left" else 0]
            assert made[1] == {"dull": 20, "vivid": 50}[known.system]
            assert true[1] == 200
            assert made[0] == true[0] == 10 * int(known.picture[1:]) + 1
    assert key.systems == ("dull", "vivid")
    assert {trial.fake for trial in key.trials.values()} == {"left", "right"}


def test_the_seed_decides_and_sides_are_even(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    real, fakes = folders
    one, same, other = (
        write_study(real, fakes, tmp_path / name, seed=seed) for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert one == same
    assert (tmp_path / "a" / "page" / "index.html").read_text() == (tmp_path / "b" / "page" / "index.html").read_text()
    assert one.page != other.page
    assert set(one.trials).isdisjoint(other.trials)
    names = [f"{number:03d}" for number in range(200)]
    sources = [pictures(tmp_path / name, names, size=(8, 8)) for name in ("t", "f")]
    many = write_study(sources[0], sources[1:], tmp_path / "d")
    assert 70 < Counter(trial.fake for trial in many.trials.values())["left"] < 130


def test_other_pictures_are_another_page(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    real, fakes = folders
    before = write_study(real, fakes, tmp_path / "a").page
    Image.new("RGB", (40, 30), (1, 2, 3)).save(fakes[0] / "p03.png")
    assert write_study(real, fakes, tmp_path / "b").page != before


@pytest.mark.parametrize(
    ("there", "count", "practice", "counting"),
    [(9, None, 3, 6), (9, 8, 1, 8), (9, 9, 0, 9), (9, 4, 3, 4), (2, None, 1, 1), (1, None, 0, 1)],
)
def test_practice_takes_what_is_left(
    tmp_path: Path, there: int, count: int | None, practice: int, counting: int
) -> None:
    names = [str(number) for number in range(there)]
    real, fake = (pictures(tmp_path / name, names, size=(8, 8)) for name in ("t", "f"))
    key = write_study(real, [fake], tmp_path / "out", count=count)
    found = Counter(trial.practice for trial in key.trials.values())
    assert (found[True], found[False]) == (practice, counting)


def test_naturalness_has_true_pictures_as_control(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    real, fakes = folders
    key = write_study(real, fakes, tmp_path / "out", mode="naturalness")
    assert key.systems == (REAL, "dull", "vivid")
    study = study_of(tmp_path / "out" / "page" / "index.html")
    assert all(len(trial["files"]) == 1 for trials in study["pictures"] for trial in trials)
    first = [key.trials[trials[0]["trial"]].system for trials in study["practice"] + study["pictures"]]
    assert len(set(first)) > 1, "the place in the page would tell"
    for trials in study["pictures"]:
        for asked in trials:
            shown = Image.open(tmp_path / "out" / "page" / "pictures" / asked["files"][0]).getpixel((0, 0))
            assert shown[1] == {REAL: 200, "dull": 20, "vivid": 50}[key.trials[asked["trial"]].system]
    results = [Result.model_validate(answers(key, f"r{turn}", fooled=True, turn=turn)) for turn in range(3)]
    found = score_study(results, key)
    assert found["chance"] is None
    assert {name: known["rate"] for name, known in found["systems"].items()} == {REAL: 1, "dull": 1, "vivid": 1}
    assert {known["answers"] for known in found["systems"].values()} == {6}


def test_pictures_are_shown_alike(tmp_path: Path) -> None:
    """Gray, transparent, deep and large ones; alike in size, depth and metadata."""
    for folder, kind in (("t", "RGB"), ("f", "RGBA")):
        (tmp_path / folder / "sub").mkdir(parents=True)
        Image.new(kind, (900, 600), "red").save(tmp_path / folder / "sub" / f"a.{'jpg' if kind == 'RGB' else 'png'}")
        Image.new("L", (30, 20), 7).save(tmp_path / folder / "b.png")
    clear = Image.new("RGBA", (900, 600), (255, 0, 0, 0))
    clear.save(tmp_path / "f" / "sub" / "a.png")
    key = write_study(tmp_path / "t", [tmp_path / "f"], tmp_path / "out", side_px=64)
    assert {trial.picture for trial in key.trials.values()} == {"sub/a", "b"}
    shown = [Image.open(path) for path in (tmp_path / "out" / "page" / "pictures").iterdir()]
    assert {image.mode for image in shown} == {"RGB"}
    assert Counter(image.size for image in shown) == {(64, 43): 2, (30, 20): 2}
    assert {image.getpixel((0, 0)) for image in shown} >= {(7, 7, 7), (128, 128, 128)}


def test_what_cannot_be_asked_is_refused(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    real, fakes = folders
    out = tmp_path / "out"
    with pytest.raises(DataError, match="no pictures; give a folder"):
        write_study(tmp_path / "absent", fakes, out)
    with pytest.raises(DataError, match="no picture is in --real and in other"):
        write_study(real, [pictures(tmp_path / "other", ["x"])], out)
    with pytest.raises(InputError, match="--count 10: only 9 pictures"):
        write_study(real, fakes, out, count=10)
    for seconds in (0.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="expected more than 0 and at most 60"):
            write_study(real, fakes, out, seconds=seconds)
    with pytest.raises(InputError, match="names no folder"):
        write_study(real, [], out)
    with pytest.raises(InputError, match="called real"):
        name_systems([tmp_path / "real"])
    with pytest.raises(InputError, match="two folders of --fake are called"):
        name_systems([fakes[0], fakes[0]])
    assert list(name_systems([tmp_path / "a" / "x", tmp_path / "b" / "x"])) == ["a/x", "b/x"]
    Image.new("RGB", (4, 4)).save(real / "p00.jpg")
    with pytest.raises(DataError, match=r"p00\.jpg and p00\.png are both p00"):
        write_study(real, fakes, out)
    (real / "p00.jpg").unlink()
    Image.new("RGB", (41, 30)).save(fakes[1] / "p04.png")
    with pytest.raises(DataError, match="differ in size, which would tell them apart"):
        write_study(real, fakes, out)
    assert not (out / "page").exists()
    assert not (out / KEY).exists()
    pictures(fakes[1], [f"p{number:02d}" for number in range(9)])
    write_study(real, fakes, out)
    with pytest.raises(InputError, match="holds a study"):
        write_study(real, fakes, out)


def test_known_counts(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    """Two raters are fooled by three of six pictures: half of all, practice left out."""
    real, fakes = folders
    key = write_study(real, fakes[:1], tmp_path / "out")
    counting = [trial.picture for trial in key.trials.values() if not trial.practice]
    fooled = {trial.picture: trial.practice for trial in key.trials.values()}
    fooled |= {name: number < 3 for number, name in enumerate(counting)}
    paths = [stored(tmp_path / f"{name}.json", answers(key, name, fooled=fooled)) for name in ("ann", "bob")]
    found = score_study(read_results(paths, key), key)
    known = found["systems"]["dull"]
    assert (known["rate"], known["answers"], known["raters"], known["pictures"]) == (0.5, 12, 2, 6)
    assert known["ci95"][0] < 0.5 < known["ci95"][1]
    assert found["raters"] == ["ann", "bob"]
    assert found["chance"] == 0.5
    never = score_study([Result.model_validate(answers(key, "cas", fooled=False))], key)["systems"]["dull"]
    assert (never["rate"], never["ci95"]) == (0, [0, 0])


def test_systems_share_the_pictures_of_a_rater(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    real, fakes = folders
    key = write_study(real, fakes, tmp_path / "out")
    results = [Result.model_validate(answers(key, f"r{turn}", fooled=turn == 0, turn=turn)) for turn in range(2)]
    found = score_study(results, key)["systems"]
    assert found["dull"]["answers"] + found["vivid"]["answers"] == 12
    assert {known["pictures"] for known in found.values()} == {6}


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Raters differ in how easily they are fooled, pictures in how well they fool; 120 studies of a known rate."""
    random = np.random.default_rng(0)
    held = 0
    for study in range(120):
        raters, images = random.normal(0, 0.1, 12), random.normal(0, 0.15, 15)
        chance = (0.35 + raters[:, None] + images).clip(0, 1)
        drawn = random.random(chance.shape) < chance
        judged = [Judged(str(r), str(p), "m", bool(drawn[r, p])) for r in range(12) for p in range(15)]
        low, high = fool_rate(judged, seed=study)["ci95"]
        held += low <= 0.35 <= high
    assert held >= 0.9 * 120


def test_who_draws_trials_alone_is_too_certain() -> None:
    """Fifty answers of one rater who is always fooled, and fifty of one who never is, are two opinions."""
    judged = [Judged(rater, str(n), "m", rater == "a") for rater in "ab" for n in range(50)]
    low, high = fool_rate(judged)["ci95"]
    assert (low, high) == (0, 1)


def test_too_few_answers_have_no_interval() -> None:
    nothing = fool_rate([])
    assert np.isnan(nothing["rate"])
    assert nothing["answers"] == 0
    assert np.isnan(fool_rate([Judged("a", "p", "m", True)])["ci95"]).all()
    assert not np.isnan(fool_rate([Judged("a", str(n), "m", n > 1) for n in range(4)])["ci95"]).any()


def test_answers_that_do_not_belong_are_refused(folders: tuple[Path, list[Path]], tmp_path: Path) -> None:
    real, fakes = folders
    key = write_study(real, fakes, tmp_path / "out")
    good = answers(key, "ann", fooled=True)
    first, second = good["answers"][0], good["answers"][1]
    twin = next(
        n for n, t in key.trials.items() if t.picture == key.trials[first["trial"]].picture and n != first["trial"]
    )
    wrong: list[tuple[Any, str]] = [
        (good | {"page": "0" * 16}, f"answers page {'0' * 16}, the key is of page {key.page}"),
        (good | {"answers": [first, first]}, "answer 2 repeats trial"),
        (good | {"answers": [first | {"trial": "abc"}]}, "answer 1 is about trial 'abc'"),
        (good | {"answers": [first | {"choice": "yes"}]}, "answer 1 is 'yes', expected left or right"),
        (good | {"answers": [first | {"choice": "both"}]}, "choice"),
        (good | {"answers": [first, second, first | {"trial": twin}]}, "answers two trials of one picture"),
        (good | {"answers": good["answers"][:PRACTICE]}, "holds no answer that counts"),
        (good | {"answers": [first | {"milliseconds": -1}]}, "milliseconds"),
        (good | {"rater": ""}, "rater"),
        (good | {"format": 2}, "format"),
        (good | {"extra": 1}, "extra"),
        ([good], "expected the file that the page of a study saves"),
        (None, "expected the file that the page"),
    ]
    for content, message in wrong:
        with pytest.raises(DataError, match=re.escape(message)):
            read_results([stored(tmp_path / "a.json", content)], key)
    (tmp_path / "a.json").write_text("[" * 10**5)
    with pytest.raises(DataError, match="no JSON"):
        read_results([tmp_path / "a.json"], key)
    with pytest.raises(DataError, match="cannot be read"):
        read_results([tmp_path / "absent.json"], key)
    with pytest.raises(DataError, match=r"expected the key\.json"):
        read_key(stored(tmp_path / "a.json", good))
    with pytest.raises(InputError, match=r"give --key FILE"):
        find_key(Path("/proc/answers.json"))


def test_a_rater_counts_once(
    folders: tuple[Path, list[Path]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    real, fakes = folders
    key = write_study(real, fakes, tmp_path / "out")
    paths = [
        stored(tmp_path / f"{n}.json", answers(key, rater, fooled=n == 0))
        for n, rater in enumerate(("Ann B", " ann  b", "bob"))
    ]
    found = read_results([*paths, paths[0]], key)
    assert [result.rater for result in found] == ["Ann B", "bob"]
    assert [record.message.split(": ")[1] for record in caplog.records] == [
        " ann  b has answered already; only the first file counts",
        "Ann B has answered already; only the first file counts",
    ]
