"""Colour a picture whose lightness stays: chroma is predicted at the size of training and enlarged to the picture.

A `ChromaSystem` sees the whole picture shrunk, so that memory and colours do not depend on how large it is. What stands
at full size are its lightness and the enlargement (`nirtrans.inference.upsample`), strip by strip.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.color.chroma import lightness, resize_chroma, with_lightness
from nirtrans.color.guidance import Guidance, resize_guidance
from nirtrans.errors import InputError
from nirtrans.inference.fill import fill_invalid
from nirtrans.inference.forward import Forward
from nirtrans.inference.guidance_kinds import check_guidance
from nirtrans.inference.tiling import MIN_STRIDES, mirrored
from nirtrans.inference.upsample import Chroma, Upsample, upsampled
from nirtrans.io.images import to_unit
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.formulas import Formula
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo

Size = tuple[int, int]
GuidanceFor = Callable[[Size], Guidance | None]
"""Says what is known of the colours at a size, height and width; at that of the network, hints are drawn exactly."""
LEAST_SHARE = 1e-3  # of valid pixels below one of the small picture
LONGEST = 8
"""The longer side, in shorter sides of training; of narrower pictures the shorter side becomes smaller instead."""
STRIP_PX = 2**16
"""Pixels that are brought to full size together: all that is made of them stays in the second-level cache or nearby."""


@dataclass(frozen=True)
class PhotoOptions:
    """How a picture is coloured whose lightness stays.

    Attributes:
        size_px: Shorter side of what the network sees; None for that of training.
        upsample: How chroma is enlarged.
    """

    size_px: int | None = None
    upsample: Upsample = "guided"


class SeenSize(NamedTuple):
    """What a network sees of a picture.

    Attributes:
        shown: Height and width of the picture, shrunk or enlarged.
        padded: The same with what is mirrored to fill the least size of the network.
    """

    shown: Size
    padded: Size


@dataclass(frozen=True)
class PhotoModel:
    """A chroma system with the size at which it sees pictures.

    Attributes:
        forward: The system, ready to run.
        short_side_px: Shorter side that pictures are brought to.
        stride_px: Sides of what the network sees are multiples of it.
        least_px: Least side that the network accepts.
        enlarging: Whether smaller pictures are enlarged to that size.
    """

    forward: Forward
    short_side_px: int
    stride_px: int
    least_px: int
    enlarging: bool = True

    def seen_size(self, height: int, width: int) -> SeenSize:
        """Return the sizes for a picture: as it is shrunk, to the nearest multiple of the stride, and padded."""
        scale = min(self.short_side_px / min(height, width), LONGEST * self.short_side_px / max(height, width))
        scale = scale if self.enlarging else min(scale, 1.0)
        sides = [self._fit(side * scale) for side in (height, width)]
        return SeenSize((sides[0][0], sides[1][0]), (sides[0][1], sides[1][1]))

    def _fit(self, side_px: float) -> Size:
        fitting = round(side_px / self.stride_px) * self.stride_px
        return (fitting, fitting) if fitting >= self.least_px else (max(1, round(side_px)), self.least_px)

    def predict(self, small: Tensor, padded: Size, guidance: Guidance | None = None) -> Tensor:
        """Predict chroma of pictures that are shrunk already.

        Args:
            small: [N, 1, h, w], [0, 1], of the size `seen_size` calls shown.
            padded: What it calls padded.
            guidance: Of the size of `small`.

        Returns:
            [N, 2, h', w'], CIE units, on the CPU, as large as the network gives it.
        """
        ab = self.forward.predict(*mirrored_to(padded, small, guidance))
        if padded == tuple(small.shape[2:]):
            return ab
        return resize_chroma(ab, padded)[..., : small.shape[2], : small.shape[3]]


def photo_model(forward: Forward, info: ModelInfo, size_px: int | None = None) -> PhotoModel:
    """Return the model of a weights file that colours at its size of training, or at another.

    Raises:
        InputError: If the size is below what the network accepts.
    """
    least = info.stride_px * (MIN_STRIDES if info.bounded else 1)
    if size_px is not None and size_px < least:
        raise InputError(f"--size {size_px}: {info.model} needs at least {least}; use --size auto")
    trained = info.run.data.short_side_px or info.run.data.crop_px
    enlarging = size_px is not None or not isinstance(forward.system, Formula)
    return PhotoModel(forward, size_px or trained, info.stride_px, least, enlarging)


def mirrored_to(padded: Size, small: Tensor, guidance: Guidance | None) -> tuple[Tensor, Guidance | None]:
    """Return a picture and what is known of its colours, both mirrored to the size that a network accepts."""
    pad = [torch.from_numpy(mirrored(0, *sides)) for sides in zip(padded, small.shape[2:], strict=True)]
    if guidance is not None:
        ab, mask = (_picked(x, pad) for x in (guidance.ab, guidance.mask))
        guidance = Guidance(ab, mask, guidance.histogram, guidance.saturation)
    return _picked(small, pad), guidance


def keeps_lightness(system: System, info: ModelInfo) -> bool:
    """Tell whether pictures are coloured as this module does; weights that learned from rasters see their pixels."""
    return isinstance(system, ChromaSystem) and info.preprocessing.kind == "picture"


def shrink(gray: NDArray[Any], size: Size, valid: NDArray[np.bool_] | None = None) -> Tensor:
    """Resize [C, H, W], floats in [0, 1] or integers, to [1, C, *size] in [0, 1] as crops of training are resized.

    Pixels that are not `valid` [H, W] count for nothing; where that leaves none, their surroundings are continued.
    """
    if valid is None:
        return _shrunk(gray, size).clamp(0, 1)
    share = _shrunk(valid[None].view(np.uint8) * np.uint8(255), size)
    seen = share > LEAST_SHARE
    small = _shrunk(gray, size, valid) / share.where(seen, 1)
    return torch.from_numpy(fill_invalid(small[0].clamp(0, 1).numpy(), seen[0, 0].numpy()))[None]


def _shrunk(planes: NDArray[Any], size: Size, valid: NDArray[np.bool_] | None = None) -> Tensor:
    """Resize [C, H, W] to [1, C, *size], what is not valid as 0: first the columns, strip by strip, then the rows."""
    parts = []
    for top, bottom in strips(*planes.shape[1:]):
        part = to_unit(planes[:, top:bottom])
        if valid is not None:
            part = np.where(valid[top:bottom], part, np.float32(0))
        parts.append(_resized(torch.from_numpy(part)[None], (bottom - top, size[1])))
    return _resized(torch.cat(parts, 2), size)


def _resized(planes: Tensor, size: Size) -> Tensor:
    return F.interpolate(planes, size=size, mode="bilinear", antialias=True)


def predict_photo(
    model: PhotoModel,
    gray: NDArray[Any],
    *,
    valid: NDArray[np.bool_] | None = None,
    guidance_for: GuidanceFor | None = None,
    upsample: Upsample = "guided",
) -> Chroma:
    """Predict the chroma of a picture, ready to be asked for at full size.

    Args:
        model: What predicts.
        gray: [1, H, W], floats in [0, 1] or integers.
        valid: [H, W], False where nothing is known of the picture, NaN included; None where all is.
        guidance_for: Called once, with the size at which the network sees the picture.
        upsample: How chroma is enlarged.

    Raises:
        InputError: If hints are given to a system that takes none, or none to one that needs them.
        OutOfMemory: If the device has too little memory.
    """
    seen = model.seen_size(*gray.shape[1:])
    small = shrink(gray, seen.shown, valid)
    guidance = guidance_for(seen.shown) if guidance_for else None
    check_guidance(model.forward.system, guidance)
    ab = model.predict(small, seen.padded, guidance)
    return upsampled(ab, lightness(small), gray.shape[1:], way=upsample)


def colorize_photo(
    model: PhotoModel,
    gray: NDArray[Any],
    *,
    valid: NDArray[np.bool_] | None = None,
    guidance_for: GuidanceFor | None = None,
    upsample: Upsample = "guided",
) -> NDArray[np.float32]:
    """Colour a picture in memory: [1, H, W] -> [3, H, W] in [0, 1], the same lightness; see `predict_photo`.

    NaN stands where the picture is not valid.
    """
    chroma = predict_photo(model, gray, valid=valid, guidance_for=guidance_for, upsample=upsample)
    rgb = np.empty((3, *gray.shape[1:]), np.float32)
    for top, bottom in strips(*gray.shape[1:]):
        rgb[:, top:bottom] = coloured_rows(chroma, gray[:, top:bottom], top)
    return rgb if valid is None else np.where(valid, rgb, np.float32(np.nan))


def coloured_rows(chroma: Chroma, gray: NDArray[Any], top: int) -> NDArray[np.float32]:
    """Colour rows of a picture: [1, n, W] from row `top` on -> [3, n, W] in [0, 1]."""
    with torch.inference_mode():
        light = lightness(torch.from_numpy(to_unit(gray))[None])
        return with_lightness(light, chroma.rows(light, top))[0].numpy()


def strips(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield first and last row of the strips of a picture."""
    rows = max(1, STRIP_PX // width)
    for top in range(0, height, rows):
        yield top, min(height, top + rows)


def guidance_at(guidance: Guidance) -> GuidanceFor:
    """Return what gives hints that are at hand as tensors, at any size."""
    return lambda size: resize_guidance(guidance, size)


def _picked(x: Tensor, places: list[Tensor]) -> Tensor:
    """Arrange rows and columns of [..., h, w]; as they are if that changes nothing."""
    rows, columns = places
    if (len(rows), len(columns)) == x.shape[-2:]:
        return x
    return x[..., rows, :][..., columns]
