"""What the SSIM family accepts, checked once for all its functions."""

from typing import Any

import torch
from torch import Tensor

from nirtrans.arguments import check_fits, check_window
from nirtrans.kernels._checks import check_float, check_one_device, check_planes
from nirtrans.kernels.reference.ssim import Window


def make_window(
    operator: str,
    data_range: float,
    size: int,
    sigma: float,
    padding: str,
    constants: tuple[float, float] = (0.01, 0.03),
) -> Window:
    """Check what defines a map.

    Raises:
        TypeError: If data_range or sigma is no number.
        ValueError: If one of the options is out of range.
    """
    check_window(operator, data_range, size, sigma, padding)
    c1, c2 = ((constant * data_range) ** 2 for constant in constants)
    return Window(size, float(sigma), padding, c1, c2)


def prepare(operator: str, x: Any, y: Any, mask: Any, window: Window) -> tuple[Tensor, Tensor, Tensor | None]:
    """Check a pair of images; return it in one dtype, with the mask as contiguous (N, 1, H, W).

    Raises:
        TypeError: If an image is not floating point or the mask not bool.
        ValueError: If shapes or devices differ, or images are smaller than the window.
    """
    for name, image in (("x", x), ("y", y)):
        check_float(image, operator, name, f"scale 8-bit images to [0, 1] with {name}.float() / 255")
        check_planes(image, operator, name)
    if x.shape != y.shape:
        raise ValueError(
            f"{operator}: expected images of one shape, got {tuple(x.shape)} and {tuple(y.shape)}; crop or resize one"
        )
    check_one_device(operator, x=x, y=y, mask=mask if isinstance(mask, Tensor) else None)
    check_fits(operator, x.shape[2:], window.size, window.padding)
    if x.dtype != y.dtype:
        common = torch.float64 if torch.float64 in (x.dtype, y.dtype) else torch.float32
        x, y = x.to(common), y.to(common)
    return x, y, None if mask is None else full_mask(operator, mask, x)


def full_mask(operator: str, mask: Any, x: Tensor) -> Tensor:
    """Return the mask as contiguous (N, 1, H, W).

    Raises:
        TypeError: If it is not bool.
        ValueError: If it cannot be broadcast to that shape.
    """
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        got = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"{operator}: expected a bool tensor as mask, got {got}; True marks valid pixels")
    wanted = (x.shape[0], 1, x.shape[2], x.shape[3])
    try:
        return mask.expand(wanted).contiguous()
    except RuntimeError:
        raise ValueError(
            f"{operator}: expected a mask broadcastable to {wanted}, got {tuple(mask.shape)}; one mask "
            "serves all channels"
        ) from None
