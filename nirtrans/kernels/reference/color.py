"""sRGB to CIE Lab and back in plain torch.

Formulas: sRGB of IEC 61966-2-1, CIE 1976 L*a*b* with the exact constants eps = 216/24389 and kappa = 24389/27, where
the piecewise function f is continuous with continuous slope.
"""

import torch
from torch import Tensor

SRGB_LINEAR_BELOW = 0.04045
LINEAR_BELOW = 0.0031308
CIE_EPS = 216 / 24389
CIE_KAPPA = 24389 / 27

# sRGB primaries and D65 white with six decimals, as OpenCV, scikit-image and kornia use them.
RGB_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
# Each row divided by its own sum, which is the white point: equal channels then give X = Y = Z.
RGB_TO_XYZ_WHITE = tuple(tuple(value / sum(row) for value in row) for row in RGB_TO_XYZ)
XYZ_WHITE_TO_RGB = torch.linalg.inv(torch.tensor(RGB_TO_XYZ_WHITE, dtype=torch.float64)).tolist()


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert sRGB to CIE Lab in plain torch; see `nirtrans.kernels.rgb_to_lab`.

    Args:
        rgb: sRGB, (..., 3, H, W), nominally [0, 1].

    Returns:
        Lab in CIE units, (..., 3, H, W), in the dtype and memory format of `rgb`.

    Source: IEC 61966-2-1; CIE 15:2004.
    """
    red, green, blue = srgb_to_linear(_widen(rgb)).unbind(-3)
    # Rows sum to one, so differences to blue keep grey exactly grey.
    fx, fy, fz = (_cie_f(blue + r * (red - blue) + g * (green - blue)) for r, g, _ in RGB_TO_XYZ_WHITE)
    return _join((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), like=rgb)


def lab_to_rgb(lab: Tensor, *, clip: bool = True) -> Tensor:
    """Convert CIE Lab to sRGB in plain torch; see `nirtrans.kernels.lab_to_rgb`.

    Args:
        lab: Lab in CIE units, (..., 3, H, W).
        clip: Clamp the result to [0, 1].

    Returns:
        sRGB, (..., 3, H, W), in the dtype and memory format of `lab`.

    Source: IEC 61966-2-1; CIE 15:2004.
    """
    lightness, a, b = _widen(lab).unbind(-3)
    fy = (lightness + 16) / 116
    x, y, z = (_cie_f_inverse(u) for u in (fy + a / 500, fy, fy - b / 200))
    rgb = [linear_to_srgb(row[0] * x + row[1] * y + row[2] * z) for row in XYZ_WHITE_TO_RGB]
    return _join([channel.clamp(0, 1) for channel in rgb] if clip else rgb, like=lab)


def is_interleaved(image: Tensor) -> bool:
    """Tell whether (..., 3, H, W) lies in memory as (..., H, W, 3) and not as (..., 3, H, W)."""
    return not image.is_contiguous() and image.movedim(-3, -1).is_contiguous()


def _widen(image: Tensor) -> Tensor:
    return image if image.dtype == torch.float64 else image.float()


def _join(channels: tuple[Tensor, ...] | list[Tensor], *, like: Tensor) -> Tensor:
    if is_interleaved(like):
        return torch.stack(tuple(channels), dim=-1).to(like.dtype).movedim(-1, -3)
    return torch.stack(tuple(channels), dim=-3).to(like.dtype)


# In each pair of branches the argument of the unused one is replaced before the power is taken:
# its derivative may be infinite, and infinity times the zero of the selection would be NaN.


def srgb_to_linear(c: Tensor) -> Tensor:
    """Undo the transfer curve of sRGB, any shape; below 0 its linear branch continues."""
    low = c <= SRGB_LINEAR_BELOW
    return torch.where(low, c / 12.92, ((torch.where(low, 1.0, c) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(lin: Tensor) -> Tensor:
    """Apply the transfer curve of sRGB, any shape; below 0 its linear branch continues."""
    low = lin <= LINEAR_BELOW
    return torch.where(low, 12.92 * lin, 1.055 * torch.where(low, 1.0, lin) ** (1 / 2.4) - 0.055)


def _cie_f(t: Tensor) -> Tensor:
    low = t <= CIE_EPS
    return torch.where(low, (CIE_KAPPA * t + 16) / 116, torch.where(low, 1.0, t) ** (1 / 3))


def _cie_f_inverse(u: Tensor) -> Tensor:
    low = u <= 6 / 29
    return torch.where(low, (116 * u - 16) / CIE_KAPPA, torch.where(low, 1.0, u) ** 3)
