"""Where rasters are measured: sizes, scenes that are made when they are asked for, and contestants that take turns."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nirtrans.bench.raster_child import Cost, Task, measure
from nirtrans.bench.raster_networks import GREY, write_small_weights
from nirtrans.bench.raster_scenes import pattern, write_scene
from nirtrans.inference.scene_statistics import SceneStatistics, write_statistics


@dataclass(frozen=True)
class Sizes:
    """How large everything is, in pixels.

    Attributes:
        scene_px: Side of the scene for networks that cost nothing.
        network_px: Side of the one for a real network.
        memory_px: Sides of the sparse scenes.
        stripe_px: Rows of these that hold pixels.
        restarts: Network (none: the small one), side and tile of interrupted runs.
        rounds: How often everything takes its turn.
        network: Changes of the small network's sizes.
    """

    scene_px: int = 10_000
    network_px: int = 4096
    memory_px: tuple[int, int] = (10_000, 30_000)
    stripe_px: int = 2048
    restarts: tuple[tuple[str, int, int], ...] = ((GREY, 10_000, 1024), ("", 2048, 512))
    rounds: int = 3
    network: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where everything is measured.

    Attributes:
        folder: For scenes and results.
        sizes: How large they are.
        threads: Of every child.
        device: Of the networks.
        failures: Where contestants that disagree are told.
    """

    folder: Path
    sizes: Sizes
    threads: int
    device: str
    failures: list[str]

    def task(self, way: str, scene: Path, network: str = GREY, *, known: bool = True) -> Task:
        """Return a task whose result has a name of its own; the statistics of the scene are known or not."""
        name = hashlib.sha256(f"{way} {scene} {network} {known}".encode()).hexdigest()[:12]
        statistics = str(self.statistics()) if known else None
        target = str(self.folder / f"{name}.tif")
        return Task(way, str(scene), target, network, statistics, threads=self.threads, device=self.device)

    def statistics(self) -> Path:
        """Return a file of what a first pass over any scene would find."""
        path = self.folder / "statistics.json"
        if not path.exists():
            low, high = np.percentile(pattern(), (2, 98))
            write_statistics(
                path, SceneStatistics(weights_sha256="", input_range=(float(low), float(high)), fill=False)
            )
        return path

    def scene(self, side_px: int) -> Path:
        """Return a scene without holes; it is made when it is first asked for."""
        path = self.folder / f"scene-{side_px}.tif"
        return path if path.exists() else write_scene(path, side_px)

    def weights(self) -> str:
        """Return fresh weights of a small network."""
        path = self.folder / "small.safetensors"
        return str(path if path.exists() else write_small_weights(path, dict(self.sizes.network)))

    def race(self, tasks: Mapping[str, Task]) -> dict[str, Cost]:
        """Let all tasks take turns; of times, the least counts, of peaks the largest."""
        costs: dict[str, list[Cost]] = {name: [] for name in tasks}
        for _ in range(self.sizes.rounds):
            for name, task in tasks.items():
                costs[name].append(measure(task))
        return {name: summed_up(found) for name, found in costs.items()}

    def compare(self, tasks: Mapping[str, Task], names: Sequence[str], *, levels: int = 0) -> None:
        """Note which results differ from the first one's by more than so many 8-bit levels; remove all of them."""
        first, *others = names
        for name in others:
            found = largest_difference(Path(tasks[first].target), Path(tasks[name].target))
            if found > levels:
                self.failures.append(f"{name}: {found} of 255 levels off {first}")
        remove_results(tasks)


def remove_results(tasks: Mapping[str, Task]) -> None:
    """Remove what tasks have made, if they have."""
    for task in tasks.values():
        Path(task.target).unlink(missing_ok=True)


def summed_up(costs: Sequence[Cost]) -> Cost:
    """Return the least of every figure, since others disturb them, but the largest peak."""
    least = {name: min(vars(cost)[name] for cost in costs) for name in vars(costs[0])}
    return Cost(**least | {"peak_mb": max(cost.peak_mb for cost in costs)})


def largest_difference(one: Path, other: Path) -> int:
    """Return the largest difference of two rasters of 8 bits; 255 if their sizes differ."""
    import rasterio

    with rasterio.open(one) as first, rasterio.open(other) as second:
        if (first.shape, first.count) != (second.shape, second.count):
            return 255
        windows = [window for _, window in first.block_windows(1)]
        pairs = ((first.read(window=window), second.read(window=window)) for window in windows)
        return max(int(np.abs(a.astype(np.int16) - b).max()) for a, b in pairs)
