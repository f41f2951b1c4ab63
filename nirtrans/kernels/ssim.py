"""SSIM, MS-SSIM and L1 + SSIM: value and gradient from one sweep over the images.

| padding | map | same as |
|---|---|---|
| valid | (H - w + 1) x (W - w + 1), windows inside the image | pytorch-msssim, Matlab |
| reflect | H x W, mirrored without repeating the edge | kornia |
| zero | H x W, zeros outside | fused-ssim |
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nirtrans.arguments import check_choice, check_levels, check_numbers, check_product
from nirtrans.kernels import _ssim_ops
from nirtrans.kernels._ssim_inputs import full_mask, make_window, prepare
from nirtrans.kernels.reference import ssim as twin
from nirtrans.kernels.reference.ssim import Window

REDUCTIONS = ("mean", "sum", "none")
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Wang, Simoncelli, Bovik, Multiscale Structural Similarity for Image Quality Assessment, 2003."""


def ssim(
    x: Tensor,
    y: Tensor,
    *,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
    padding: str = "valid",
    reduction: str = "mean",
    mask: Tensor | None = None,
) -> Tensor:
    """Compare images by structural similarity with a Gaussian window.

    Args:
        x: Images, (N, C, H, W), in [0, data_range]. float64 computes in float64, all other dtypes in float32.
        y: As x; its dtype may be another.
        data_range: R of the constants (0.01 R)^2 and (0.03 R)^2, 1e-6 to 1e8.
        window_size: Odd, 3 to 33.
        sigma: Width of the Gaussian in pixels, 1e-15 to 1e15.
        padding: "valid", "reflect" or "zero"; see the module.
        reduction: "mean" over all counted points of the batch, "sum", or "none" for the map.
        mask: True where pixels are valid, bool, broadcastable to (N, 1, H, W). Windows count valid pixels only, points
            count if their centre is valid; what is masked, NaN included, has no influence and no gradient.

    Returns:
        A scalar, or the map (N, C, Ho, Wo) with 0 where a point does not count; in [-1, 1], float32 or float64.
        Without any counted point the mean is 1.

    Raises:
        TypeError: If an image is not floating point or the mask not bool.
        ValueError: If shapes, devices or options do not fit.

    Source: Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, 2004.

    Example:
        >>> x = torch.rand(1, 3, 16, 16)
        >>> ssim(x, x).item()
        1.0
    """
    window = make_window("ssim", data_range, window_size, sigma, padding)
    check_choice("ssim", "reduction", reduction, REDUCTIONS)
    x, y, mask = prepare("ssim", x, y, mask, window)
    if reduction == "none":
        return _ssim_ops.ssim_map(x, y, mask, window)
    if reduction == "sum":
        return _ssim_ops.plane_sums(x, y, mask, window).sum().to(_real(x))
    return _mean(x, y, mask, window).to(_real(x))


