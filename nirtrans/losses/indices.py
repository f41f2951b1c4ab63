"""Indices of remote sensing that a picture made from near infrared must reproduce."""

from torch import Tensor

from nirtrans.losses.masked import blank, comparable, masked_mean

DARKEST = 0.05  # of near infrared plus red: below, the index is noise and its slope without bound


def ndvi_loss(image: Tensor, target: Tensor, source: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean absolute difference of the vegetation index of two pictures, averaged over the pictures.

    (NIR - red) / (NIR + red), the first channel of the source being NIR; a denominator below 0.05 counts as 0.05. It
    means something where source and colours are in one unit, such as reflectance.

    Args:
        image: [N, 3, H, W], RGB in [0, 1].
        target: [N, 3, H, W], RGB in [0, 1].
        source: [N, C, H, W], near infrared first, [0, 1].
        valid: [N, 1, H, W], bool; None means everywhere.

    Source: Rouse et al., Monitoring Vegetation Systems in the Great Plains with ERTS, 1974.

    Example:
        >>> import torch
        >>> nir = torch.full((1, 1, 2, 2), 0.6)
        >>> round(ndvi_loss(torch.full((1, 3, 2, 2), 0.2), torch.full((1, 3, 2, 2), 0.6), nir).item(), 4)
        0.5
    """
    image, target = comparable(image, target, valid)
    nir = blank(source[:, :1], valid).to(image.dtype)
    return masked_mean((_ndvi(nir, image) - _ndvi(nir, target)).abs(), valid)


def _ndvi(nir: Tensor, rgb: Tensor) -> Tensor:
    red = rgb[:, :1]
    return (nir - red) / (nir + red).clamp(min=DARKEST)
