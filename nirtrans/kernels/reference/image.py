"""Integer images to normalised Lab and back in plain torch."""

import torch
from torch import Tensor

from nirtrans.kernels.reference.color import lab_to_rgb, rgb_to_lab


def image_to_lab(
    image: Tensor,
    *,
    l_norm: tuple[float, float] = (50.0, 50.0),
    ab_norm: float = 110.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Convert (..., H, W, 3) uint8 or uint16 to normalised Lab (..., 3, H, W); see `nirtrans.kernels.image_to_lab`."""
    real = torch.float64 if dtype == torch.float64 else torch.float32
    rgb = image.movedim(-1, -3).contiguous().to(real) / top(image.dtype)
    offset, scale = _norms(l_norm, ab_norm, rgb)
    return ((rgb_to_lab(rgb) - offset) / scale).to(dtype)


def lab_to_image(
    lab: Tensor,
    *,
    l_norm: tuple[float, float] = (50.0, 50.0),
    ab_norm: float = 110.0,
    dtype: torch.dtype = torch.uint8,
) -> Tensor:
    """Convert normalised Lab (..., 3, H, W) to (..., H, W, 3) uint8 or uint16; see `nirtrans.kernels.lab_to_image`."""
    wide = lab if lab.dtype == torch.float64 else lab.float()
    offset, scale = _norms(l_norm, ab_norm, wide)
    rgb = lab_to_rgb(wide * scale + offset).nan_to_num(nan=0.0)
    return (rgb * top(dtype)).round().to(torch.int32).to(dtype).movedim(-3, -1).contiguous()


def top(dtype: torch.dtype) -> int:
    """Return the level that stands for 1."""
    return {torch.uint8: 255, torch.uint16: 65535}[dtype]


def _norms(l_norm: tuple[float, float], ab_norm: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Offset and scale per channel, (3, 1, 1)."""
    offset = like.new_tensor([l_norm[0], 0.0, 0.0]).view(3, 1, 1)
    return offset, like.new_tensor([l_norm[1], ab_norm, ab_norm]).view(3, 1, 1)
