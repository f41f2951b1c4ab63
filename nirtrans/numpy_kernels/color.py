"""sRGB to CIE Lab and back on NumPy arrays."""

import numpy as np
from numpy.typing import NDArray

from nirtrans.arguments import check_flag
from nirtrans.numpy_kernels._checks import check_floats
from nirtrans.numpy_kernels._ops import ops, thread_count


def rgb_to_lab(rgb: NDArray[np.floating], *, threads: int | None = None) -> NDArray[np.floating]:
    """Convert sRGB to CIE Lab; see `nirtrans.kernels.rgb_to_lab`.

    Args:
        rgb: sRGB, (..., 3, H, W), nominally [0, 1], float32 or float64. Views of (..., H, W, 3) are read in place.
        threads: CPU threads; all that the process may use if None. The result does not depend on them.

    Returns:
        Lab in CIE units, (..., 3, H, W), in the dtype and memory order of `rgb`.

    Raises:
        TypeError: If rgb is not a float32 or float64 array.
        ValueError: If rgb is not (..., 3, H, W), or threads is less than 1.

    Source: IEC 61966-2-1; CIE 15:2004.

    Example:
        >>> rgb_to_lab(np.ones((3, 1, 1), np.float32)).ravel().tolist()
        [100.0, 0.0, 0.0]
    """
    image, lab, interleaved = _prepare(rgb, "rgb_to_lab", "rgb")
    ops.rgb_to_lab(image, lab, interleaved, thread_count(threads, image.size // 3, "rgb_to_lab"))
    return lab


def lab_to_rgb(lab: NDArray[np.floating], *, clip: bool = True, threads: int | None = None) -> NDArray[np.floating]:
    """Convert CIE Lab to sRGB; see `nirtrans.kernels.lab_to_rgb`.

    Args:
        lab: Lab in CIE units, (..., 3, H, W), float32 or float64. Views of (..., H, W, 3) are read in place.
        clip: Clamp the result to [0, 1].
        threads: CPU threads; all that the process may use if None. The result does not depend on them.

    Returns:
        sRGB, (..., 3, H, W), in the dtype and memory order of `lab`.

    Raises:
        TypeError: If lab is not a float32 or float64 array.
        ValueError: If lab is not (..., 3, H, W), or threads is less than 1.

    Source: IEC 61966-2-1; CIE 15:2004.

    Example:
        >>> lab_to_rgb(np.zeros((3, 1, 1), np.float32)).ravel().tolist()
        [0.0, 0.0, 0.0]
    """
    image, rgb, interleaved = _prepare(lab, "lab_to_rgb", "lab")
    check_flag("lab_to_rgb", "clip", clip)
    ops.lab_to_rgb(image, rgb, clip, interleaved, thread_count(threads, image.size // 3, "lab_to_rgb"))
    return rgb


def check_colour_image(image: NDArray[np.floating], operator: str, argument: str) -> tuple[np.ndarray, bool]:
    """Check a colour image; return it in a layout that the kernels read, and whether its colours are interleaved.

    Raises:
        TypeError: If it is not a float32 or float64 array.
        ValueError: If it is not (..., 3, H, W).
    """
    check_floats(image, operator, argument, "image_to_lab takes uint8 and uint16 images (..., H, W, 3)")
    if image.ndim < 3 or image.shape[-3] != 3:
        raise ValueError(
            f"{operator}: expected {argument} of shape (..., 3, H, W), got {image.shape}; "
            "move the channels before height and width, without alpha"
        )
    interleaved = not image.flags.c_contiguous and np.moveaxis(image, -3, -1).flags.c_contiguous
    return (image if interleaved else np.ascontiguousarray(image)), interleaved


def _prepare(image: NDArray[np.floating], operator: str, argument: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Check a colour image; return it in a readable layout, an output like it, and whether colours are interleaved."""
    image, interleaved = check_colour_image(image, operator, argument)
    if interleaved:
        return image, np.moveaxis(np.empty_like(np.moveaxis(image, -3, -1), order="C"), -1, -3), True
    return image, np.empty_like(image, order="C"), False
