"""`nirtrans bench lab` on tiny images: complete tables, files, and the accuracy gate before any timing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nirtrans.bench import lab, report, timing
from nirtrans.bench.lab import OPERATIONS, run_lab
from nirtrans.errors import RunError


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "CPU_SHAPES", ((1, 3, 8, 8),))
    monkeypatch.setattr(lab, "CUDA_SHAPES", ((1, 3, 8, 8),))
    monkeypatch.setattr(timing, "ROUNDS", 2)
    monkeypatch.setattr(timing, "WARM_UPS", 1)


def test_tables_and_files(tmp_path: Path) -> None:
    text = run_lab(threads=[1, 2], out=tmp_path)
    for part in ("**rgb_to_lab (error in Lab)**", "**lab_to_rgb, forward and backward", "1 thread", "2 threads"):
        assert part in text
    assert text.count("| nirtrans |") == 8
    assert text.count("| copy of the same bytes |") == 8
    assert text.startswith((tmp_path / "lab-cpu.md").read_text()[:200])
    record = json.loads((tmp_path / "lab-cpu.json").read_text())
    assert len(record["races"]) == 8
    assert {"device", "packages", "kernels", "commit", "load_average"} <= set(record["environment"])


def test_absent_peers_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    text = run_lab(threads=[1])
    for peer in ("kornia", "OpenCV", "scikit-image"):
        assert f"| {peer} | not installed |" in text


def test_inaccurate_kernel_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(OPERATIONS[0], ours=lambda rgb: OPERATIONS[0].ours(rgb) + 1e-3)
    monkeypatch.setattr(lab, "OPERATIONS", (broken,))
    with pytest.raises(RunError, match=r"^rgb_to_lab is off by 0\.001 Lab, above 0\.0002: not timed$"):
        run_lab(threads=[1])


def test_ratio_is_minimum_over_minimum() -> None:
    timings = [timing.Timing("ours", 2.0, 1.0, 5, 0), timing.Timing("peer", 9.0, 4.0, 5, 0)]
    about = {"device": "x", "processors": 2, "load_average": [0.0], "commit": "c", "packages": {"torch": None}}
    text = report.markdown([report.Race("op", (1, 3), "float32", 1, timings, {"peer": 0.5}, [])], about, "bench")
    assert "| peer | 4.00 | 9.00 | 4.00 | 0 | 5.0e-01 |" in text
    assert "torch not installed" in text
