"""Whole training steps: ours beside the same CycleGAN in plain PyTorch, and ours fed from pictures on disk.

Ours is the engine as `nirtrans train` runs it: guard against losses that are not finite, gradient norms, image pools
and moving average included. The losses are those of the small preset without its angular term.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import torch
from torch import Tensor

from nirtrans.bench.case import Case, Setting, farthest
from nirtrans.bench.plain_cyclegan import PlainCycleGAN
from nirtrans.bench.report import Race
from nirtrans.bench.timing import Contestant, Timing, peak_memory_mb
from nirtrans.color.ranges import to_signed
from nirtrans.config import Run, SourceSettings
from nirtrans.config_files import resolve_run
from nirtrans.data.collection import open_collection
from nirtrans.data.loader import PREFETCHED_BATCHES, training_batches
from nirtrans.data.sample import Batch
from nirtrans.data.synthetic import write_synthetic_pairs
from nirtrans.engine.distributed import launch
from nirtrans.engine.trainer import Hooks, Trainer
from nirtrans.models.build import build_system
from nirtrans.models.cyclegan_asym import CycleGANAsym

SHAPES = {
    "cpu": ((4, 1, 96, 96), (4, 1, 128, 128)),
    "cuda": ((8, 1, 256, 256),),
    "quick": ((2, 1, 64, 64),),
}
NETWORKS: dict[int, dict[str, int]] = {  # by crop; 96 is the small preset as it is
    64: {"width": 2, "blocks": 1, "halvings": 2, "back_width": 2, "back_depth": 3},
    96: {},
    128: {"width": 32, "blocks": 6, "back_width": 16, "back_depth": 6},
    256: {"width": 64, "blocks": 9, "back_width": 32, "back_depth": 8},
}
CRITIC_WIDTHS = {64: 2, 96: 16, 128: 32, 256: 64}
PEERS: dict[str, str] = {}
GATED_STEPS = 3
GATE = {"cpu": 1e-2, "cuda": 5e-2}
"""Adam divides the first gradients by their own size, rounding included: two float32 runs may differ by 0.3 %, and
convolutions on a GPU round to TF32."""
BATCHES = 8
ROUNDS = 7
FED_ROUNDS, FED_STEPS = 4, 10

Step = Callable[[], Mapping[str, float]]


def cases(setting: Setting) -> Iterator[Case]:
    """Yield one step at each size, by every way of taking it."""
    for shape in setting.shapes:
        run = make_run(shape)
        batches = [batch.to(torch.device(setting.device)) for batch in islice(_batches(run), BATCHES)]
        racers = [_Racer(name, step) for name, step in _ways(run, batches, setting).items()]
        exact = _Racer("float64", _plain(run, batches, setting.device, torch.float64))
        yield Case(
            operation="step of cyclegan-asym",
            shape=shape,
            dtype="float32",
            contestants=[Contestant(racer.name, racer.run) for racer in racers],
            deviation=_Deviation(exact.losses),
            gate=GATE[setting.device],
            unit="relative, losses of the first three steps",
            device=setting.device,
        )


def make_run(shape: tuple[int, ...]) -> Run:
    """Return the run of a batch [N, C, H, W]."""
    critics = {name: {"width": CRITIC_WIDTHS[shape[-1]]} for name in ("critic_rgb", "critic_nir")}
    network = NETWORKS[shape[-1]] | critics | {"fidelity": {"angular": 0}}
    data = {"crop_px": shape[-1], "workers": 0, "synthetic_scenes": 3, "pairing": "paired"}
    flags = {"network": network, "data": data, "train": {"batch": shape[0]}}
    return resolve_run("cyclegan-asym-small", flags=flags)


def _ways(run: Run, batches: list[Batch], setting: Setting) -> dict[str, Step]:
    """Ours as configured, laid out otherwise, compiled and in bfloat16; the plain loop as it is and under autocast."""
    ways = {"nirtrans": _ours(run, batches, setting.device)}
    ways["plain PyTorch"] = _plain(run, batches, setting.device)
    ways["plain PyTorch, bf16 autocast"] = _autocast(_plain(run, batches, setting.device), setting.device)
    ways["nirtrans, train.channels_last"] = _ours(_changed(run, channels_last=True), batches, setting.device)
    if setting.compiled:
        ways["nirtrans, train.compile"] = _ours(_changed(run, compile=True), batches, setting.device)
    half = _changed(run, precision="bf16")  # last: Accelerate shares its state among runs
    return ways | {"nirtrans, bf16": _ours(half, batches, setting.device)}


def _changed(run: Run, **train: bool | str) -> Run:
    return run.model_copy(update={"train": run.train.model_copy(update=train)})


class _Racer:
    """A way to take steps that remembers its first losses: they are its result, and are compared."""

    def __init__(self, name: str, step: Step) -> None:
        self.name, self.step = name, step
        self.losses = [_sorted(step()) for _ in range(GATED_STEPS)]

    def run(self) -> list[Tensor]:
        self.step()
        return self.losses


class _Deviation:
    """Largest relative difference of any loss in any of the first steps."""

    def __init__(self, exact: list[Tensor]) -> None:
        self.exact = torch.stack(exact)

    def __call__(self, losses: list[Tensor]) -> float:
        return farthest(torch.stack(losses) / self.exact, torch.ones_like(self.exact))


def _sorted(losses: Mapping[str, float]) -> Tensor:
    return torch.tensor([losses[name] for name in sorted(losses)], dtype=torch.float64)


def _batches(run: Run) -> Iterator[Batch]:
    return training_batches(open_collection(run.data, run.domain), run)


def make_trainer(run: Run, device: str) -> Trainer:
    """Return a trainer for steps alone; it has no folder and writes nothing."""
    hooks = Hooks(save_weights=lambda path, tensors, step: None)
    accelerator = launch(run.train, device)
    return Trainer(run, build_system(run), lambda start: iter(()), out=Path(), hooks=hooks, accelerator=accelerator)


def _ours(run: Run, batches: list[Batch], device: str) -> Step:
    trainer, endless = make_trainer(run, device), cycle(batches)

    def step() -> Mapping[str, float]:
        trainer.train_step(endless)
        return trainer.stepper.means.take()

    return step


def _plain(run: Run, batches: list[Batch], device: str, dtype: torch.dtype = torch.float32) -> Step:
    system = build_system(run)
    if not isinstance(system, CycleGANAsym):
        raise TypeError(f"the plain loop is written for cyclegan-asym, got {run.model}")
    settings = run.train.optimizer
    loop = PlainCycleGAN(copy.deepcopy(system).to(device, dtype), lr=settings.lr, betas=settings.betas)
    pairs = cycle([(to_signed(b.source).to(device, dtype), to_signed(b.target).to(device, dtype)) for b in batches])
    return lambda: loop.step(*next(pairs))


def _autocast(step: Step, device: str) -> Step:
    def inside() -> Mapping[str, float]:
        with torch.autocast(device, dtype=torch.bfloat16):
            return step()

    return inside


# --- fed from disk ----------------------------------------------------------------------------------------------------


def races(setting: Setting) -> Iterator[Race]:
    """Yield steps fed from PNG pairs by 1, 0 and 2 reading processes, and what they waited; wall time.

    They take turns in blocks of steps. The first steps of a block are not counted: they use up what the readers have
    prepared while others ran.
    """
    shape = setting.shapes[0]
    quick = shape in SHAPES["quick"]
    rounds, counted = (1, 2) if quick else (FED_ROUNDS, FED_STEPS)
    with TemporaryDirectory() as folder:
        write_synthetic_pairs(Path(folder), scenes=3 if quick else 24, size=(64, 64) if quick else (256, 256))
        feeds = [_Feed(shape, folder, workers, setting.device) for workers in (1, 0, 2)]
        for _ in range(rounds):
            for feed in feeds:
                feed.block(counted)
        timings = [feed.timing() for feed in feeds]
    yield Race(
        operation="step of cyclegan-asym from PNG pairs on disk",
        shape=shape,
        dtype="float32",
        threads=None if setting.device == "cuda" else torch.get_num_threads(),
        timings=timings,
        errors={},
        absent=[],
        waiting={feed.name: feed.waited_s / sum(feed.times) for feed in feeds},
    )


class _Feed:
    """Steps on batches that a number of reading processes cut from files, their times and waits."""

    def __init__(self, shape: tuple[int, ...], folder: str, workers: int, device: str) -> None:
        run = make_run(shape)
        data = run.data.model_copy(update={"workers": workers, "sources": (SourceSettings(path=folder),)})
        run = run.model_copy(update={"data": data})
        self.name = f"data.workers={workers}"
        self.on_cuda = device == "cuda"
        self.trainer, self.batches = make_trainer(run, device), _batches(run)
        self.times: list[float] = []
        self.waited_s = 0.0

    def block(self, steps: int) -> None:
        """Take steps one after the other; count all but the first."""
        for _ in range(PREFETCHED_BATCHES + 1):
            self.trainer.train_step(self.batches)
        self.trainer.stepper.waiting.take()
        for _ in range(steps):
            began = perf_counter()
            self.trainer.train_step(self.batches)
            self.times.append(perf_counter() - began)
        self.waited_s += steps * self.trainer.stepper.waiting.take()["data_wait_s"]

    def timing(self) -> Timing:
        """Return what was found out."""
        peak_mb = peak_memory_mb(lambda: self.trainer.train_step(self.batches), on_cuda=self.on_cuda)
        return Timing(self.name, 1e3 * median(self.times), 1e3 * min(self.times), len(self.times), peak_mb)
