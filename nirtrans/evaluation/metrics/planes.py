"""What every metric does first and last: pictures to float64 planes, masks to booleans, values to one mean."""

import numpy as np
import torch
from torch import Tensor

Picture = Tensor | np.ndarray
Mask = Tensor | np.ndarray | None
LUMA = (0.299, 0.587, 0.114)


def planes(picture: Picture) -> Tensor:
    """Bring a picture to float64 [C, H, W].

    Raises:
        ValueError: If it is not one picture of floats.
    """
    if isinstance(picture, np.ndarray):
        picture = torch.from_numpy(np.ascontiguousarray(picture)).movedim(-1, 0)
    if picture.dim() == 4 and len(picture) == 1:
        picture = picture[0]
    if picture.dim() != 3 or not picture.is_floating_point():
        got = f"{picture.dtype} {tuple(picture.shape)}"
        raise ValueError(f"expected one float picture, torch [3, H, W] or NumPy [H, W, 3], got {got}")
    return picture.detach().to("cpu", torch.float64)


def pair(prediction: Picture, truth: Picture) -> tuple[Tensor, Tensor]:
    """Bring prediction and truth to float64 [C, H, W].

    Raises:
        ValueError: If one is not a picture of floats, or they differ in shape.
    """
    a, b = planes(prediction), planes(truth)
    if a.shape != b.shape:
        raise ValueError(f"prediction {tuple(a.shape)} and truth {tuple(b.shape)} differ in shape")
    return a, b


def mask(valid: Mask, like: Tensor) -> Tensor:
    """Return the mask as bool [H, W], all True if there is none."""
    if valid is None:
        return torch.ones(like.shape[-2:], dtype=torch.bool)
    return torch.as_tensor(valid).to("cpu", torch.bool).reshape(like.shape[-2:])


def mean(values: Tensor, valid: Tensor) -> float:
    """Average [C, H, W] or [H, W] over channels and valid pixels; NaN if there are none."""
    return values[..., valid].mean().item()


def quantile(values: Tensor, valid: Tensor, share: float) -> float:
    """Return a quantile of [H, W] over valid pixels, interpolated linearly; NaN if there are none."""
    known = values[valid].numpy()
    return float(np.quantile(known, share)) if known.size else float("nan")


def luma(picture: Tensor) -> Tensor:
    """Return 0.299 R + 0.587 G + 0.114 B, [1, H, W]."""
    red, green, blue = picture
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[None]


def excluded(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the share of pixels that the mask takes out of every metric."""
    a, _ = pair(prediction, truth)
    return 1 - mask(valid, a).double().mean().item()