def ms_ssim(
    x: Tensor,
    y: Tensor,
    *,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
    padding: str = "valid",
    reduction: str = "mean",
    mask: Tensor | None = None,
    weights: Sequence[float] = MS_SSIM_WEIGHTS,
    normalize: str | None = "relu",
    eps: float = 0.0,
) -> Tensor:
    """Compare images by structural similarity at several scales, halving them in between.

    Per image and channel: the product over levels of phi(mean cs) ** weight, the last level with s in place of cs.

    Args:
        x: Images, (N, C, H, W), in [0, data_range]; dtypes as for `ssim`.
        y: As x.
        data_range: As for `ssim`.
        window_size: As for `ssim`.
        sigma: As for `ssim`.
        padding: As for `ssim`.
        reduction: "mean", "sum", or "none" for (N, C).
        mask: As for `ssim`; a coarse pixel is valid if all its fine pixels are, a level without a counted point
            contributes the factor 1.
        weights: One exponent per level.
        normalize: phi: "relu" is max(., eps), whose gradient is 0 where it is 0; "simple" is (. + 1) / 2, alive
            everywhere, for training from scratch; None changes nothing, so that a negative mean gives NaN.
        eps: For "relu".

    Returns:
        A scalar or (N, C), float32 or float64.

    Raises:
        TypeError: As `ssim`.
        ValueError: As `ssim`; also if the smaller side does not exceed (window_size - 1) * 2 ** (levels - 1).

    Source: Wang, Simoncelli, Bovik, Multiscale Structural Similarity for Image Quality Assessment, 2003.

    Example:
        >>> x = torch.rand(1, 1, 176, 176)
        >>> round(ms_ssim(x, x).item(), 5)
        1.0
    """
    window = make_window("ms_ssim", data_range, window_size, sigma, padding)
    check_choice("ms_ssim", "reduction", reduction, REDUCTIONS)
    check_product(weights, normalize, eps)
    x, y, mask = prepare("ms_ssim", x, y, mask, window)
    check_levels(x.shape[2:], len(weights), window_size)
    factors = level_means(x, y, mask, window, len(weights))
    result = twin.power_product(factors, weights, normalize, eps)
    if reduction == "mean":
        result = result.mean() if result.numel() else result.sum() + 1
    elif reduction == "sum":
        result = result.sum()
    return result.to(_real(x))


def l1_ssim_loss(
    x: Tensor,
    y: Tensor,
    *,
    weight: float = 0.84,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
    padding: str = "valid",
    reduction: str = "mean",
    mask: Tensor | None = None,
) -> Tensor:
    """Return weight (1 - SSIM) + (1 - weight) mean|x - y|, with both gradients from one sweep.

    Args:
        x: Images, (N, C, H, W), in [0, data_range]; dtypes as for `ssim`.
        y: As x.
        weight: Share of SSIM, 0 to 1.
        data_range: As for `ssim`.
        window_size: As for `ssim`.
        sigma: As for `ssim`.
        padding: As for `ssim`.
        reduction: "mean", or "sum": weight sum(1 - s) + (1 - weight) sum|x - y|.
        mask: As for `ssim`; |x - y| runs over all valid pixels.

    Returns:
        A scalar, float32 or float64.

    Raises:
        TypeError: As `ssim`.
        ValueError: As `ssim`; also if weight is outside [0, 1] or reduction is "none".

    Source: Zhao et al., Loss Functions for Image Restoration with Neural Networks, 2017.

    Example:
        >>> x = torch.rand(1, 1, 16, 16)
        >>> round(abs(l1_ssim_loss(x, x).item()), 5)
        0.0
    """
    window = make_window("l1_ssim_loss", data_range, window_size, sigma, padding)
    if reduction == "none":
        raise ValueError(
            "l1_ssim_loss: expected reduction 'mean' or 'sum', got 'none'; the maps of its two parts differ in size"
        )
    check_choice("l1_ssim_loss", "reduction", reduction, REDUCTIONS[:2])
    check_numbers("l1_ssim_loss", weight=weight)
    if not 0 <= weight <= 1:
        raise ValueError(f"l1_ssim_loss: expected weight in [0, 1], got {weight}; 0 is L1 alone, 1 is SSIM alone")
    x, y, mask = prepare("l1_ssim_loss", x, y, mask, window)
    points, pixels = _points(x, mask, window), _pixels(x, mask)
    if reduction == "sum":
        total = _ssim_ops.plane_sums(x, y, mask, window, weight=-weight, l1_weight=1 - weight).sum() + weight * points
    elif isinstance(points, int) and isinstance(pixels, int) and x.dtype != torch.float16:
        share, l1_share = weight / max(points, 1), (1 - weight) / max(pixels, 1)
        total = _ssim_ops.plane_sums(x, y, mask, window, weight=-share, l1_weight=l1_share).sum()
        total = total + weight if points else total
    else:
        total = _l1_ssim_in_two(x, y, mask, window, weight)
    return total.to(_real(x))


