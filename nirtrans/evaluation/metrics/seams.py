"""Whether a picture that was computed in tiles shows it. Feature distances such as FID do not see seams."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nirtrans.evaluation.metrics.planes import Picture, pair, planes

REACH_PX = 2
"""How far from a tile's border a pixel counts as seam."""


@dataclass(frozen=True)
class Seam:
    """The difference between a tiled and a whole result near the borders of tiles.

    Attributes:
        max: Largest absolute difference within 2 px of a border; below 1e-4 there is no seam.
        mean: Mean absolute difference there.
        ratio: That mean by the mean elsewhere; 1 if both are 0, infinite if only the latter is.
    """

    max: float
    mean: float
    ratio: float


def seam(tiled: Picture, whole: Picture, *, tile_px: int) -> Seam:
    """Compare a result computed in tiles with the one computed at once.

    Args:
        tiled: [C, H, W] in [0, 1], of tiles that start at multiples of `tile_px`.
        whole: As tiled.
        tile_px: Side of a tile.

    Raises:
        ValueError: If the pictures differ in shape, or no tile ends inside them.
    """
    a, b = pair(tiled, whole)
    near = _near_borders(a, tile_px)
    difference = (a - b).abs()
    at, elsewhere = difference[:, near], difference[:, ~near].mean().item()
    mean = at.mean().item()
    ratio = mean / elsewhere if elsewhere else (1.0 if mean == 0 else math.inf)
    return Seam(at.max().item(), mean, ratio)


def seam_gradient(tiled: Picture, *, tile_px: int) -> float:
    """Return the mean step across the borders of tiles by the mean step half a tile further; 1 without seams.

    Needs no whole result. Noisy where there are few borders: what stands there by chance counts as well.

    Raises:
        ValueError: If no tile ends inside the picture.
    """
    picture = planes(tiled)
    _near_borders(picture, tile_px)
    across, inside = [], []
    for axis in (1, 2):
        steps = picture.diff(dim=axis).abs()  # step k leads from pixel k to k + 1
        across.append(_every(steps, axis, tile_px - 1, tile_px))
        inside.append(_every(steps, axis, tile_px + tile_px // 2 - 1, tile_px))
    return (torch.cat(across).mean() / torch.cat(inside).mean()).item()


def _every(steps: Tensor, axis: int, first: int, step: int) -> Tensor:
    places = torch.arange(min(first, steps.shape[axis]), steps.shape[axis], step)
    return steps.index_select(axis, places).flatten()


def _near_borders(picture: Tensor, tile_px: int) -> Tensor:
    """Return which pixels [H, W] are within 2 px of a border between tiles."""
    height, width = picture.shape[-2:]
    if max(height, width) <= tile_px:
        raise ValueError(f"a picture of {height} x {width} px holds no border between tiles of {tile_px} px")
    rows, columns = (_near(torch.arange(size), size, tile_px) for size in (height, width))
    return rows[:, None] | columns[None]


def _near(place: Tensor, size: int, tile_px: int) -> Tensor:
    border = ((place + REACH_PX) // tile_px) * tile_px  # the last border that begins before place + reach
    return (border > 0) & (border < size) & (place >= border - REACH_PX) & (place < border + REACH_PX)
