"""Run a benchmark: every case past its accuracy gate, on every device and number of threads, tables and files."""

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from nirtrans.bench.case import Case, Setting, copy_of, deviations, installed
from nirtrans.bench.report import Race, environment, keep, markdown
from nirtrans.bench.timing import GPU_ROUNDS, QUICK_ROUNDS, ROUNDS, cpu_clock, cuda_clock, race
from nirtrans.errors import InputError, RunError
from nirtrans.kernels import build_info

SUITES = ("lab", "bins", "ssim", "train", "classes", "geotiff")


def run_suite(
    name: str,
    *,
    threads: list[int],
    devices: list[str] | None = None,
    out: Path | None = None,
    compiled: bool = False,
    quick: bool = False,
) -> str:
    """Race the kernels, or the training, of one suite against their peers.

    Args:
        name: One of SUITES, a module of this package with `SHAPES` and `cases(setting)`, and `races(setting)` where
            something cannot be measured in turns; or with a `run` of its own, where processes are measured.
        threads: CPU thread counts, each raced on its own.
        devices: Among "cpu" and "cuda"; the CPU and, where there is one, the GPU if None.
        out: Folder for NAME-DEVICE.json and .md; nothing is written if None.
        compiled: Time torch.compile of the torch peers as well.
        quick: Small sizes and few rounds: shows that everything runs, no figure to quote.

    Returns:
        The tables in Markdown.

    Raises:
        InputError: If the GPU is asked for and the kernels cannot run on one.
        RunError: At the end, if a kernel missed its accuracy gate; it is listed, not timed.
    """
    if "cuda" in (devices or []) and "cuda" not in available_devices():
        raise InputError("--device cuda: no GPU with kernels built for it was found; see `nirtrans doctor`")
    suite = importlib.import_module(f"nirtrans.bench.{name}")
    if hasattr(suite, "run"):
        own = devices or available_devices()
        return str(suite.run(threads=threads, devices=own, out=out, compiled=compiled, quick=quick))
    command = f"nirtrans bench {name}" + " --compiled" * compiled + " --quick" * quick
    texts, failures = [], []
    for device in devices or available_devices():
        about, races, text = environment(device), [], ""
        for table in _races(name, device, threads, compiled, quick):
            races.append(table)
            text = markdown(races, about, f"{command} --device {device}")
            if out is not None:  # after every table: a run cut short leaves what it has
                keep(out, f"{name}-{device}", races, about, text)
        texts.append(text)
        failures += [table.failure for table in races if table.failure]
    if failures:
        raise RunError("; ".join(failures) + ": not timed")
    return "\n".join(texts)


def available_devices() -> list[str]:
    """List where the kernels run: the CPU, and a GPU if there are kernels for it."""
    return ["cpu", "cuda"] if torch.cuda.is_available() and build_info()["cuda"] else ["cpu"]


def _races(name: str, device: str, threads: list[int], compiled: bool, quick: bool) -> Iterator[Race]:
    suite = importlib.import_module(f"nirtrans.bench.{name}")
    setting = Setting(device, suite.SHAPES["quick" if quick else device], compiled)
    usual = getattr(suite, "ROUNDS", ROUNDS) if device == "cpu" else GPU_ROUNDS
    rounds = QUICK_ROUNDS if quick else usual
    before = torch.get_num_threads()
    try:
        for case in suite.cases(setting):
            yield from _race(case, threads if device == "cpu" else [None], rounds)
        if hasattr(suite, "races"):
            yield from suite.races(setting)
    finally:
        _use_threads(before)


def _race(case: Case, threads: list[int] | list[None], rounds: int) -> Iterator[Race]:
    _prepare(threads[0])
    errors = deviations(case)
    ours = errors[case.contestants[0].name]
    empty = Race(case.operation, case.shape, case.dtype, threads[0], [], errors, case.absent, case.unit)
    if not ours <= case.gate:
        yield replace(empty, failure=f"{case.operation} is off by {ours:.2g} {case.unit}, above {case.gate:.2g}")
        return
    contestants = [*case.contestants, *([copy_of(case.moved_bytes, case.device)] if case.moved_bytes else [])]
    for count in threads:
        if count != threads[0]:
            _prepare(count)
        clock = cuda_clock() if count is None else cpu_clock(count)
        timings = race(contestants, clock, rounds=rounds, on_cuda=count is None)
        yield replace(empty, threads=count, timings=timings)


def _prepare(count: int | None) -> None:
    """Set the CPU threads and forget compiled code: it serves one size and number of threads."""
    torch.compiler.reset()
    if count is not None:
        _use_threads(count)


def _use_threads(count: int) -> None:
    torch.set_num_threads(count)
    if installed("cv2"):
        import cv2

        cv2.setNumThreads(count)
