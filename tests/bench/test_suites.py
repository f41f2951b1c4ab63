"""Every benchmark at its quick sizes: complete tables, files, and the accuracy gate before any timing."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch

from nirtrans.bench import bins, case, lab, report, ssim, suites, timing
from nirtrans.bench.case import Case, Setting
from nirtrans.errors import InputError, RunError

MODULES = {"lab": lab, "bins": bins, "ssim": ssim}


@cache
def quick(name: str) -> list[Case]:
    return list(MODULES[name].cases(Setting("cpu", MODULES[name].SHAPES["quick"])))


@pytest.fixture(autouse=True)
def _one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "QUICK_ROUNDS", 1)
    monkeypatch.setattr(timing, "WARM_UPS", 1)


@pytest.mark.parametrize(("name", "threads"), [("lab", [1, 2]), ("bins", [1]), ("ssim", [1])])
def test_tables_and_files(name: str, threads: list[int], tmp_path: Path) -> None:
    text = suites.run_suite(name, threads=threads, devices=["cpu"], out=tmp_path, quick=True)
    expected = len(threads) * len(quick(name))
    assert text.count("| nirtrans |") == text.count("| copy of the same bytes |") == expected
    assert all(f"**{one.operation}**" in text for one in quick(name))
    assert text.count(", 1 thread\n") == len(quick(name))
    assert (tmp_path / f"{name}-cpu.md").read_text() == text
    record = json.loads((tmp_path / f"{name}-cpu.json").read_text())
    assert len(record["races"]) == expected
    assert {"device", "packages", "kernels", "commit", "load_average"} <= set(record["environment"])


@pytest.mark.parametrize("name", MODULES)
def test_gate_catches_a_wrong_kernel(name: str) -> None:
    for one in quick(name):
        ours = one.contestants[0]
        result = ours.run()
        assert one.deviation(result) <= one.gate, one.operation
        for wrong in _disturbed(result):
            planted = replace(one, contestants=[replace(ours, run=lambda wrong=wrong: wrong)])
            assert not case.deviations(planted)["nirtrans"] <= one.gate, one.operation


def _disturbed(result: torch.Tensor | tuple[torch.Tensor, ...]) -> list[object]:
    """Change one element of each part by as little as a slip in the arithmetic would."""
    if isinstance(result, tuple):
        parts = [(_disturbed(part)[0], place) for place, part in enumerate(result)]
        return [(*result[:place], part, *result[place + 1 :]) for part, place in parts]
    wrong = result.clone(memory_format=torch.contiguous_format)
    last = wrong.view(-1)[-1:]
    last += 0.01 * max(1, wrong.abs().max().item()) if wrong.is_floating_point() else -1 if last > 0 else 1
    return [wrong]


def test_failed_gate_is_listed_and_ends_in_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cases(setting: Setting) -> Iterator[Case]:
        yield replace(quick("lab")[0], gate=0.0)
        yield quick("lab")[1]

    monkeypatch.setattr(lab, "cases", cases)
    with pytest.raises(RunError, match=r"^rgb_to_lab is off by .* Lab, above 0: not timed$"):
        suites.run_suite("lab", threads=[1], devices=["cpu"], out=tmp_path, quick=True)
    text = (tmp_path / "lab-cpu.md").read_text()
    assert "Not timed: rgb_to_lab is off by" in text
    assert text.count("| nirtrans |") == 1


def test_nan_never_passes_a_gate() -> None:
    assert case.farthest(torch.tensor([0.0, torch.nan]), torch.zeros(2)) == torch.inf


@pytest.mark.parametrize("name", MODULES)
def test_absent_peers_are_listed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case.importlib.util, "find_spec", lambda module: None)
    module: ModuleType = MODULES[name]
    found = list(module.cases(Setting("cpu", module.SHAPES["quick"])))
    assert set.union(*(set(one.absent) for one in found)) == set(module.PEERS)
    (table, *_) = suites._race(found[0], [1], 1)
    text = report.markdown([table], report.environment("cpu"), "bench")
    assert all(f"| {peer} | not installed |" in text for peer in found[0].absent)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_compiled_peers_take_part(name: str) -> None:
    text = suites.run_suite(name, threads=[1], devices=["cpu"], compiled=True, quick=True)
    assert ", compiled |" in text


def test_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "available_devices", lambda: ["cpu"])
    with pytest.raises(InputError, match="no GPU with kernels built for it was found"):
        suites.run_suite("lab", threads=[1], devices=["cuda"])


def test_ratio_is_minimum_over_minimum() -> None:
    timings = [timing.Timing("ours", 2.0, 1.0, 5, 0), timing.Timing("peer", 9.0, 4.0, 5, 0)]
    about = {"device": "x", "processors": 2, "load_average": [0.0], "commit": "c", "packages": {"torch": None}}
    race = report.Race("op", (1, 3), "float32", 1, timings, {"peer": 0.5}, [], "Lab")
    text = report.markdown([race], about, "bench")
    assert "| peer | 4.00 | 9.00 | 4.00 | 0 | 5.0e-01 |" in text
    assert "torch not installed" in text


def test_compiled_peers_stand_in_brackets() -> None:
    names = {"ours": 1.0, "peer": 4.0, "peer, compiled": 2.0, "other": 3.0, case.COPY: 0.5}
    timings = [timing.Timing(name, least, least, 5, 0) for name, least in names.items()]
    errors = {"ours": 0.1, "peer": 0.2, "peer, compiled": 0.3}
    race = report.Race("op", (1, 3), "float32", 1, timings, errors, [], "Lab")
    assert "| 1.00 | peer 4.0 (2.0); other 3.0 | 50 % |" in report.summary([race])[-1]
    assert report.accuracy([race])[-1] == "| op | float32 | 1.0e-01 | peer 2.0e-01 | Lab |"


def test_runs_where_only_torch_is_installed() -> None:
    """A GPU machine may have neither what configs and rasters need nor any peer."""
    absent = ("pydantic", "rasterio", "typer", "kornia", "cv2", "skimage", "sklearn", "pytorch_msssim", "torchmetrics")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent}))\n" + "\n".join(
        f"import nirtrans.bench.{name}" for name in ("suites", *MODULES)
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_profile_of_class_training(tmp_path: Path) -> None:
    text = suites.run_suite("classes", threads=[1], devices=["cpu"], out=tmp_path, quick=True)
    assert (tmp_path / "classes-cpu.md").read_text() == text
    profile, memory = json.loads((tmp_path / "classes-cpu.json").read_text())["tables"]
    assert sum(share for _, share in profile["rows"].values()) == pytest.approx(100)
    assert {"network, forward", "encoding and loss", "Lab of the target"} <= profile["rows"].keys()
    assert memory["rows"]["dense target, plain PyTorch"][1] > memory["rows"]["nirtrans"][1] > 0