def dissimilar_sum(x: Tensor, y: Tensor, *, mask: Tensor | None = None, **options: Any) -> Tensor:
    """Return the sum of 1 - s over the counted points; arguments as for `ssim`."""
    similar = ssim(x, y, mask=mask, reduction="sum", **options)
    window = Window(options.get("window_size", 11), padding=options.get("padding", "valid"))
    return _points(x, None if mask is None else full_mask("ssim", mask, x), window) - similar


def _l1_ssim_in_two(x: Tensor, y: Tensor, mask: Tensor | None, window: Window, weight: float) -> Tensor:
    """The mean where counts are known to the device only, or would underflow in a stored float16 gradient."""
    ones = torch.ones((), dtype=torch.float64, device=x.device)
    points, pixels = ones * _points(x, mask, window), ones * _pixels(x, mask)
    structure = _ssim_ops.plane_sums(x, y, mask, window).sum()
    difference = _ssim_ops.plane_sums(x, y, mask, window, weight=0.0, l1_weight=1.0).sum()
    dissimilar = torch.where(points > 0, 1 - structure / points.clamp(min=1), 0.0)
    return weight * dissimilar + (1 - weight) * difference / pixels.clamp(min=1)


def _mean(x: Tensor, y: Tensor, mask: Tensor | None, window: Window) -> Tensor:
    """The mean over counted points; 1 / n is part of the stored gradient but in float16, where it would underflow."""
    points = _points(x, mask, window)
    if isinstance(points, int) and x.dtype != torch.float16:
        sums = _ssim_ops.plane_sums(x, y, mask, window, weight=1 / max(points, 1))
        return sums.sum() if points else sums.sum() + 1
    sums = _ssim_ops.plane_sums(x, y, mask, window).sum()
    counted = torch.as_tensor(points, device=x.device)
    return torch.where(counted > 0, sums / counted.clamp(min=1), 1.0)


def _points(x: Tensor, mask: Tensor | None, window: Window) -> int | Tensor:
    """Count the points of the map of the whole batch, all channels."""
    if mask is None:
        height, width = _ssim_ops.map_size(x.shape[2], x.shape[3], window)
        return x.shape[0] * x.shape[1] * height * width
    return _known(twin.counted(mask, window).sum() * x.shape[1])


def _pixels(x: Tensor, mask: Tensor | None) -> int | Tensor:
    return x.numel() if mask is None else _known(mask.sum() * x.shape[1])


def _known(count: Tensor) -> int | Tensor:
    """The number itself where looking at it neither waits for a device nor breaks a traced graph."""
    return int(count) if count.device.type == "cpu" and not torch.compiler.is_compiling() else count


def level_means(x: Tensor, y: Tensor, mask: Tensor | None, window: Window, levels: int) -> list[Tensor]:
    """Mean cs per image and channel of each level, s of the last, (N, C) float64."""
    means = []
    for _ in range(levels - 1):
        sums, half_x, half_y = _ssim_ops.level(x, y, mask, window._replace(contrast=True))
        means.append(_plane_means(sums, x, mask, window))
        x, y = half_x, half_y
        mask = None if mask is None else twin.halved_mask(mask).contiguous()
    return [*means, plane_means(x, y, mask, window)]


def plane_means(x: Tensor, y: Tensor, mask: Tensor | None, window: Window) -> Tensor:
    """Mean s (or cs) per image and channel, (N, C) float64; 1 where no point counts."""
    return _plane_means(_ssim_ops.plane_sums(x, y, mask, window), x, mask, window)


def _plane_means(sums: Tensor, x: Tensor, mask: Tensor | None, window: Window) -> Tensor:
    if mask is None:
        height, width = _ssim_ops.map_size(x.shape[2], x.shape[3], window)
        return sums / (height * width)
    counted = twin.counted(mask, window).sum(dim=(2, 3))
    return torch.where(counted > 0, sums / counted.clamp(min=1), 1.0)


def _real(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32
