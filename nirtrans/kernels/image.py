"""8-bit and 16-bit images to normalised Lab and back in one pass: what colorization networks read and write.

Not differentiable. What a round trip keeps of the 2^24 colours of 8 bits: all of them with float32 between; with
normalised float16 0.6 % move by one level; with bfloat16 23 % move, by up to 10 levels.
"""

from typing import Any

import torch
from torch import Tensor
from torch.library import register_fake

from nirtrans.arguments import check_norms
from nirtrans.kernels import _library, reference
from nirtrans.kernels._checks import check_colour_image, check_dense

LEVELS = (torch.uint8, torch.uint16)
LAB_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def image_to_lab(
    image: Tensor,
    *,
    l_norm: tuple[float, float] = (50.0, 50.0),
    ab_norm: float = 110.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Convert an sRGB image as decoders give it to normalised CIE Lab.

    Args:
        image: sRGB, (..., H, W, 3), uint8 or uint16 with all levels in use.
        l_norm: (o, s) of (L - o) / s; the default gives [-1, 1], (0, 1) CIE units.
        ab_norm: n of a / n and b / n; 1 gives CIE units.
        dtype: Of the result: float32, bfloat16 or float16; computed in float32.

    Returns:
        Normalised Lab, (..., 3, H, W), contiguous.

    Raises:
        TypeError: If image is not a uint8 or uint16 tensor, or dtype not one of the three.
        ValueError: If image is not (..., H, W, 3), or a norm is zero or not finite.

    Source: IEC 61966-2-1; CIE 15:2004.

    Example:
        >>> image_to_lab(torch.full((1, 1, 3), 255, dtype=torch.uint8)).flatten().tolist()
        [1.0, 0.0, 0.0]
    """
    _check_image(image)
    check_norms("image_to_lab", l_norm, ab_norm)
    if dtype not in LAB_DTYPES:
        raise TypeError(f"image_to_lab: expected dtype float32, bfloat16 or float16, got {dtype}; choose one of them")
    numbers = (float(l_norm[0]), float(l_norm[1]), float(ab_norm))
    if _library.compiled_for(image.device):
        return torch.ops.nirtrans.image_to_lab(image, *numbers, dtype)
    return reference.image_to_lab(image, l_norm=l_norm, ab_norm=ab_norm, dtype=dtype)


def lab_to_image(
    lab: Tensor,
    *,
    l_norm: tuple[float, float] = (50.0, 50.0),
    ab_norm: float = 110.0,
    dtype: torch.dtype = torch.uint8,
) -> Tensor:
    """Convert normalised CIE Lab to an sRGB image, clipped and rounded to the nearest level, ties to even.

    Args:
        lab: Normalised Lab, (..., 3, H, W); float64 computes in float64, all other dtypes in float32.
        l_norm: (o, s) of (L - o) / s.
        ab_norm: n of a / n and b / n.
        dtype: Of the result: uint8 or uint16.

    Returns:
        sRGB, (..., H, W, 3), contiguous. NaN becomes 0.

    Raises:
        TypeError: If lab is not a floating-point tensor, or dtype not one of the two.
        ValueError: If lab is not (..., 3, H, W) or requires gradients, or a norm is zero or not finite.

    Source: IEC 61966-2-1; CIE 15:2004.

    Example:
        >>> lab_to_image(torch.tensor([1.0, 0.0, 0.0]).reshape(3, 1, 1)).flatten().tolist()
        [255, 255, 255]
    """
    check_colour_image(lab, "lab_to_image", "lab")
    check_norms("lab_to_image", l_norm, ab_norm)
    if dtype not in LEVELS:
        raise TypeError(f"lab_to_image: expected dtype uint8 or uint16, got {dtype}; choose one of them")
    if lab.requires_grad and torch.is_grad_enabled():
        raise ValueError("lab_to_image: not differentiable; give lab.detach(), or use lab_to_rgb for gradients")
    numbers = (float(l_norm[0]), float(l_norm[1]), float(ab_norm))
    if _library.compiled_for(lab.device):
        return torch.ops.nirtrans.lab_to_image(lab, *numbers, dtype)
    return reference.lab_to_image(lab, l_norm=l_norm, ab_norm=ab_norm, dtype=dtype)


def _check_image(image: Any) -> None:
    check_dense(image, "image_to_lab", "image")
    if image.dtype not in LEVELS:
        raise TypeError(
            f"image_to_lab: expected uint8 or uint16, got {image.dtype}; for float images in [0, 1] use rgb_to_lab"
        )
    if image.dim() < 3 or image.shape[-1] != 3:
        advice = "drop alpha with image[..., :3]" if image.shape[-1:] == (4,) else "put the colours last"
        raise ValueError(f"image_to_lab: expected image of shape (..., H, W, 3), got {tuple(image.shape)}; {advice}")


def _fake_lab(image: Tensor, offset: float, l_scale: float, ab_scale: float, dtype: torch.dtype) -> Tensor:
    *leading, height, width, _ = image.shape
    return image.new_empty((*leading, 3, height, width), dtype=dtype)


def _fake_image(lab: Tensor, offset: float, l_scale: float, ab_scale: float, dtype: torch.dtype) -> Tensor:
    *leading, _, height, width = lab.shape
    return lab.new_empty((*leading, height, width, 3), dtype=dtype)


if _library.REASON is None:
    register_fake("nirtrans::image_to_lab", _fake_lab)
    register_fake("nirtrans::lab_to_image", _fake_image)
