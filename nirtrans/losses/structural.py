"""Structure: local contrast, detail and edges."""

import torch.nn.functional as F
from torch import Tensor

from nirtrans.errors import InputError
from nirtrans.kernels import ms_ssim
from nirtrans.kernels.ssim import MS_SSIM_WEIGHTS
from nirtrans.losses.masked import comparable, masked_mean

WINDOW_PX = 11


def ssim_loss(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return 1 - SSIM, averaged over channels and pictures.

    Args:
        image: [N, C, H, W], [0, 1], at least 11 px.
        target: [N, C, H, W], [0, 1].
        valid: [N, 1, H, W], bool; None means everywhere. A picture without a counted window costs 0.

    Raises:
        InputError: If pictures are smaller than the window.

    Source: Wang et al. 2004, 11 x 11 Gaussian window of sigma 1.5, valid region.

    Example:
        >>> image = torch.rand(1, 3, 16, 16)
        >>> round(ssim_loss(image, image).item(), 5)
        0.0
    """
    _check_side(image, "ssim")
    image, target = comparable(image, target, valid)
    # one level of MS-SSIM is SSIM, with one mean per picture and channel
    return 1 - ms_ssim(image, target, mask=valid, weights=(1.0,), normalize=None, reduction="none").mean()


def ms_ssim_loss(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return 1 - MS-SSIM, averaged over channels and pictures.

    Of the five levels the first that fit are used, their exponents scaled to a sum of 1: five need 161 px, four 81,
    three 41, two 21. Each level enters as (mean + 1) / 2, since the usual max(mean, 0) has no gradient where two
    pictures are anticorrelated, as near infrared and green may be before training; the value is therefore lower than 1
    minus the metric, and pictures without anything in common cost about 0.5.

    Args:
        image: [N, C, H, W], [0, 1], at least 11 px.
        target: [N, C, H, W], [0, 1].
        valid: [N, 1, H, W], bool; None means everywhere.

    Raises:
        InputError: If pictures are smaller than the window.

    Source: Wang, Simoncelli, Bovik 2003.
    """
    _check_side(image, "ms_ssim")
    image, target = comparable(image, target, valid)
    weights = _fitting_weights(min(image.shape[2:]))
    return 1 - ms_ssim(image, target, mask=valid, weights=weights, normalize="simple", reduction="none").mean()


def sobel_loss(image: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean absolute difference of the two Sobel derivatives, averaged over the pictures.

    The vector is compared and not its length: edges of opposite sign differ, and the gradient exists where the picture
    is flat. Derivatives are in values per pixel (the usual integer kernels over 8); a pixel counts if its 3 x 3
    neighbourhood lies inside the picture and is valid.

    Args:
        image: [N, C, H, W], at least 3 px.
        target: [N, C, H, W].
        valid: [N, 1, H, W], bool; None means everywhere.

    Example:
        >>> ramp = torch.arange(8.0).expand(1, 1, 8, 8)
        >>> sobel_loss(ramp, torch.zeros(1, 1, 8, 8)).item()  # slopes 1 and 0
        0.5
    """
    image, target = comparable(image, target, valid)
    difference = image - target  # derivatives are linear
    down, across = _derivative(difference, 2), _derivative(difference, 3)
    if valid is not None:
        valid = F.max_pool2d((~valid).float(), 3, stride=1) == 0
    return masked_mean((down.abs() + across.abs()).mean(1, keepdim=True) / 2, valid)


def _derivative(planes: Tensor, dim: int) -> Tensor:
    """Differentiate along dim and smooth along the other: [N, C, H, W] -> [N, C, H - 2, W - 2]."""
    other, length, breadth = 5 - dim, planes.shape[dim] - 2, planes.shape[5 - dim] - 2
    slope = planes.narrow(dim, 2, length) - planes.narrow(dim, 0, length)
    sides = slope.narrow(other, 0, breadth) + slope.narrow(other, 2, breadth)
    return (sides + 2 * slope.narrow(other, 1, breadth)) / 8


def _fitting_weights(side: int) -> tuple[float, ...]:
    """Return the exponents of the levels that fit, level n needing 10 * 2 ** n + 1 px, with a sum of 1."""
    fitting = [w for n, w in enumerate(MS_SSIM_WEIGHTS) if side > (WINDOW_PX - 1) * 2**n]
    return tuple(weight / sum(fitting) for weight in fitting)


def _check_side(image: Tensor, name: str) -> None:
    if min(image.shape[2:]) < WINDOW_PX:
        height, width = image.shape[2:]
        raise InputError(f"{name} needs pictures of {WINDOW_PX} px, got {height}x{width}; use larger crops")
