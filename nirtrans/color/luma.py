"""The brightness of colours, and where that of a colorized picture comes from: the network, the source, or both.

| mode | L | a, b |
|---|---|---|
| predict | of the network | of the network |
| copy | of the source, shown as grey | of the network |
| blend | a mixture of both | of the network |
| lines | sRGB of the network, each channel times the source | |

Near infrared is not luma: foliage is bright and sky is dark in it. Copying keeps every detail of the source and its
strange brightness with it; it is made for sources that are luminance, such as gray pictures. Lines are for drawings: as
where a paint program multiplies layers, black stays black, and white paper takes the colour as it is.
"""

from typing import Literal

import torch
from torch import Tensor

from nirtrans.kernels import lab_to_rgb, rgb_to_lab
from nirtrans.kernels.reference.color import RGB_TO_XYZ_WHITE, linear_to_srgb, srgb_to_linear

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as the gray sources of training are made
Luma = Literal["predict", "copy", "blend", "lines"]


def luma(rgb: Tensor) -> Tensor:
    """Return 0.299 R + 0.587 G + 0.114 B of [N, 3, H, W], [N, 1, H, W] in the same range, [0, 1] or [-1, 1].

    Example:
        >>> round(luma(torch.ones(1, 3, 1, 1)).item(), 6)
        1.0
    """
    red, green, blue = rgb.split(1, dim=1)  # not a matrix product, which autocast would round to 8 bits
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def with_luma(rgb: Tensor, source: Tensor, *, mode: Luma, share: float = 0.5) -> Tensor:
    """Return the colours with the lightness that `mode` asks for.

    Colours that the new lightness moves out of sRGB are mixed with grey of the same luminance until they fit, in linear
    light: L and the dominant wavelength stay, chroma gives way. Every pixel is on its own, so that tiles stay exact.

    Args:
        rgb: Colours of the network, sRGB [N, 3, H, W] in [0, 1].
        source: [N, C, H, W] in [0, 1]; the mean of several channels is what is shown.
        mode: See the module.
        share: Weight of the source in blend; 0 is the network's lightness, 1 is copy.

    Returns:
        sRGB [N, 3, H, W] in [0, 1]; for predict `rgb` itself.

    Example:
        >>> olive = torch.tensor([0.4, 0.5, 0.2]).view(1, 3, 1, 1)
        >>> black = torch.zeros(1, 1, 1, 1)
        >>> with_luma(olive, black, mode="copy").flatten().tolist()
        [0.0, 0.0, 0.0]
    """
    if mode == "predict":
        return rgb
    if mode == "lines":
        return rgb * source.mean(1, keepdim=True).clamp(0, 1).to(rgb.dtype)
    wide = rgb if rgb.dtype == torch.float64 else rgb.float()
    lightness, *chroma = rgb_to_lab(wide).split(1, dim=1)
    grey = source.mean(1, keepdim=True).clamp(0, 1).to(wide.dtype)
    shown = rgb_to_lab(grey.repeat(1, 3, 1, 1))[:, :1]
    lightness = shown if mode == "copy" else lightness.lerp(shown, share)
    return into_gamut(lab_to_rgb(torch.cat([lightness, *chroma], 1), clip=False)).to(rgb.dtype)


def into_gamut(rgb: Tensor) -> Tensor:
    """Mix what lies outside [0, 1] with grey of its luminance, just enough: sRGB [N, 3, H, W]."""
    linear = srgb_to_linear(rgb)
    shares = torch.tensor(RGB_TO_XYZ_WHITE[1], dtype=rgb.dtype, device=rgb.device).view(3, 1, 1)
    luminance = (linear * shares).sum(1, keepdim=True).clamp(0, 1)
    colour = linear - luminance
    room = torch.where(colour > 0, 1 - luminance, luminance)
    scale = (room / colour.abs().clamp(min=torch.finfo(rgb.dtype).tiny)).amin(1, keepdim=True).clamp(max=1)
    return linear_to_srgb(luminance + scale * colour).clamp(0, 1)
