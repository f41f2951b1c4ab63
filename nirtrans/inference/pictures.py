"""Colorize one picture file: size, alpha, EXIF and a colour profile that fits are kept."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import DataError
from nirtrans.inference.colorizer import Colorizer, to_network_range
from nirtrans.inference.scene import ArrayScene, are_numbers
from nirtrans.io.images import Image, read_image, write_image

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as the gray sources of training are made


def colorize_picture(
    colorizer: Colorizer, source: Path, target: Path, *, dtype: Literal["uint8", "uint16"] = "uint8"
) -> None:
    """Write a colour picture beside a source of one channel.

    Args:
        colorizer: Weights.
        source: A picture; a colour file must be gray unless the weights take gray, which is then its luma.
        target: Its suffix decides the format.
        dtype: Bits per sample.

    Raises:
        DataError: If the source is unreadable or colour where one channel is expected.
        InputError: If the target cannot be written or its format cannot hold the samples.
    """
    image = read_image(source)
    planes = _planes(image, colorizer, source)
    unit = to_network_range(planes, colorizer.info)
    valid = are_numbers(unit)
    if image.alpha is not None:
        valid &= image.alpha > 0
    rgb = colorizer.colorize_array(ArrayScene(unit, None if valid.all() else valid))
    top = np.iinfo(dtype).max
    pixels = np.nan_to_num(rgb * top).round().astype(dtype).transpose(1, 2, 0)
    write_image(target, pixels, alpha=_as_type(image.alpha, dtype), icc=_rgb_profile(image.icc), exif=image.exif)


def _planes(image: Image, colorizer: Colorizer, source: Path) -> NDArray:
    """Return [C, H, W] with the channels that the weights take."""
    pixels, wanted = image.pixels, colorizer.system.in_channels
    if pixels.shape[2] == 3 and wanted == 1:
        if colorizer.info.run.domain == "gray":
            luma = (pixels @ np.array(LUMA))[..., None]
            pixels = luma.round().astype(pixels.dtype) if pixels.dtype.kind == "u" else luma.astype(np.float32)
        elif np.ptp(pixels, axis=2).any():
            domain = colorizer.info.run.domain
            raise DataError(f"{source}: a colour picture, but these weights translate {domain}; give one channel")
        pixels = pixels[..., :1]
    if pixels.shape[2] != wanted:
        raise DataError(f"{source}: has {pixels.shape[2]} channel(s), these weights take {wanted}")
    return pixels.transpose(2, 0, 1)


def _as_type(alpha: NDArray | None, dtype: str) -> NDArray | None:
    """Bring alpha to the samples' type, its whole range kept; exact between 8 and 16 bits."""
    if alpha is None or alpha.dtype == dtype:
        return alpha
    top = 1.0 if alpha.dtype.kind == "f" else float(np.iinfo(alpha.dtype).max)
    return (alpha / top * np.iinfo(dtype).max).round().astype(dtype)


def _rgb_profile(icc: bytes | None) -> bytes | None:
    """Keep a profile of RGB; one of gray does not describe the result. Bytes 16 to 19 name the colour space (ICC.1)."""
    return icc if icc and icc[16:20] == b"RGB " else None
