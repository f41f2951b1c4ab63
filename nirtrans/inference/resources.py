"""What a run may use of the machine; none of it changes a pixel."""

from dataclasses import dataclass

import torch

from nirtrans.errors import InputError
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.memory import passes_at_once
from nirtrans.inference.stream import Pace
from nirtrans.inference.tiling import Grid

MOST_ENCODERS = 8
"""Threads that compress beside one that runs the network; each holds a tile."""
BATCH_PX = 2**22
"""Pixels that a GPU is given at once where nobody says how many tiles."""


@dataclass(frozen=True)
class Resources:
    """What may be used.

    Attributes:
        threads: CPU threads that run the network and compress; None for as many as torch would take.
        batch: Tiles that a GPU sees together; None for 4 megapixels. On a CPU each thread has one tile: it would gain
            nothing from more, and convolutions of some sizes differ in the last bit with the batch.
        queue: Tiles that are read before the network asks for them.
        readers: Threads that decode the blocks of one read.
        cache_mb: GDAL's cache of decoded blocks, megabytes; None for what keeps blocks from being decoded twice.
    """

    threads: int | None = None
    batch: int | None = None
    queue: int = 4
    readers: int = 1
    cache_mb: int | None = None

    def __post_init__(self) -> None:
        least = {"--batch": self.batch, "--queue": self.queue, "--readers": self.readers, "--cachemax": self.cache_mb}
        for flag, value in least.items():
            if value is not None and value < 1:
                raise InputError(f"{flag} expects a whole number from 1, got {value}")

    @property
    def thread_count(self) -> int:
        """CPU threads, however they were chosen."""
        return self.threads or torch.get_num_threads()

    def pace(self, colorizer: Colorizer, grid: Grid) -> Pace:
        """Return how many tiles may be under way at once: as many as the memory holds, and no more than threads."""
        outer_px = grid.largest_px()
        encoders = min(self.thread_count, MOST_ENCODERS)
        if colorizer.device.type != "cpu":
            return Pace(self.queue, self.batch or max(1, BATCH_PX // outer_px), finishers=encoders)
        workers = passes_at_once(colorizer.activations.of(outer_px))
        return Pace(self.queue, workers=min(workers, self.thread_count, len(grid)), finishers=encoders)


DEFAULT = Resources()
