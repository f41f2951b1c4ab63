"""The colour difference CIEDE2000, pixel by pixel.

Source: Luo, Cui, Rigg 2001; the formulas as numbered by Sharma, Wu, Dalal, The CIEDE2000 Color-Difference Formula,
Color Research and Application 30, 2005.
"""

import torch
from torch import Tensor


def ciede2000(first: Tensor, second: Tensor) -> Tensor:
    """Return the difference of Lab colours [3, ...] in CIE units, kL = kC = kH = 1; symmetric, 0 for equal colours.

    Example:
        >>> lab = torch.tensor([[50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485]], dtype=torch.float64)
        >>> round(ciede2000(lab[0], lab[1]).item(), 4)
        2.0425
    """
    stretch = _stretch_of_a((torch.hypot(first[1], first[2]) + torch.hypot(second[1], second[2])) / 2)
    chroma1, hue1 = _polar(first, stretch)
    chroma2, hue2 = _polar(second, stretch)
    turn, hue = _hues(hue1, hue2, chroma1 * chroma2 == 0)
    light, chroma = (first[0] + second[0]) / 2, (chroma1 + chroma2) / 2
    d_light, d_chroma = second[0] - first[0], chroma2 - chroma1
    d_hue = 2 * (chroma1 * chroma2).sqrt() * torch.sin(turn / 2)  # 11
    lightness = d_light / (1 + 0.015 * (light - 50) ** 2 / (20 + (light - 50) ** 2).sqrt())  # 18
    c, h = d_chroma / (1 + 0.045 * chroma), d_hue / (1 + 0.015 * chroma * _hue_weight(hue))  # 19, 20
    # Blue: the ellipses of equal difference are turned there, 16, 17, 21; the sum stays positive but for rounding.
    bend = 30 * torch.exp(-(((torch.rad2deg(hue) - 275) / 25) ** 2))
    turned = -torch.sin(torch.deg2rad(2 * bend)) * 2 * _saturated(chroma)
    return (lightness**2 + c**2 + h**2 + turned * c * h).clamp(min=0).sqrt()  # 22


def _saturated(chroma: Tensor) -> Tensor:
    """Return sqrt(C^7 / (C^7 + 25^7)), which goes from 0 for greys to 1."""
    return (chroma**7 / (chroma**7 + 25.0**7)).sqrt()


def _stretch_of_a(chroma: Tensor) -> Tensor:
    """Return 1 + G, by which a grows near grey (4, 5)."""
    return 1 + 0.5 * (1 - _saturated(chroma))


def _polar(lab: Tensor, stretch: Tensor) -> tuple[Tensor, Tensor]:
    """Return chroma, and hue in radians from 0 to 2 pi (6, 7)."""
    a, b = lab[1] * stretch, lab[2]
    return torch.hypot(a, b), torch.atan2(b, a) % (2 * torch.pi)


def _hues(hue1: Tensor, hue2: Tensor, grey: Tensor) -> tuple[Tensor, Tensor]:
    """Return the turn from one hue to the other the short way, and the hue in the middle of it (10, 14)."""
    turn = hue2 - hue1
    turn = turn - 2 * torch.pi * (turn > torch.pi).double() + 2 * torch.pi * (turn < -torch.pi).double()
    middle = (hue1 + turn / 2) % (2 * torch.pi)
    return turn.where(~grey, 0.0), middle.where(~grey, hue1 + hue2)


def _hue_weight(hue: Tensor) -> Tensor:
    """Return T, how coarsely hues are told apart (15)."""
    around = torch.deg2rad(torch.tensor([30.0, 0.0, -6.0, 63.0], dtype=hue.dtype))
    return (
        1
        - 0.17 * torch.cos(hue - around[0])
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue - around[2])
        - 0.20 * torch.cos(4 * hue - around[3])
    )
