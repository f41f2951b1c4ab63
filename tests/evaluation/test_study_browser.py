"""The page of a study in a browser: what is asked, what is saved, and that nothing leaves the disk."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from browser import Tab, browse
from PIL import Image

from nirtrans.evaluation.study_page import write_study
from nirtrans.evaluation.study_plan import Mode
from nirtrans.evaluation.study_score import read_key, read_results, score_study

LONGEST_S = 60


async def take_part(tab: Tab, rater: str, key: str) -> None:
    """Go through the study with one answer to everything."""
    await tab.evaluate(f"at('rater').value = '{rater}'; at('rater').dispatchEvent(new Event('input'))")
    await tab.evaluate("at('begin').click()")
    end = time.monotonic() + LONGEST_S
    while await tab.evaluate("at('end').hidden") and time.monotonic() < end:
        if not await tab.evaluate("at('between').hidden"):
            await tab.evaluate("at('go').click()")
        await tab.press(key)  # also while a picture is shown, when it must not count
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "press", "choice"), [("2afc", "ArrowRight", "right"), ("naturalness", "y", "yes")])
def test_a_study_from_page_to_rate(tmp_path: Path, mode: Mode, press: str, choice: str) -> None:
    for folder in ("photos", "one", "two"):
        (tmp_path / folder).mkdir()
        for number in range(5):
            Image.new("RGB", (40, 30), (40 * number, 90, 20)).save(tmp_path / folder / f"{number}.png")
    fakes = [tmp_path / "one", tmp_path / "two"]
    write_study(tmp_path / "photos", fakes, tmp_path / "study", mode=mode, seconds=0.15, count=3)
    page = tmp_path / "study" / "page" / "index.html"
    for rater in ("ann", "bob"):
        (tmp_path / rater).mkdir()
        tab = browse(page, tmp_path / rater, lambda tab, rater=rater: take_part(tab, rater, press))
        assert not tab.errors
        assert len(tab.addresses) > 5
        assert all(address.startswith(("file:", "blob:")) for address in tab.addresses), tab.addresses
    files = [next((tmp_path / rater).glob("answers-*.json")) for rater in ("ann", "bob")]
    key = read_key(tmp_path / "study")
    results = read_results(files, key)
    assert [result.rater for result in results] == ["ann", "bob"]
    for result in results:
        asked = [key.trials[answer.trial] for answer in result.answers]
        assert [trial.practice for trial in asked] == [True, True, False, False, False]
        assert len({trial.picture for trial in asked}) == 5
        assert {answer.choice for answer in result.answers} == {choice}
        assert all(140 < answer.shown_ms < 2000 for answer in result.answers)
    found = score_study(results, key)["systems"]
    assert sum(known["answers"] for known in found.values()) == 6
    stored = json.loads(files[0].read_text())
    assert stored["page"] == key.page
    assert stored["started"] < stored["finished"]
