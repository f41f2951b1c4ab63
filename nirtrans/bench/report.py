"""What a benchmark leaves behind: a JSON file with everything, a Markdown table to read."""

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from nirtrans.bench.case import COPY
from nirtrans.bench.timing import COMPILED, Timing
from nirtrans.io.atomic import make_folder, write_text
from nirtrans.kernels import build_info

PACKAGES = (
    *("torch", "numpy", "kornia", "opencv-python-headless", "scikit-image"),
    *("scikit-learn", "pytorch-msssim", "torchmetrics", "piq", "accelerate"),
)


@dataclass(frozen=True)
class Race:
    """One table: the contestants of one operation, size and number of threads."""

    operation: str
    shape: tuple[int, ...]
    dtype: str
    threads: int | None
    """CPU threads; None on a GPU."""
    timings: list[Timing]
    errors: dict[str, float]
    """Largest deviation from the float64 reference, per contestant, in the unit of the result."""
    absent: list[str]
    """Peers that are not installed."""
    unit: str = ""
    """Of the deviations."""
    failure: str | None = None
    """Why nothing was timed."""
    waiting: dict[str, float] = field(default_factory=dict)
    """Share of the time that each contestant waited for data, where it is fed from disk."""


def environment(device: str, packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """Describe machine, versions and load: what a reader needs to judge or repeat the figures."""
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else cpu_name(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
        "kernels": build_info(),
        "commit": _commit(),
        "load_average": list(os.getloadavg()),
        "processors": os.cpu_count(),
    }


def cpu_name() -> str:
    """Read the processor's name where Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def markdown(races: list[Race], about: dict[str, Any], command: str) -> str:
    """Render the tables; ratios are minimum over minimum, above 1 where the first row is faster."""
    versions = ", ".join(f"{name} {version or 'not installed'}" for name, version in about["packages"].items())
    head = [
        f"`{command}` on {about['device']}, {about['processors']} processors, load average "
        f"{about['load_average'][0]:.1f} at the start, commit {about['commit']}; {versions}.",
        "",
        "CPU time for one thread, wall time for more, events on a GPU. Ratio: its minimum over ours, in brackets under "
        "torch.compile; below 1 we lose. "
        "The ratio of the copy is the share of the machine's limit that ours reaches. Peak: memory above the inputs. "
        "Error: largest deviation from the float64 reference, empty where something else is computed.",
    ]
    lines = [*head, "", *summary(races), *(line for race in races for line in _table(race))]
    return "\n".join(lines) + "\n"


def summary(races: list[Race]) -> list[str]:
    """Render one line per race: our time, each peer's time over ours (in brackets compiled), our share of the limit."""
    lines = ["| kernel | size | on | ms | times as long | of the limit | peak MB |", "|---|---|---|--:|---|--:|--:|"]
    for race in races:
        if not race.timings:
            continue
        ours = race.timings[0]
        limits = [f"{100 * copy.min_ms / ours.min_ms:.0f} %" for copy in race.timings if copy.name == COPY]
        figures = f"{ours.min_ms:.2f} | {_ratios(race)} | {''.join(limits)} | {ours.peak_mb:.0f}"
        lines.append(f"| {race.operation} | {_size(race)} | {_place(race)} | {figures} |")
    return lines


def _ratios(race: Race) -> str:
    ours, *peers = race.timings
    times = {peer.name: f"{peer.min_ms / ours.min_ms:.1f}" for peer in peers if peer.name != COPY}
    compiled = {name.removesuffix(COMPILED): f" ({times.pop(name)})" for name in list(times) if COMPILED in name}
    return "; ".join(f"{name} {time}{compiled.get(name, '')}" for name, time in times.items())


def accuracy(races: list[Race]) -> list[str]:
    """Render one line per operation and dtype, at the first size raced: our deviation, and those of the eager peers."""
    lines = ["| kernel | dtype | error of ours | of others | unit |", "|---|---|--:|---|---|"]
    first = {(race.operation, race.dtype): race for race in reversed(races)}
    for race in reversed(first.values()):
        (_, ours), *others = race.errors.items()
        told = "; ".join(f"{name} {error:.1e}" for name, error in others if COMPILED not in name)
        lines.append(f"| {race.operation} | {race.dtype} | {ours:.1e} | {told} | {race.unit} |")
    return lines


def keep(folder: Path, name: str, races: list[Race], about: dict[str, Any], text: str) -> None:
    """Write NAME.json and NAME.md into the folder."""
    make_folder(folder)
    record = json.dumps({"environment": about, "races": [asdict(race) for race in races]}, indent=1)
    write_text(folder / f"{name}.json", record + "\n")
    write_text(folder / f"{name}.md", text)


def recorded(file: Path) -> list[Race]:
    """Read back the races of a JSON file that `keep` wrote."""
    races = json.loads(file.read_text())["races"]
    return [Race(**race | {"timings": [Timing(**timing) for timing in race["timings"]]}) for race in races]


def _table(race: Race) -> list[str]:
    lines = ["", f"**{race.operation}**, {_size(race)}, {_place(race)}", ""]
    if race.failure:
        return [*lines, f"Not timed: {race.failure}."]
    last = "waited for data" if race.waiting else f"error, {race.unit}"
    lines += [f"| | min ms | median ms | ratio | peak MB | {last} |", "|---|--:|--:|--:|--:|--:|"]
    ours = race.timings[0].min_ms
    for timing in race.timings:
        told = f"{race.errors[timing.name]:.1e}" if timing.name in race.errors else ""
        told = f"{100 * race.waiting[timing.name]:.2f} %" if timing.name in race.waiting else told
        figures = f"{timing.min_ms:.2f} | {timing.median_ms:.2f} | {timing.min_ms / ours:.2f} | {timing.peak_mb:.0f}"
        lines.append(f"| {timing.name} | {figures} | {told} |")
    return lines + [f"| {name} | not installed | | | | |" for name in race.absent]


def _size(race: Race) -> str:
    return f"{'x'.join(map(str, race.shape))} {race.dtype}"


def _place(race: Race) -> str:
    return "GPU" if race.threads is None else f"{race.threads} thread{'s' if race.threads > 1 else ''}"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
