"""Training of zhang2016: what the classes of colour cost beside the network, in time and in memory.

The loss encodes colours and scores them in one pass over the logits; a dense target of 313 numbers per pixel never
exists. The peer trains the same network with such a target, in plain PyTorch.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.bench.case import Setting
from nirtrans.bench.cross_entropy import dense_target_loss
from nirtrans.bench.report import environment
from nirtrans.bench.tables import Findings, Goal, Table, collect
from nirtrans.bench.timing import peak_memory_mb
from nirtrans.color.chroma import chroma, lightness
from nirtrans.color.ranges import scale_lightness
from nirtrans.config import Run
from nirtrans.config_files import resolve_run
from nirtrans.data.sample import Batch
from nirtrans.errors import InputError
from nirtrans.losses.classes import rebalanced_cross_entropy
from nirtrans.models.build import build_system
from nirtrans.models.zhang2016 import SHRINKING, BinClassifier, Zhang2016

BATCH = {"full": (8, 256, 64), "quick": (2, 64, 4)}
"""Pictures, side in pixels, width of the network."""
STEPS = {"full": 5, "quick": 1}
OUTSIDE, LEANER = 0.10, 0.60
"""Share of the time outside the network, and share of the dense version's memory, that are aimed at."""
NETWORK = ("network, forward", "network, backward")
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
ResultT = TypeVar("ResultT")


def run(
    *, threads: list[int], devices: list[str], out: Path | None = None, compiled: bool = False, quick: bool = False
) -> str:
    """Measure with the most of the `threads`; see `nirtrans.bench.suites.run_suite`.

    Raises:
        InputError: If torch.compile is asked for.
    """
    if compiled:
        raise InputError("--compiled: the peer of this benchmark is not compiled; leave it out")
    torch.set_num_threads(max(threads))
    size, texts = "quick" if quick else "full", []
    for device in devices:
        command = f"nirtrans bench classes{' --quick' * quick} --device {device}"
        about = environment(device, ("torch",)) | {"command": command, "threads": max(threads), "absent": []}
        texts.append(collect(findings(Setting(device, (BATCH[size],)), STEPS[size]), about, out, f"classes-{device}"))
    return "\n".join(texts)


def findings(setting: Setting, steps: int) -> Iterator[Findings]:
    """Yield the profile of a step and the memory of its ways."""
    trial = Trial(setting)
    yield profile(trial, steps)
    yield memory(trial)


class Trial:
    """One network, one batch, and the parts of a step on them.

    Args:
        setting: Device, and as its only shape pictures, side and width.
    """

    def __init__(self, setting: Setting) -> None:
        (self.count, self.side, width), self.device = setting.shapes[0], setting.device
        self.settings: Run = resolve_run("zhang2016", flags={"network": {"width": width}})
        system = build_system(self.settings)
        if not isinstance(system, Zhang2016):
            raise TypeError(f"this benchmark is written for zhang2016, got {self.settings.model}")
        self.system = system.to(setting.device)
        self.network: BinClassifier = system.to_ab
        self.optimizer = torch.optim.AdamW(system.parameters(), lr=1e-5, fused=True)
        torch.manual_seed(0)
        target = torch.rand(self.count, 3, self.side, self.side)
        self.batch = Batch(target.mean(1, keepdim=True), target).to(torch.device(setting.device))

    def light(self) -> Tensor:
        """Return what the network takes."""
        return scale_lightness(lightness(self.batch.source))

    def ab(self) -> Tensor:
        """Return the chroma that is the target."""
        return F.avg_pool2d(chroma(self.batch.target), SHRINKING)

    def step(self, loss: Loss, *, recompute: bool) -> None:
        """Take a whole step; no gradient is left behind, so that all that it needs is counted."""
        self.network.trunk.recompute = recompute
        logits, prior = self.network(self.light(), decode=False)
        loss(logits, self.ab(), prior).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


