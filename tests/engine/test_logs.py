"""metrics.jsonl and TensorBoard: means, words for infinities, and no step twice."""

import errno
import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nirtrans.engine.logs import RunLog, RunningMeans, cut_back
from nirtrans.errors import IOFailure


def test_running_means() -> None:
    means = RunningMeans()
    means.add({"a": 1.0, "b": 2.0})
    means.add({"a": 3.0})
    assert means.present() == {"a": 2.0, "b": 2.0}
    continued = RunningMeans(means.sums)
    continued.add({"a": 5.0})
    assert continued.take() == {"a": 3.0, "b": 2.0}
    assert continued.present() == {}
    assert means.present() == {"a": 2.0, "b": 2.0}


def test_lines_are_valid_json(tmp_path: Path) -> None:
    log = RunLog(tmp_path, step=0)
    log.write(1, {"generator/gan": 0.5, "val/psnr": float("inf")})
    log.close()
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert line["step"] == 1
    assert line["time_s"] >= 0
    assert line["val/psnr"] == "inf"


def test_time_goes_on_after_resuming(tmp_path: Path) -> None:
    log = RunLog(tmp_path, step=3, elapsed_s=100.0)
    assert 100 <= log.elapsed_s() < 110
    log.close()


@pytest.mark.parametrize("tail", ["", '{"step": 3, "ti', "\x00\x00\n", "[]\n", "null\n"])
def test_cut_back(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(f'{{"step": {step}}}\n' for step in (1, 2, 3, 4)) + tail)
    cut_back(path, 2)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'
    cut_back(tmp_path / "absent.jsonl", 2)


def test_tensorboard_forgets_what_is_run_again(tmp_path: Path) -> None:
    for start, value in ((0, 1.0), (2, 2.0)):
        log = RunLog(tmp_path, step=start)
        for step in range(start + 1, 5):
            log.write(step, {"generator/gan": value})
        log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("generator/gan")] == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_a_full_disk_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RunLog(tmp_path, step=0)

    def full(text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(log._file, "flush", lambda: full(""))
    with pytest.raises(IOFailure, match=r"metrics\.jsonl failed: No space left"):
        log.write(1, {"a": 1.0})
