"""The only place where physical ranges of colour meet the ranges of networks."""

from torch import Tensor

L_CENTRE, L_SCALE, AB_SCALE = 50.0, 100.0, 110.0
"""Of the released networks of Zhang et al. 2016 and 2017: (L - 50) / 100 and ab / 110."""


def to_signed(unit: Tensor) -> Tensor:
    """Map [0, 1] to [-1, 1], any shape."""
    return unit * 2 - 1


def to_unit(signed: Tensor) -> Tensor:
    """Map [-1, 1] to [0, 1], any shape; values outside are kept."""
    return (signed + 1) / 2


def scale_lightness(lightness: Tensor) -> Tensor:
    """Map L from [0, 100] to [-0.5, 0.5], any shape."""
    return (lightness - L_CENTRE) / L_SCALE


def scale_ab(ab: Tensor) -> Tensor:
    """Map a and b from CIE units to about [-1, 1], any shape."""
    return ab / AB_SCALE


def unscale_ab(scaled: Tensor) -> Tensor:
    """Map a and b from about [-1, 1] to CIE units, any shape."""
    return scaled * AB_SCALE
