"""Distances that forgive pairs a misregistration of a few pixels."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.losses.masked import comparable, masked_l1, masked_mean


def shift_min_l1(
    image: Tensor, target: Tensor, valid: Tensor | None = None, *, radius_px: int = 2, block_px: int = 0
) -> Tensor:
    """Return the L1 distance at the best integer shift of the target, averaged over the pictures.

    Shifts up to radius_px in both directions are tried and compared by their mean over the common valid area; those
    that leave less than half of a picture's valid pixels are out. The best shift is found without gradients; the
    gradient is that of the L1 at this shift, which is the gradient of the minimum.

    Args:
        image: [N, C, H, W].
        target: [N, C, H, W].
        valid: [N, 1, H, W], bool; None means everywhere. It holds for image and target alike.
        radius_px: Largest shift; 0 gives `masked_l1`.
        block_px: Side of the blocks that choose a shift each, for distortions that vary; 0: each picture chooses one.

    Example:
        >>> image = torch.rand(1, 3, 16, 16)
        >>> shift_min_l1(image, image.roll((2, -1), (2, 3))).item()
        0.0
    """
    image, target = comparable(image, target, valid)
    if valid is None:
        valid = torch.ones_like(image[:, :1], dtype=torch.bool)
    with torch.no_grad():
        shifts = _best_shifts(image.detach(), target.detach(), valid, radius_px, block_px)
    aligned, common = _shifted(target, valid, shifts)
    return masked_l1(image, aligned, common)


def blur_l1(image: Tensor, target: Tensor, valid: Tensor | None = None, *, sigma_px: float = 2.0) -> Tensor:
    """Return the L1 distance of the pictures after a Gaussian blur, averaged over the pictures.

    Weights of the blur count valid pixels only and add up to 1, at the border and beside nodata as well.

    Args:
        image: [N, C, H, W].
        target: [N, C, H, W].
        valid: [N, 1, H, W], bool; None means everywhere.
        sigma_px: Standard deviation of the Gaussian; 0 gives `masked_l1`.

    Example:
        >>> blur_l1(torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)).item()
        1.0
    """
    if sigma_px == 0:
        return masked_l1(image, target, valid)
    image, target = comparable(image, target, valid)
    difference = image - target  # the blur is linear
    weight = torch.ones_like(difference[:1, :1]) if valid is None else valid.to(difference.dtype)
    share = _blurred(weight, sigma_px).where(weight > 0, 1.0)  # where a pixel is valid, at least its own weight 1
    return masked_mean((_blurred(difference, sigma_px) / share).abs().mean(1, keepdim=True), valid)


def _best_shifts(image: Tensor, target: Tensor, valid: Tensor, radius: int, block: int) -> Tensor:
    """Return the best (dy, dx) of each block, or of the picture, at each pixel: [N, 2, H, W], int64."""
    height, width = image.shape[2:]
    kernel = (min(block or height, height), min(block or width, width))
    steps = sorted(_steps(radius), key=lambda step: step[0] ** 2 + step[1] ** 2)  # the smaller one wins a tie
    padded, room = (F.pad(plane, (radius,) * 4) for plane in (target, valid))
    own = _block_sums(valid, kernel)
    costs = []
    for dy, dx in steps:
        window = (..., slice(radius + dy, radius + dy + height), slice(radius + dx, radius + dx + width))
        common = valid & room[window]
        counts = _block_sums(common, kernel)
        distance = (image - padded[window]).abs_().sum(1, keepdim=True).mul_(common)
        cost = _block_sums(distance, kernel) / counts.clamp(min=1)
        costs.append(cost.where(2 * counts >= own, math.inf))
    chosen = torch.stack(costs).argmin(0)  # [N, 1, rows, columns]
    chosen = chosen.repeat_interleave(kernel[0], 2).repeat_interleave(kernel[1], 3)[..., :height, :width]
    return torch.tensor(steps, device=image.device)[chosen.squeeze(1)].movedim(-1, 1)


def _steps(radius: int) -> list[tuple[int, int]]:
    offsets = range(-radius, radius + 1)
    return [(dy, dx) for dy in offsets for dx in offsets]


def _block_sums(plane: Tensor, kernel: tuple[int, int]) -> Tensor:
    values = plane if plane.is_floating_point() else plane.float()
    return F.avg_pool2d(values, kernel, ceil_mode=True, divisor_override=1)


def _shifted(target: Tensor, valid: Tensor, shifts: Tensor) -> tuple[Tensor, Tensor]:
    """Take each pixel of the target from its shifted place; return it with the pixels where both places are valid."""
    height, width = target.shape[2:]
    rows = torch.arange(height, device=target.device)[:, None] + shifts[:, :1]  # [N, 1, H, W]
    columns = torch.arange(width, device=target.device) + shifts[:, 1:]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    place = (rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)).flatten(2)  # [N, 1, H * W]
    aligned = target.flatten(2).gather(2, place.expand(-1, target.shape[1], -1)).view_as(target)
    return aligned, valid & inside & valid.flatten(2).gather(2, place).view_as(valid)


def _blurred(planes: Tensor, sigma: float) -> Tensor:
    """Blur [N, C, H, W] with zeros outside, in its own precision whatever autocast says.

    Two products with a full matrix of weights: at the size of crops several times faster than convolving one channel.
    """
    down, across = (_gaussian(planes, side, sigma) for side in planes.shape[2:])
    with torch.autocast(planes.device.type, enabled=False):
        return down @ planes @ across


def _gaussian(like: Tensor, side: int, sigma: float) -> Tensor:
    """Return the weight of each place for each other along one axis: [side, side], symmetric."""
    places = torch.arange(side, dtype=like.dtype, device=like.device)
    return torch.exp((places[:, None] - places).square() / (-2 * sigma**2))
