"""Crops, mirrors and turns, decided by one random generator so that a pair can share its numbers."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nirtrans.data.picture import Picture, Window

CropPixels = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Placement:
    """Where a crop lies in a picture and how it is turned afterwards.

    Attributes:
        window: Part of the picture.
        side_px: Height and width after resizing.
        mirrored: Whether left and right change places.
        quarter_turns: Turns by 90 degrees.
    """

    window: Window
    side_px: int
    mirrored: bool
    quarter_turns: int


def place_crop(
    rng: np.random.Generator,
    picture: Picture,
    side_px: int,
    *,
    flip: bool = True,
    scale_jitter: float = 0.0,
    short_side_px: int | None = None,
) -> Placement:
    """Draw a crop; the same numbers are drawn for every picture of one size and kind.

    Args:
        rng: Source of randomness.
        picture: Tells size and whether it may be turned.
        side_px: Side of the crop.
        flip: Mirror half of the crops, and turn those of views from above.
        scale_jitter: The window is up to this share larger or smaller than the crop, as far as the picture allows.
        short_side_px: Cut as from the picture resized so that its shorter side has so many pixels; None: as it is.
    """
    height, width = picture.size
    draws = rng.random(5)
    scale = min(height, width) / short_side_px if short_side_px else 1.0
    window_px = min(max(1, round(scale * side_px * (1 + scale_jitter * (2 * draws[0] - 1)))), height, width)
    top, left = int(draws[1] * (height - window_px + 1)), int(draws[2] * (width - window_px + 1))
    turns = int(draws[4] * 4) if flip and picture.turnable else 0
    return Placement((top, left, window_px, window_px), side_px, flip and draws[3] < 0.5, turns)


def read_crop(picture: Picture, placement: Placement) -> CropPixels:
    """Read, resize, mirror and turn a crop.

    Returns:
        pixels: [C, side, side], float32, [0, 1]; 0 at nodata.
        valid: [1, side, side], bool.
    """
    array, mask = picture.read(placement.window)
    valid = torch.ones(1, *array.shape[1:], dtype=torch.bool) if mask is None else _tensor(mask)[None]
    pixels = _tensor(array)
    if pixels.shape[1] != placement.side_px:
        pixels, valid = _resize(pixels, valid, placement.side_px)
    return _turn(pixels, placement), _turn(valid, placement)


def jitter_tone(rng: np.random.Generator, pixels: Tensor, amount: float) -> Tensor:
    """Change gamma, gain and offset of a source at random: exposure and film differ where the colours are the same.

    Args:
        rng: Source of randomness.
        pixels: [C, H, W], [0, 1].
        amount: Gamma lies in [e^-amount, e^amount], the gain in [e^(-amount/2), e^(amount/2)], the offset in
            [-amount/5, amount/5].

    Returns:
        [C, H, W], [0, 1].
    """
    gamma, gain, offset = amount * rng.uniform(-1, 1, 3)
    return (pixels ** math.exp(gamma) * math.exp(gain / 2) + offset / 5).clamp(0, 1)


def _tensor(array: NDArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def _resize(pixels: Tensor, valid: Tensor, side_px: int) -> CropPixels:
    """Resize bilinearly; a pixel stays valid only if all that it came from was."""
    size = (side_px, side_px)
    smooth = F.interpolate(pixels[None], size=size, mode="bilinear", align_corners=False, antialias=True)[0]
    share = F.interpolate(valid[None].float(), size=size, mode="bilinear", align_corners=False, antialias=True)[0]
    return smooth.clamp(0, 1), share > 0.999


def _turn(image: Tensor, placement: Placement) -> Tensor:
    mirrored = image.flip(-1) if placement.mirrored else image
    return mirrored.rot90(placement.quarter_turns, (-2, -1)).contiguous()