def profile(trial: Trial, steps: int) -> Findings:
    """Time the parts of a step one by one, without recomputation, which would count as the network's."""
    seconds: dict[str, list[float]] = {}
    for _ in range(steps + 1):
        for name, value in _timed_step(trial).items():
            seconds.setdefault(name, []).append(value)
    parts = {name: median(values[1:]) for name, values in seconds.items()}  # the first step warms up
    total = sum(parts.values())
    rows: dict[str, list[float | None]] = {name: [1e3 * value, 100 * value / total] for name, value in parts.items()}
    outside = sum(value for name, value in parts.items() if name not in NETWORK and name != "optimizer") / total
    note = f"Batch {trial.count} of {trial.side} px, float32; medians of {steps} steps."
    table = Table("Where a training step of zhang2016 spends its time", note, ["ms", "% of the step"], rows)
    return table, [Goal("share of a step outside network and optimizer (Lab, encoding, loss)", outside, OUTSIDE)]


def _timed_step(trial: Trial) -> dict[str, float]:
    """Take a step in parts and return their seconds."""
    trial.network.trunk.recompute = False
    clock = _Clock(trial.device)
    light = clock("Lab of the source", trial.light)
    logits, prior = clock("network, forward", lambda: trial.network(light, decode=False))
    ab = clock("Lab of the target", trial.ab)
    leaf = logits.detach().requires_grad_()
    loss = clock("encoding and loss", lambda: rebalanced_cross_entropy(leaf, ab, prior=prior))
    (gradient,) = clock("gradient of the loss", lambda: torch.autograd.grad(loss, leaf))
    clock("network, backward", lambda: logits.backward(gradient))
    clock("optimizer", trial.optimizer.step)
    trial.optimizer.zero_grad()
    return clock.seconds


class _Clock:
    """Run something and note how long it took; on a GPU until it is done."""

    def __init__(self, device: str) -> None:
        self.on_cuda = device == "cuda"
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, action: Callable[[], ResultT]) -> ResultT:
        began = perf_counter()
        result = action()
        if self.on_cuda:
            torch.cuda.synchronize()
        self.seconds[name] = perf_counter() - began
        return result


def memory(trial: Trial) -> Findings:
    """Compare the peaks of whole steps and of the loss alone."""

    def ours(logits: Tensor, ab: Tensor, prior: Tensor) -> Tensor:
        return rebalanced_cross_entropy(logits, ab, prior=prior)

    lean, plain = (_peak(trial, ours, recompute=recompute) for recompute in (True, False))
    dense = _peak(trial, dense_target_loss, recompute=False)
    fused_loss, dense_loss = (_peak_of_loss(trial, loss) for loss in (ours, dense_target_loss))
    rows: dict[str, list[float | None]] = {
        "nirtrans": [lean, fused_loss],
        "nirtrans, train.recompute=false": [plain, None],
        "dense target, plain PyTorch": [dense, dense_loss],
    }
    note = f"Largest memory above the start of a step, MB; batch {trial.count} of {trial.side} px, gradients included."
    table = Table("Memory of a training step of zhang2016", note, ["step", "encoding and loss alone"], rows)
    return table, [
        Goal("peak memory of a step / with a dense target", lean / dense, LEANER),
        Goal("peak memory of encoding and loss alone / with a dense target", fused_loss / dense_loss, LEANER),
    ]


def _peak(trial: Trial, loss: Loss, *, recompute: bool) -> float:
    return peak_memory_mb(partial(trial.step, loss, recompute=recompute), on_cuda=trial.device == "cuda")


def _peak_of_loss(trial: Trial, loss: Loss) -> float:
    side = trial.side // SHRINKING
    logits = torch.randn(trial.count, 313, side, side, device=trial.device, requires_grad=True)
    ab, weight = trial.ab(), torch.full((313,), 1 / 313, device=trial.device)
    return peak_memory_mb(lambda: torch.autograd.grad(loss(logits, ab, weight), logits), on_cuda=trial.device == "cuda")
