"""Pictures for reports: source, colours, truth and maps of their difference, as JPEG data inside the page."""

import base64
import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from nirtrans.data.derive import luma
from nirtrans.evaluation.metrics import angle_map

SIDE_PX = 320
QUALITY = 88
BLANK = 0.53
"""Grey of pixels without a value."""
LUMA_TOP = 0.25
"""Difference in luma that reaches the end of the ramp, of full scale."""
ANGLE_TOP_DEG = 20.0
"""Angle that reaches the end of the ramp."""
RAMP = ((13, 8, 35), (92, 22, 110), (187, 55, 84), (249, 142, 9), (252, 255, 190))
"""Dark for equal, bright for wrong; lightness rises evenly, so that it reads in print and by the colour-blind."""


def data_uri(picture: NDArray[np.float32], valid: NDArray[np.bool_] | None = None) -> str:
    """Encode [1 or 3, H, W] in [0, 1] as a JPEG data URI of at most 320 px; what is invalid or NaN is grey."""
    rgb = np.broadcast_to(picture, (3, *picture.shape[1:]))
    known = np.isfinite(rgb).all(axis=0) if valid is None else np.isfinite(rgb).all(axis=0) & valid
    samples = (255 * np.where(known, rgb, BLANK).clip(0, 1)).round().astype(np.uint8).transpose(1, 2, 0)
    image = Image.fromarray(np.ascontiguousarray(samples))
    image.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY, subsampling=0)  # with optimize=True Pillow fails on noise
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def luma_error(colours: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Show the absolute difference in luma by the ramp, [3, H, W] in [0, 1]."""
    return _ramped(np.abs(luma(colours)[0] - luma(truth)[0]), LUMA_TOP)


def angle_error(colours: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Show the angle between the RGB vectors by the ramp, [3, H, W] in [0, 1], NaN where either is too dark for one."""
    angles = angle_map(*(torch.from_numpy(np.array(picture)) for picture in (colours, truth)))
    return _ramped(angles.numpy(), ANGLE_TOP_DEG)


def _ramped(error: NDArray[np.floating], top: float) -> NDArray[np.float32]:
    position = np.linspace(0, top, len(RAMP))
    return np.stack([np.interp(error, position, channel) for channel in np.array(RAMP).T / 255]).astype(np.float32)


def ramp_css() -> str:
    """Return the ramp as the stops of a CSS gradient."""
    return ", ".join(f"rgb{colour}" for colour in RAMP)
