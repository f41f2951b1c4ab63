"""Endless training batches in which the number of a sample decides everything about it.

Sample n takes the picture at place n of an endless chain of permutations, and its crop from a generator seeded by n. So
a resumed run, another number of workers or of processes meets the same samples in the same order.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from nirtrans.config import Pairing, Run
from nirtrans.data.cache import CACHE_BYTES, DECODED
from nirtrans.data.picture import Collection, Picture
from nirtrans.data.sample import Batch, Sample, collate
from nirtrans.data.transforms import Placement, jitter_tone, place_crop, read_crop
from nirtrans.errors import ConfigError, DataError, NirtransError

PREFETCHED_BATCHES = 4
"""Batches that each worker keeps ready."""
SOURCE, TARGET, CROP = range(3)
"""Purposes of random numbers; each has its own stream."""
CROP_ATTEMPTS = 8
MIN_VALID_SHARE = 0.25
"""Share of valid pixels from which a crop is taken at once."""


def training_batches(
    collection: Collection, run: Run, *, start_step: int = 0, rank: int = 0, world: int = 1, workers: int | None = None
) -> Iterator[Batch]:
    """Yield `run.train.accumulate` batches per step for one process, without end.

    Args:
        collection: Its train part is used.
        run: Batch, crop, pairing and seed.
        start_step: First step, when a run is resumed.
        rank: Number of this process.
        world: Number of processes; the global batch is divided among them.
        workers: Reading processes; `run.data.workers` if None.

    Raises:
        ConfigError: If the batch cannot be divided.
        DataError: If nothing is there to train on, a picture is smaller than a crop, or pairing needs aligned pairs.
    """
    train, run = collection.part("train"), with_pairing(run, collection)
    check_trainable(train, run)
    numbers = _numbers(run, start_step, rank, world)
    count = run.data.workers if workers is None else workers
    loader = DataLoader(
        _Samples(train, run),
        batch_sampler=numbers,
        collate_fn=_collate_or_fail,
        num_workers=count,
        worker_init_fn=_prepare_worker,
        prefetch_factor=PREFETCHED_BATCHES if count else None,
        persistent_workers=count > 0,
    )
    return _raise_failures(loader)


def with_pairing(run: Run, collection: Collection) -> Run:
    """Return the run with its pairing written out; where it says nothing, the pictures decide."""
    fitting: Pairing = "mixed" if collection.loose_targets else "paired" if collection.aligned else "unpaired"
    pairing = run.data.pairing or fitting
    return run.model_copy(update={"data": run.data.model_copy(update={"pairing": pairing})})


def check_trainable(train: Collection, run: Run) -> None:
    """Refuse what would fail during training; raises as `training_batches`."""
    if not train.sources or not train.targets:
        raise DataError(f"nothing to train on in {train.description}; every picture is in another split")
    if run.data.pairing != "unpaired" and not train.aligned:
        raise DataError(
            f"data.pairing is {run.data.pairing}, but sources and targets are not pairs ({train.description}); "
            "use --set data.pairing=unpaired"
        )
    if run.data.short_side_px:
        return
    smallest = min((*train.every_source, *train.every_target), key=lambda picture: min(picture.size))
    if min(smallest.size) < run.data.crop_px * (1 - run.data.scale_jitter):  # down to there crops are enlarged
        height, width = smallest.size
        raise DataError(
            f"picture {smallest.id} is {height}x{width}, smaller than the crops of {run.data.crop_px} px; "
            f"use --set data.crop_px={max(8, min(smallest.size) // 8 * 8)} or less"
        )


def _numbers(run: Run, start_step: int, rank: int, world: int) -> "_Numbers":
    train, parts = run.train, run.train.accumulate * world
    if train.batch % parts:
        raise ConfigError(
            f"train.batch {train.batch} cannot be divided among {world} processes and {train.accumulate} "
            f"accumulation steps; use a multiple of {parts}"
        )
    needed = train.batch // parts * run.data.crop_px**2 * 16  # four channels of float32
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory // 4:
        raise ConfigError(
            f"{train.batch // parts} crops of {run.data.crop_px} px take {needed / 1e9:.0f} GB of {memory / 1e9:.0f}; "
            "use a smaller train.batch or data.crop_px"
        )
    return _Numbers(train.batch, train.accumulate, start_step, rank, world)


class _Numbers:
    """Sample numbers of each batch of one process: micro-batch a of step s starts at s*batch + (a*world + rank)*m."""

    def __init__(self, batch: int, accumulate: int, start_step: int, rank: int, world: int) -> None:
        self.batch, self.accumulate, self.step, self.rank, self.world = batch, accumulate, start_step, rank, world

    def __iter__(self) -> Iterator[list[int]]:
        micro = self.batch // (self.accumulate * self.world)
        step = self.step
        while True:
            for part in range(self.accumulate):
                first = step * self.batch + (part * self.world + self.rank) * micro
                yield list(range(first, first + micro))
            step += 1


class _Samples(Dataset):
    """Samples by number; a failure is returned, not raised, so that its message survives the worker's border."""

    def __init__(self, train: Collection, run: Run) -> None:
        self.train, self.data, self.batch, self.seed = train, run.data, run.train.batch, run.train.seed
        self.classes = {name: number for number, name in enumerate(train.classes)}

    def __getitem__(self, number: int) -> Sample | NirtransError:
        try:
            return self._cut(number)
        except NirtransError as error:
            return error

    def _cut(self, number: int) -> Sample:
        """Cut the crops of one sample; those that hold little but nodata are drawn again, a few times."""
        paired = self._is_paired(number)
        sources, targets = self._drawn_from(paired)
        first = self._pick(SOURCE, number, len(sources))
        second = first if paired else self._pick(TARGET, number, len(targets))
        source, target = sources[first], targets[second]
        rng = np.random.default_rng((self.seed, CROP, number))
        for _ in range(CROP_ATTEMPTS):
            placement = self._place(rng, source)
            pixels, valid = read_crop(source, placement)
            colours, colours_valid = read_crop(target, placement if paired else self._place(rng, target))
            valid = valid & colours_valid
            if valid.float().mean() >= MIN_VALID_SHARE:
                break
        if self.data.tone_jitter:
            pixels = jitter_tone(rng, pixels, self.data.tone_jitter)
        name = source.id if paired else f"{source.id}|{target.id}"
        label = self.classes.get(source.group or "", -1) if self.classes else None
        return Sample(pixels, colours, None if valid.all() else valid, paired=paired, id=name, label=label)

    def _drawn_from(self, paired: bool) -> tuple[Sequence[Picture], Sequence[Picture]]:
        if paired:
            return self.train.sources, self.train.targets
        return self.train.every_source, self.train.every_target

    def _is_paired(self, number: int) -> bool:
        """Mixed pairing alternates: even steps are paired."""
        mode = self.data.pairing
        return mode == "paired" or (mode == "mixed" and (number // self.batch) % 2 == 0)

    def _place(self, rng: np.random.Generator, picture: Picture) -> Placement:
        data = self.data
        jitter, side = data.scale_jitter, data.short_side_px
        return place_crop(rng, picture, data.crop_px, flip=data.flip, scale_jitter=jitter, short_side_px=side)

    def _pick(self, purpose: int, number: int, count: int) -> int:
        return int(_permutation(self.seed, purpose, number // count, count)[number % count])


@lru_cache(maxsize=8)
def _permutation(seed: int, purpose: int, epoch: int, count: int) -> NDArray[np.intp]:
    return np.random.default_rng((seed, purpose, epoch)).permutation(count)


def _collate_or_fail(samples: Sequence[Sample | NirtransError]) -> Batch | NirtransError:
    failed = [sample for sample in samples if isinstance(sample, NirtransError)]
    return failed[0] if failed else collate([sample for sample in samples if isinstance(sample, Sample)])


def _raise_failures(loader: DataLoader) -> Iterator[Batch]:
    for batch in loader:
        if isinstance(batch, NirtransError):
            raise batch
        yield batch


def _prepare_worker(number: int) -> None:
    """Leave the process group, so that Ctrl-C reaches the trainer alone, which ends workers when its step is done."""
    from torch.utils.data import get_worker_info

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setpgid(0, 0)
    info = get_worker_info()
    DECODED.resize(CACHE_BYTES // max(1, info.num_workers if info else 1))
