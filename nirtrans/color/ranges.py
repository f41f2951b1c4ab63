"""The only place where physical ranges of colour meet the ranges of networks."""

import torch
from torch import Tensor

L_CENTRE, L_SCALE, AB_SCALE = 50.0, 100.0, 110.0
"""Of the released networks of Zhang et al. 2016 and 2017: (L - 50) / 100 and ab / 110."""


BYTE_OFFSET, BYTE_RANGE = 128.0, 255.0
"""Of 8-bit Lab, where a and b in [0, 1] are (ab + 128) / 255."""
GRAY_MEAN, GRAY_STD = 0.449, 0.226
"""Means over the channels of what classifiers of ImageNet are standardised by: torchvision's documentation."""


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


def ab_to_unit(ab: Tensor) -> Tensor:
    """Map a and b from CIE units to [0, 1], any shape; grey is 128 / 255."""
    return (ab + BYTE_OFFSET) / BYTE_RANGE


def unit_to_ab(unit: Tensor) -> Tensor:
    """Map a and b from [0, 1] to CIE units, any shape."""
    return unit * BYTE_RANGE - BYTE_OFFSET


def lab_to_unit(lab: Tensor) -> Tensor:
    """Map Lab [N, 3, H, W] from CIE units to [0, 1], its 8-bit form divided by 255."""
    return torch.cat([lab[:, :1] / L_SCALE, ab_to_unit(lab[:, 1:])], dim=1)


def standardise_gray(gray: Tensor) -> Tensor:
    """Map gray from [0, 1] to mean 0 and deviation 1, as networks made for ImageNet expect it, any shape."""
    return (gray - GRAY_MEAN) / GRAY_STD
