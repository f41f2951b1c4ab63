"""What the kernels accept, checked in Python: a check in C++ would arrive as a bare RuntimeError (stable ABI)."""

import torch
from torch import Tensor

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def check_colour_image(image: Tensor, operator: str, argument: str) -> None:
    """Raise unless `image` is a floating-point tensor (..., 3, H, W).

    Raises:
        TypeError: If it is no tensor or not floating point.
        ValueError: If it has fewer than three dimensions or not three channels.
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"{operator}: expected a torch.Tensor as {argument}, got {type(image).__name__}")
    if image.dtype not in FLOATS:
        raise TypeError(
            f"{operator}: expected float16, bfloat16, float32 or float64, got {image.dtype}; "
            f"scale 8-bit images to [0, 1] with {argument}.float() / 255"
        )
    if image.dim() < 3 or image.shape[-3] != 3:
        raise ValueError(
            f"{operator}: expected {argument} of shape (..., 3, H, W), got {tuple(image.shape)}; "
            "move the channels before height and width, without alpha"
        )
