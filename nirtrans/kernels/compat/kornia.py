"""Drop-in for some of kornia: `from nirtrans.kernels.compat.kornia import rgb_to_lab, lab_to_rgb, ssim_loss`.

Lab differs from kornia's by at most 6e-3 because of the white point (see `nirtrans.kernels.lab`), sRGB by 2e-3. Colours
with L + 16 < 0.58 b, which no sRGB colour has, differ by more: kornia sets their negative Z to 0.
"""

from typing import Any

from torch import Tensor, nn

from nirtrans import kernels

LARGEST_EPS = 1e-10


def rgb_to_lab(image: Tensor) -> Tensor:
    """Convert sRGB (..., 3, H, W) in [0, 1] to Lab; see `nirtrans.kernels.rgb_to_lab`."""
    return kernels.rgb_to_lab(image)


def lab_to_rgb(image: Tensor, clip: bool = True) -> Tensor:
    """Convert Lab (..., 3, H, W) to sRGB; see `nirtrans.kernels.lab_to_rgb`."""
    return kernels.lab_to_rgb(image, clip=clip)


class RgbToLab(nn.Module):
    """`rgb_to_lab` as a module."""

    def forward(self, image: Tensor) -> Tensor:
        """Convert (..., 3, H, W)."""
        return rgb_to_lab(image)


class LabToRgb(nn.Module):
    """`lab_to_rgb` as a module."""

    def forward(self, image: Tensor, clip: bool = True) -> Tensor:
        """Convert (..., 3, H, W)."""
        return lab_to_rgb(image, clip)


def ssim_loss(
    img1: Tensor,
    img2: Tensor,
    window_size: int,
    max_val: float = 1.0,
    eps: float = 1e-12,
    reduction: str = "mean",
    padding: str = "same",
) -> Tensor:
    """Return (1 - SSIM) / 2 of (N, C, H, W), clamped to [0, 1]; see `nirtrans.kernels.ssim`.

    Args:
        img1: Images in [0, max_val].
        img2: As img1.
        window_size: Odd, 3 to 33; sigma is 1.5.
        max_val: R of the constants.
        eps: Too small to change anything: our denominators cannot vanish. At most 1e-10.
        reduction: "mean", "sum" or "none" for the map.
        padding: "same" mirrors at the border, "valid" leaves it out.

    Raises:
        TypeError: If an image is not floating point.
        ValueError: If shapes or options do not fit.
    """
    if padding not in ("same", "valid"):
        raise ValueError(f"ssim_loss: expected padding 'same' or 'valid', got {padding!r}; choose one of them")
    if not 0 <= eps <= LARGEST_EPS:
        raise ValueError(f"ssim_loss: expected eps from 0 to {LARGEST_EPS}, got {eps}; leave it out")
    options: dict[str, Any] = {
        "window_size": window_size,
        "data_range": max_val,
        "padding": {"same": "reflect"}.get(padding, padding),
    }
    # s lies in [-1, 1], hence (1 - s) / 2 in [0, 1]: the clamp of the original is there already.
    if reduction == "sum":
        return kernels.SSIMLoss(**options, reduction="sum")(img1, img2) / 2
    value = kernels.ssim(img1, img2, reduction=reduction, **options)
    return (1 - value) / 2
