"""What the SSIM family accepts, checked once for all its functions."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nirtrans.kernels._checks import check_float, check_numbers, check_one_device, check_planes
from nirtrans.kernels._ssim_ops import PADDINGS
from nirtrans.kernels.reference.ssim import Window, smallest_side

LARGEST_WINDOW = 33


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
    check_numbers(operator, data_range=data_range, sigma=sigma)
    if not 0 < data_range < float("inf"):
        raise ValueError(f"{operator}: expected a positive data_range, got {data_range}; 1 for images in [0, 1]")
    if not isinstance(size, int) or size % 2 == 0 or not 3 <= size <= LARGEST_WINDOW:
        raise ValueError(f"{operator}: expected an odd window_size from 3 to {LARGEST_WINDOW}, got {size}; 11 is usual")
    if not 0 < sigma < float("inf"):
        raise ValueError(f"{operator}: expected a positive sigma, got {sigma}; 1.5 is usual")
    if padding not in PADDINGS:
        raise ValueError(f"{operator}: expected padding 'valid', 'reflect' or 'zero', got {padding!r}; choose one")
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
    _check_size(operator, x, window)
    if x.dtype != y.dtype:
        common = torch.float64 if torch.float64 in (x.dtype, y.dtype) else torch.float32
        x, y = x.to(common), y.to(common)
    return x, y, None if mask is None else full_mask(operator, mask, x)


def _check_size(operator: str, x: Tensor, window: Window) -> None:
    least = {"valid": window.size, "reflect": window.size // 2 + 1, "zero": 1}[window.padding]
    if min(x.shape[2:]) < least:
        raise ValueError(
            f"{operator}: expected height and width of at least {least} for a window of {window.size} with padding "
            f"{window.padding!r}, got {x.shape[2]} x {x.shape[3]}; use a smaller window_size or another padding"
        )


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


def check_levels(x: Tensor, weights: Sequence[float], size: int) -> None:
    """Raise unless there are weights and images (N, C, H, W) are large enough for as many levels.

    Raises:
        TypeError: If the weights are no sequence of numbers.
        ValueError: If a side is too short; the message proposes fewer weights.
    """
    if not hasattr(weights, "__len__"):
        raise TypeError(f"ms_ssim: expected one weight per level, got {type(weights).__name__}; give a tuple")
    check_numbers("ms_ssim", **{f"weights[{i}]": weight for i, weight in enumerate(weights)})
    levels = len(weights)
    if levels < 1:
        raise ValueError("ms_ssim: expected at least one weight, got none; leave weights out for the usual five")
    if min(x.shape[2:]) < smallest_side(levels, size):
        most = max((n for n in range(1, levels) if min(x.shape[2:]) >= smallest_side(n, size)), default=0)
        advice = f"use at most {most} weights" if most else f"use ssim with a window_size below {size}"
        raise ValueError(
            f"ms_ssim: expected height and width above {smallest_side(levels, size) - 1} for {levels} levels, got "
            f"{x.shape[2]} x {x.shape[3]}; {advice}"
        )


def check_reduction(operator: str, reduction: str, known: Sequence[str]) -> None:
    """Raise unless the reduction is known.

    Raises:
        ValueError: If it is not.
    """
    if reduction not in known:
        names = ", ".join(map(repr, known))
        raise ValueError(f"{operator}: expected reduction {names}, got {reduction!r}; choose one of them")
