"""Lightness and chroma apart, and together again: what systems use that colour a picture whose lightness stays.

Lightness is L of CIE Lab, 0 to 100, chroma its a and b in CIE units. A gray source in [0, 1] is shown as R = G = B, and
L is that of this grey.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.color.luma import into_gamut
from nirtrans.kernels import lab_to_rgb, rgb_to_lab


def lightness(source: Tensor) -> Tensor:
    """Return L of gray pictures: [N, C, H, W] in [0, 1], several channels averaged -> [N, 1, H, W], 0 to 100.

    Example:
        >>> round(lightness(torch.ones(1, 1, 1, 1)).item(), 4)
        100.0
    """
    grey = _wide(source).mean(1, keepdim=True).clamp(0, 1)
    return rgb_to_lab(grey.repeat(1, 3, 1, 1))[:, :1]


def chroma(rgb: Tensor) -> Tensor:
    """Return a and b of sRGB pictures: [N, 3, H, W] in [0, 1] -> [N, 2, H, W] in CIE units."""
    return rgb_to_lab(_wide(rgb))[:, 1:]


def with_chroma(source: Tensor, ab: Tensor) -> Tensor:
    """Colour a gray picture: its lightness stays, whatever the chroma.

    Chroma that sRGB does not have at this lightness is reduced towards grey of the same luminance until it fits, in
    linear light, so that L and the dominant wavelength stay.

    Args:
        source: [N, C, H, W] in [0, 1].
        ab: CIE units, [N, 2, h, w]; another size than the source's is resized bilinearly.

    Returns:
        sRGB [N, 3, H, W] in [0, 1].
    """
    light = lightness(source)
    return with_lightness(light, resize_chroma(ab.to(light.dtype), light.shape[2:])).to(source.dtype)


def with_lightness(light: Tensor, ab: Tensor) -> Tensor:
    """Put L [N, 1, H, W] and chroma [N, 2, H, W] together to sRGB [N, 3, H, W]; as `with_chroma`."""
    return into_gamut(lab_to_rgb(torch.cat([light, ab], 1), clip=False))


def resize_chroma(ab: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Resize [N, C, h, w] bilinearly to [N, C, *size]; as it is if it has the size."""
    if ab.shape[2:] == tuple(size):
        return ab
    return F.interpolate(ab, size=tuple(size), mode="bilinear", align_corners=False)


def _wide(picture: Tensor) -> Tensor:
    return picture if picture.dtype == torch.float64 else picture.float()
