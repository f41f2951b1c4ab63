"""Colorize a scene tile by tile: one thread reads ahead, the caller's thread runs the network."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.errors import OutOfMemory
from nirtrans.inference.scene import Scene, TileInput, read_tile
from nirtrans.inference.tiling import Tile
from nirtrans.models.system import System
from nirtrans.nn.noise import Place, placed

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 2
"""Tiles read before the network asks for them; each is one outer window of float32."""

Colours = NDArray[np.float32] | None
"""[3, core height, core width] in [0, 1], or None where no pixel of the core is valid."""


ColouredTile = tuple[Tile, Colours, NDArray[np.bool_] | None]
"""A tile, its colours, and the validity of its core; None where every pixel is valid."""


def colorize_tiles(
    system: System,
    scene: Scene,
    tiles: Iterable[Tile],
    *,
    device: torch.device,
    read: Callable[[Scene, Tile], TileInput] = read_tile,
) -> Iterator[ColouredTile]:
    """Yield each tile with its colours and the validity of its core, in the order given.

    A system with statistics over the picture must have them frozen first, or the tiles will not fit together.

    Args:
        system: In evaluation mode, on `device`.
        scene: Where to read.
        tiles: What to read and colour.
        device: Where to compute.
        read: How a tile is read.

    Raises:
        OutOfMemory: If a tile does not fit the device.
    """
    for tile, given in ahead(lambda tile: (tile, read(scene, tile)), tiles, count=AHEAD):
        yield colour_tile(system, tile, given, device=device)


def colour_tile(system: System, tile: Tile, given: TileInput, *, device: torch.device) -> ColouredTile:
    """Run the network on a tile that has been read; raises as `run`."""
    if given.source is None:
        return tile, None, given.valid
    rgb = run(system, torch.from_numpy(given.source)[None], device=device, place=stack_places([given]))[0]
    return tile, np.ascontiguousarray(rgb[:, *tile.core.within(tile.outer)].numpy()), given.valid


def stack_places(tiles: Sequence[TileInput]) -> Place:
    """Return where the pixels of several tiles of one size come from."""
    rows, columns = zip(*(tile.place for tile in tiles), strict=True)
    return Place(torch.from_numpy(np.stack(rows)), torch.from_numpy(np.stack(columns)))


def run(system: System, source: Tensor, *, device: torch.device, place: Place | None = None) -> Tensor:
    """Colorize [N, C, H, W], sizes multiples of the stride, and bring the result to the CPU as float32.

    Args:
        system: In evaluation mode, on `device`.
        source: The pixels, [0, 1].
        device: Where to compute.
        place: Where they come from, for networks with noise; None if each of the N begins a scene.

    Raises:
        OutOfMemory: If the device has too little memory; says what to make smaller.
    """
    try:
        with torch.inference_mode(), placed(system, place):
            return system.colorize(source.to(device)).float().clamp(0, 1).cpu()
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            size = "{} x {} px".format(*source.shape[-2:])
            raise OutOfMemory(f"{device} has too little memory for {size} at once; use a smaller --tile") from None
        raise


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
