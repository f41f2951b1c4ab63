"""Statistics of normalisation layers, taken once per scene and frozen, so that all of its tiles share them.

A scene that the memory holds is sampled whole: its colours are then those of the untiled picture. Of a larger one,
tiles are sampled, one from each cell of a regular grid. How far the tone depends on the choice is measured by freezing
at either half of the sample and comparing the mean colours.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nirtrans.inference.forward import Forward
from nirtrans.inference.scene import Scene, read_tile
from nirtrans.inference.stream import stack_places
from nirtrans.inference.tiling import Grid, Tile, Window, padded_size, round_up
from nirtrans.models.system import System
from nirtrans.nn.noise import Place
from nirtrans.nn.norms import SpatialNorm, freeze_statistics

log = logging.getLogger("nirtrans")
SAMPLE_PX = 256
MAX_SAMPLES = 64
TONE_LIMIT = 2.0  # 8-bit levels


@dataclass(frozen=True)
class Sample:
    """What the frozen statistics rest on.

    Attributes:
        tiles: Number of sampled tiles; 1 with `whole`.
        share: Share of the scene that was sampled.
        whole: Whether it was the whole scene.
        tone_difference: 8-bit levels between the mean colours under either half of the sample; 0 if whole.
    """

    tiles: int
    share: float
    whole: bool
    tone_difference: float


def depends_on_picture(system: System) -> bool:
    """Tell whether a layer takes statistics from the picture before it, so that tiles need frozen ones."""
    return any(isinstance(layer, SpatialNorm) for layer in system.modules())


def freeze_scene(forward: Forward, scene: Scene, *, stride_px: int, budget_px: int) -> Sample | None:
    """Freeze the layers of a system at the statistics of a scene; `nirtrans.nn.norms.thaw` undoes it.

    Args:
        forward: The system.
        scene: What to sample.
        stride_px: Total stride of the network.
        budget_px: Pixels that one forward pass may see.

    Returns:
        What was sampled; None if the system has no such layer or the scene no valid pixel.
    """
    if not depends_on_picture(forward.system):
        return None
    whole = [padded_size(size, stride_px) for size in (scene.height, scene.width)]
    if math.prod(whole) <= budget_px:
        (tile,) = Grid(scene.height, scene.width, 0, 0, stride_px).tiles()
        return _freeze_whole(forward, scene, tile)
    return _freeze_sampled(forward, scene, stride_px, budget_px)


def _freeze_whole(forward: Forward, scene: Scene, tile: Tile) -> Sample | None:
    batch = _batch(scene, [tile])
    if batch is None:
        return None
    _freeze(forward, batch)
    return Sample(tiles=1, share=1.0, whole=True, tone_difference=0.0)


def _freeze_sampled(forward: Forward, scene: Scene, stride_px: int, budget_px: int) -> Sample | None:
    side = round_up(SAMPLE_PX, stride_px)
    count = min(max(budget_px // side**2, 4), MAX_SAMPLES)
    batch = _batch(scene, list(stratified(scene.height, scene.width, side, count, stride_px)))
    if batch is None:
        return None
    difference = _tone_difference(forward, batch)
    if difference > TONE_LIMIT:
        log.warning("colours depend on the sample of the scene: halves of it differ by %.1f of 255 levels", difference)
    _freeze(forward, batch)
    tiles = len(batch.source)
    share = min(1.0, tiles * side**2 / (scene.height * scene.width))
    return Sample(tiles=tiles, share=share, whole=False, tone_difference=difference)


def stratified(height: int, width: int, side: int, count: int, stride_px: int) -> Iterator[Tile]:
    """Yield tiles of `side` pixels in the middle of about `count` equal cells, inside the scene where it is larger.

    Rows run to and fro: every other tile then makes a chessboard, whose halves both cover the scene.
    """
    rows = max(1, min(round(math.sqrt(count * height / width)), -(-height // side)))
    columns = max(1, min(count // rows, -(-width // side)))
    for row in range(rows):
        for column in range(columns)[:: -1 if row % 2 else 1]:
            top = _cell_start(row, rows, height, side, stride_px)
            left = _cell_start(column, columns, width, side, stride_px)
            core = Window(top, left, min(side, height - top), min(side, width - left))
            yield Tile(core, Window(top, left, side, side))


def _cell_start(index: int, count: int, size: int, side: int, stride_px: int) -> int:
    middle = (2 * index + 1) * size // (2 * count)
    start = min(max(0, middle - side // 2), max(0, size - side))
    return start // stride_px * stride_px


class Batch(NamedTuple):
    """Sampled tiles.

    Attributes:
        source: [K, C, H, W].
        valid: [K, 1, H, W].
        place: Where the pixels come from, [K, H] and [K, W].
    """

    source: Tensor
    valid: Tensor
    place: Place

    def part(self, tiles: slice) -> "Batch":
        """Return some of the tiles."""
        return Batch(self.source[tiles], self.valid[tiles], Place(*(index[tiles] for index in self.place)))


def _batch(scene: Scene, tiles: list[Tile]) -> Batch | None:
    """Read tiles, leaving out those without a measured pixel; None if that is all of them."""
    sources, masks, kept = [], [], []
    for tile in tiles:
        given = read_tile(scene, tile)
        if given.source is None or (given.measured is not None and not given.measured.any()):
            continue
        sources.append(given.source)
        everywhere = np.ones(given.source.shape[1:], dtype=bool)
        masks.append(everywhere if given.measured is None else given.measured)
        kept.append(given)
    if not kept:
        return None
    return Batch(torch.from_numpy(np.stack(sources)), torch.from_numpy(np.stack(masks))[:, None], stack_places(kept))


def _freeze(forward: Forward, batch: Batch) -> None:
    run = partial(forward, place=batch.place)
    freeze_statistics(forward.system, batch.source, batch.valid.to(forward.device), forward=run)


def _tone_difference(forward: Forward, batch: Batch) -> float:
    """Return the largest difference in mean colour of two tiles under statistics of either half, 8-bit levels."""
    if len(batch.source) < 2:
        return 0.0
    shown = batch.part(slice(2))
    tones = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        _freeze(forward, batch.part(half))
        tones.append(forward(shown.source, shown.place).clamp(0, 1).mean(dim=(0, 2, 3)))
    return 255 * float((tones[0] - tones[1]).abs().max())
