"""Colorize a scene tile by tile: one thread reads ahead, the network sees tiles alone or several at a time.

On a CPU, each thread takes tiles of its own through the network and computes by itself. That leaves no core waiting,
and makes results the same bits for any number of threads, which they are not where threads share one convolution.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, islice
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.errors import OutOfMemory
from nirtrans.inference.forward import Forward
from nirtrans.inference.scene import NOTHING_CLAMPED, Clamped, Scene, TileInput, read_tile
from nirtrans.inference.tiling import Tile
from nirtrans.nn.noise import Place

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class ColouredTile:
    """What the network made of one tile.

    Attributes:
        tile: Where it lies.
        seen: [3, outer height, outer width], not clamped to [0, 1]; None where no pixel of the core is valid.
        valid: [core height, core width], bool; None where every pixel is valid.
        clamped: What was clamped to the range of the network.
    """

    tile: Tile
    seen: NDArray[np.float32] | None
    valid: NDArray[np.bool_] | None
    clamped: Clamped = NOTHING_CLAMPED

    @property
    def colours(self) -> NDArray[np.float32] | None:
        """The core alone, [3, core height, core width], a view."""
        return None if self.seen is None else self.seen[:, *self.tile.core.within(self.tile.outer)]


@dataclass(frozen=True)
class Pace:
    """How much goes on at once; of no influence on the result.

    Attributes:
        queue: Tiles read before the network asks for them; each is one outer window of float32.
        batch: Most tiles of one size that the network sees together.
        workers: Threads that each run the network on a batch of its own.
        finishers: Threads that deal with coloured tiles where there is one worker.
    """

    queue: int = 2
    batch: int = 1
    workers: int = 1
    finishers: int = 1


Read = tuple[Tile, TileInput]


def colorize_tiles(forward: Forward, scene: Scene, tiles: Iterable[Tile]) -> Iterator[ColouredTile]:
    """Yield each tile with its colours and the validity of its core, in the order given; raises as `process_tiles`."""
    return process_tiles(forward, scene, tiles, lambda done: done)


def process_tiles(
    forward: Forward,
    scene: Scene,
    tiles: Iterable[Tile],
    finish: Callable[[ColouredTile], R],
    pace: Pace = Pace(),
    *,
    read: Callable[[Scene, Tile], TileInput] = read_tile,
) -> Iterator[R]:
    """Yield what `finish` makes of each coloured tile, in the order given.

    A system with statistics over the picture must have them frozen first, or the tiles will not fit together.

    Args:
        forward: The system.
        scene: Where to read.
        tiles: What to read and colour.
        finish: Runs in the thread that ran the network, whose colours are then gone; in others if there is only one.
        pace: How much goes on at once.
        read: How a tile is read.

    Raises:
        OutOfMemory: If a tile does not fit the device.
    """
    inputs = ahead(lambda tile: (tile, read(scene, tile)), tiles, count=pace.queue)
    batches = _batches(inputs, pace.batch)
    if pace.workers > 1:
        both = partial(_colour_and_finish, forward, finish)
        return chain.from_iterable(ahead(both, batches, count=pace.workers, workers=pace.workers))
    coloured = chain.from_iterable(map(partial(colour_batch, forward), batches))
    return ahead(finish, coloured, count=pace.finishers, workers=pace.finishers)


def _colour_and_finish(forward: Forward, finish: Callable[[ColouredTile], R], batch: Sequence[Read]) -> list[R]:
    return [finish(done) for done in colour_batch(forward, batch)]


def _batches(read: Iterable[Read], most: int) -> Iterator[list[Read]]:
    """Group neighbours of one shape; tiles without a valid pixel, which have none, stay among themselves."""
    for _, alike in groupby(read, key=lambda pair: None if pair[1].source is None else pair[1].source.shape):
        while batch := list(islice(alike, most)):
            yield batch


def colour_batch(forward: Forward, batch: Sequence[Read]) -> list[ColouredTile]:
    """Colour tiles of one shape together, or in halves where the memory is too small for that.

    Raises:
        OutOfMemory: If a single one does not fit the device.
    """
    if batch[0][1].source is None:
        return [ColouredTile(tile, None, given.valid) for tile, given in batch]
    inputs = [given for _, given in batch]
    try:
        colours = forward(_stack(inputs), stack_places(inputs))
    except OutOfMemory:
        if len(batch) == 1:
            raise
        half = len(batch) // 2
        return colour_batch(forward, batch[:half]) + colour_batch(forward, batch[half:])
    return [
        ColouredTile(tile, rgb.numpy(), given.valid, given.clamped)
        for (tile, given), rgb in zip(batch, colours, strict=True)
    ]


def _stack(inputs: Sequence[TileInput]) -> Tensor:
    """Return the sources of several tiles, [N, C, H, W]; of one without copying it."""
    sources = [torch.from_numpy(given.source) for given in inputs]
    return sources[0][None] if len(sources) == 1 else torch.stack(sources)


def stack_places(tiles: Sequence[TileInput]) -> Place:
    """Return where the pixels of several tiles of one size come from."""
    rows, columns = zip(*(tile.place for tile in tiles), strict=True)
    return Place(torch.from_numpy(np.stack(rows)), torch.from_numpy(np.stack(columns)))


def ahead(function: Callable[[T], R], items: Iterable[T], *, count: int, workers: int = 1) -> Iterator[R]:
    """Yield function(item) in order, computed by other threads at most `count` items ahead of the caller."""
    pool = ThreadPoolExecutor(max_workers=workers)
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
