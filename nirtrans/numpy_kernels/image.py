"""Integer sRGB images to normalised Lab and back on NumPy arrays."""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nirtrans.arguments import check_norms
from nirtrans.numpy_kernels._checks import check_dtype
from nirtrans.numpy_kernels._ops import ops, thread_count
from nirtrans.numpy_kernels.color import check_colour_image

LEVELS = (np.uint8, np.uint16)


def image_to_lab(
    image: NDArray[np.unsignedinteger],
    *,
    l_norm: tuple[float, float] = (50.0, 50.0),
    ab_norm: float = 110.0,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Convert an integer sRGB image to normalised Lab; see `nirtrans.kernels.image_to_lab`.

    Args:
        image: sRGB levels, (..., H, W, 3), uint8 or uint16.
        l_norm: Offset and scale of L, in CIE units.
        ab_norm: Scale of a and b, in CIE units.
        threads: CPU threads; all that the process may use if None. The result does not depend on them.

    Returns:
        Normalised Lab, (..., 3, H, W), float32.

    Raises:
        TypeError: If image is not a uint8 or uint16 array.
        ValueError: If image is not (..., H, W, 3), a norm is not finite, a scale is 0, or threads is less than 1.

    Source: IEC 61966-2-1; CIE 15:2004.

    Example:
        >>> image_to_lab(np.full((1, 1, 3), 255, np.uint8)).ravel().tolist()
        [1.0, 0.0, 0.0]
    """
    _check_levels(image)
    check_norms("image_to_lab", l_norm, ab_norm)
    *leading, height, width, _ = image.shape
    lab = np.empty((*leading, 3, height, width), np.float32)
    count = thread_count(threads, image.size // 3, "image_to_lab")
    ops.image_to_lab(np.ascontiguousarray(image), lab, *l_norm, ab_norm, count)
    return lab


def lab_to_image(
    lab: NDArray[np.floating],
    *,
    l_norm: tuple[float, float] = (50.0, 50.0),
    ab_norm: float = 110.0,
    dtype: DTypeLike = np.uint8,
    threads: int | None = None,
) -> NDArray[np.unsignedinteger]:
    """Convert normalised Lab to an integer sRGB image; see `nirtrans.kernels.lab_to_image`.

    Args:
        lab: Normalised Lab, (..., 3, H, W), float32 or float64. Views of (..., H, W, 3) are read in place.
        l_norm: Offset and scale of L, in CIE units.
        ab_norm: Scale of a and b, in CIE units.
        dtype: uint8 or uint16.
        threads: CPU threads; all that the process may use if None. The result does not depend on them.

    Returns:
        sRGB levels, (..., H, W, 3), in `dtype`.

    Raises:
        TypeError: If lab is not a float32 or float64 array, or dtype is neither uint8 nor uint16.
        ValueError: If lab is not (..., 3, H, W), a norm is not finite, a scale is 0, or threads is less than 1.

    Source: IEC 61966-2-1; CIE 15:2004.

    Example:
        >>> lab_to_image(np.array([1, 0, 0], np.float32).reshape(3, 1, 1)).ravel().tolist()
        [255, 255, 255]
    """
    source, interleaved = check_colour_image(lab, "lab_to_image", "lab")
    check_norms("lab_to_image", l_norm, ab_norm)
    if np.dtype(dtype) not in LEVELS:
        raise TypeError(f"lab_to_image: expected dtype uint8 or uint16, got {np.dtype(dtype)}; use lab_to_rgb")
    *leading, _, height, width = lab.shape
    image = np.empty((*leading, height, width, 3), dtype)
    count = thread_count(threads, lab.size // 3, "lab_to_image")
    ops.lab_to_image(source, image, *l_norm, ab_norm, interleaved, count)
    return image


def _check_levels(image: NDArray[np.unsignedinteger]) -> None:
    check_dtype(image, "image_to_lab", "image", LEVELS, "use rgb_to_lab for floats")
    if image.ndim < 3 or image.shape[-1] != 3:
        advice = "drop alpha with image[..., :3]" if image.shape[-1:] == (4,) else "move the channels last"
        raise ValueError(f"image_to_lab: expected image of shape (..., H, W, 3), got {image.shape}; {advice}")
