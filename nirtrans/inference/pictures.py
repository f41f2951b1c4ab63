"""Colorize one picture file: size, alpha, EXIF and a colour profile that fits are kept."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nirtrans.color.luma import LUMA
from nirtrans.errors import DataError
from nirtrans.inference.colorizer import Colorizer, to_network_range
from nirtrans.inference.photo import PhotoOptions
from nirtrans.inference.scene import ArrayScene, are_numbers
from nirtrans.io.images import Image, read_image, write_image

log = logging.getLogger("nirtrans")
MAX_PIXELS = 10**9
STRIP_BYTES = 2**22
"""Samples that are looked at together, so that no copy of a large picture is made."""


@dataclass(frozen=True)
class PictureOptions:
    """How picture files are read and written.

    Attributes:
        dtype: Samples of the result; None for those of the source where lightness is kept and the format holds them,
            else uint8.
        max_pixels: Larger pictures are refused.
        photo: How pictures are coloured whose lightness stays.
    """

    dtype: Literal["uint8", "uint16"] | None = None
    max_pixels: int = MAX_PIXELS
    photo: PhotoOptions = field(default_factory=PhotoOptions)


@dataclass
class Remarks:
    """What was noticed of the sources of a run, told once at its end."""

    colour: list[Path] = field(default_factory=list)
    paged: list[Path] = field(default_factory=list)

    def tell(self) -> None:
        """Warn of colour pictures that were taken as gray and of animations."""
        for paths, words in (
            (self.colour, "colour, of which the luma was taken"),
            (self.paged, "several pictures in one file, of which the first was taken"),
        ):
            if paths:
                more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
                log.warning("%s%s: %s", min(paths), more, words)


def colorize_picture(
    colorizer: Colorizer,
    source: Path,
    target: Path,
    options: PictureOptions,
    remarks: Remarks,
) -> None:
    """Write a colour picture beside a source of one channel.

    Args:
        colorizer: Weights.
        source: A picture; a colour file must be gray unless the weights take gray, which is then its luma.
        target: Its suffix decides the format.
        options: See the class.
        remarks: Where to note what is unusual.

    Raises:
        DataError: If the source is unreadable or colour where one channel is expected.
        InputError: If the target cannot be written or its format cannot hold the samples.
    """
    dtype = options.dtype or "uint8"
    image, planes = read_planes(colorizer, source, options, remarks)
    unit = to_network_range(planes, colorizer.info)
    valid = are_numbers(unit)
    if image.alpha is not None:
        valid &= image.alpha > 0
    rgb = colorizer.colorize_array(ArrayScene(unit, None if valid.all() else valid))
    top = np.iinfo(dtype).max
    write_colours(target, np.nan_to_num(rgb * top).round().astype(dtype).transpose(1, 2, 0), image)


def read_planes(
    colorizer: Colorizer, source: Path, options: PictureOptions, remarks: Remarks
) -> tuple[Image, NDArray[Any]]:
    """Decode a picture and return it with [C, H, W], as stored, of the channels that the weights take."""
    image = read_image(source, max_pixels=options.max_pixels)
    if image.frames > 1:
        remarks.paged.append(source)
    pixels, wanted = image.pixels, colorizer.system.in_channels
    if pixels.shape[2] == 3 and wanted == 1:
        if is_coloured(pixels):
            domain = colorizer.info.run.domain
            if domain != "gray":
                raise DataError(f"{source}: a colour picture, but these weights translate {domain}; give one channel")
            remarks.colour.append(source)
            pixels = to_luma(pixels)
        pixels = pixels[..., :1]
    if pixels.shape[2] != wanted:
        raise DataError(f"{source}: has {pixels.shape[2]} channel(s), these weights take {wanted}")
    return image, pixels.transpose(2, 0, 1)


def write_colours(target: Path, rgb: NDArray[Any], image: Image) -> None:
    """Write [H, W, 3] with alpha, EXIF and the profile of its source; raises as `write_image`."""
    alpha = _as_type(image.alpha, rgb.dtype)
    write_image(target, rgb, alpha=alpha, icc=_rgb_profile(image.icc), exif=image.exif)


def is_coloured(pixels: NDArray[Any]) -> bool:
    """Tell whether the channels of [H, W, 3] differ anywhere."""
    return any(bool((part[..., 1:] != part[..., :1]).any()) for part in _parts(pixels))


def to_luma(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the luma of [H, W, 3] as [H, W, 1] of the same type, integers rounded."""
    luma = np.empty((*pixels.shape[:2], 1), pixels.dtype)
    top = 0
    for part in _parts(pixels):
        weighted = part @ np.array(LUMA)
        luma[top : top + len(part), :, 0] = weighted.round() if pixels.dtype.kind == "u" else weighted
        top += len(part)
    return luma


def _parts(pixels: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut [H, W, C] into strips of rows."""
    rows = max(1, STRIP_BYTES // pixels[0].nbytes)
    return [pixels[top : top + rows] for top in range(0, len(pixels), rows)]


def _as_type(alpha: NDArray | None, dtype: np.dtype) -> NDArray | None:
    """Bring alpha to the samples' type, its whole range kept; exact between 8 and 16 bits."""
    if alpha is None or alpha.dtype == dtype:
        return alpha
    top = 1.0 if alpha.dtype.kind == "f" else float(np.iinfo(alpha.dtype).max)
    return (alpha / top * np.iinfo(dtype).max).round().astype(dtype)


def _rgb_profile(icc: bytes | None) -> bytes | None:
    """Keep a profile of RGB; one of gray does not describe the result. Bytes 16 to 19 name the colour space (ICC.1)."""
    return icc if icc and icc[16:20] == b"RGB " else None
