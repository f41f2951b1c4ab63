"""Pictures for reports: source, colours, truth and a map of their difference, as PNG data inside the page."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE_PX = 320
ERROR_TOP = 0.25
"""Mean absolute error over the channels that reaches the end of the ramp."""
RAMP = ((13, 8, 35), (92, 22, 110), (187, 55, 84), (249, 142, 9), (252, 255, 190))
"""Dark for equal, bright for wrong; lightness rises evenly, so that it reads in print and by the colour-blind."""


def data_uri(picture: NDArray[np.float32], valid: NDArray[np.bool_] | None = None) -> str:
    """Encode [1 or 3, H, W] in [0, 1] as a PNG data URI of at most 320 px; invalid pixels are transparent."""
    rgb = np.broadcast_to(np.nan_to_num(picture), (3, *picture.shape[1:])).clip(0, 1)
    samples = (255 * rgb).round().astype(np.uint8).transpose(1, 2, 0)
    if valid is not None and not valid.all():
        samples = np.concatenate([samples, 255 * valid[..., None].astype(np.uint8)], axis=2)
    image = Image.fromarray(np.ascontiguousarray(samples))
    image.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def error_map(colours: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Show the mean absolute error over the channels by the ramp, [3, H, W] in [0, 1]."""
    error = np.abs(np.nan_to_num(colours) - truth).mean(axis=0)
    position = np.linspace(0, ERROR_TOP, len(RAMP))
    return np.stack([np.interp(error, position, channel) for channel in np.array(RAMP).T / 255]).astype(np.float32)


def ramp_css() -> str:
    """Return the ramp as the stops of a CSS gradient."""
    return ", ".join(f"rgb{colour}" for colour in RAMP)
