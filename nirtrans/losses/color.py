"""Colour apart from brightness."""

import torch
from torch import Tensor

from nirtrans.losses.masked import masked_mean

DARKEST = 1 / 255  # shorter RGB vectors have no direction to speak of
SOFTNESS = 1e-3  # the angle has no gradient at 0; below this length of the cross product it becomes quadratic


def angular_loss(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean angle between RGB vectors, radians, averaged over the pictures.

    It is the metric `ae` made smooth at 0: equal colours of any brightness cost about 0. Pixels where either vector is
    darker than 1/255 count 0, since dark pixels have no hue.

    Args:
        image: [N, 3, H, W], RGB in [0, 1].
        target: [N, 3, H, W], RGB in [0, 1].
        valid: [N, 1, H, W], bool; None means everywhere.

    Example:
        >>> red, green = torch.eye(3)[:2].view(2, 1, 3, 1, 1)
        >>> round(angular_loss(red, green).item(), 4)
        1.5708
    """
    image, target = image.float(), target.float()
    cross = torch.linalg.cross(image, target, dim=1).square().sum(1, keepdim=True)  # [N, 1, H, W]
    dot = (image * target).sum(1, keepdim=True)
    bright = (image.square().sum(1, keepdim=True) > DARKEST**2) & (target.square().sum(1, keepdim=True) > DARKEST**2)
    length = (cross + SOFTNESS**2).sqrt() - SOFTNESS
    angle = torch.atan2(length.where(bright, 0.0), dot.where(bright, 1.0))
    return masked_mean(angle, valid)
