"""SSIM and MS-SSIM on NumPy arrays."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.arguments import PADDINGS, check_choice, check_fits, check_levels, check_product, check_window
from nirtrans.numpy_kernels._checks import check_floats
from nirtrans.numpy_kernels._ops import ops, thread_count

REDUCTIONS = ("mean", "sum", "none")
NORMALIZATIONS = ("relu", "simple", None)
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Wang, Simoncelli, Bovik, Multiscale Structural Similarity for Image Quality Assessment, 2003."""

Images = NDArray[np.floating]
Mask = NDArray[np.bool_]


def ssim(
    x: Images,
    y: Images,
    *,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
    padding: str = "valid",
    reduction: str = "mean",
    mask: Mask | None = None,
    threads: int | None = None,
) -> Any:
    """Compare images by structural similarity; see `nirtrans.kernels.ssim`.

    Args:
        x: Images, (N, C, H, W), in [0, data_range], float32 or float64.
        y: As x.
        data_range: R of the constants (0.01 R)^2 and (0.03 R)^2, 1e-6 to 1e8.
        window_size: Odd, 3 to 33.
        sigma: Width of the Gaussian in pixels, 1e-15 to 1e15.
        padding: "valid", "reflect" or "zero".
        reduction: "mean" over all counted points, "sum", or "none" for the map.
        mask: True where pixels are valid, bool, broadcastable to (N, 1, H, W).
        threads: CPU threads; all that the process may use if None. The result does not depend on them.

    Returns:
        A scalar, or the map (N, C, Ho, Wo) with 0 where a point does not count, in the wider dtype of x and y.

    Raises:
        TypeError: If an image is not a float32 or float64 array, or the mask not bool.
        ValueError: If shapes or options do not fit.

    Source: Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, 2004.

    Example:
        >>> image = np.ones((1, 3, 16, 16), np.float32)
        >>> round(float(ssim(image, image)), 6)
        1.0
    """
    check_choice("ssim", "reduction", reduction, REDUCTIONS)
    options = _options("ssim", data_range, window_size, sigma, padding)
    x, y, mask = _prepare("ssim", x, y, mask, window_size, padding)
    workers = thread_count(threads, x.size, "ssim")
    if reduction == "none":
        height, width = (side - _margin(window_size, padding) for side in x.shape[2:])
        values = np.empty((*x.shape[:2], height, width), x.dtype)
        ops.ssim_map(x, y, mask, values, *options, False, workers)
        return values
    total = _plane_sums(x, y, mask, options, False, workers)
    if reduction == "sum":
        return x.dtype.type(total.sum())
    points = int(_points(x, mask, window_size, padding).sum()) * x.shape[1]
    return x.dtype.type((total / max(points, 1)).sum() if points else 1)


def ms_ssim(
    x: Images,
    y: Images,
    *,
    data_range: float = 1.0,
    window_size: int = 11,
    sigma: float = 1.5,
    padding: str = "valid",
    reduction: str = "mean",
    mask: Mask | None = None,
    weights: Sequence[float] = MS_SSIM_WEIGHTS,
    normalize: str | None = "relu",
    eps: float = 0.0,
    threads: int | None = None,
) -> Any:
    """Compare images by structural similarity at several scales; see `nirtrans.kernels.ms_ssim`.

    Args:
        x: As for `ssim`.
        y: As for `ssim`.
        data_range: As for `ssim`.
        window_size: As for `ssim`.
        sigma: As for `ssim`.
        padding: As for `ssim`.
        reduction: "mean", "sum", or "none" for (N, C).
        mask: As for `ssim`; a coarse pixel is valid if all its fine pixels are.
        weights: One exponent per level.
        normalize: "relu", "simple" or None.
        eps: For "relu".
        threads: As for `ssim`.

    Returns:
        A scalar or (N, C), in the wider dtype of x and y.

    Raises:
        TypeError: As `ssim`.
        ValueError: As `ssim`; also if the smaller side does not exceed (window_size - 1) * 2 ** (levels - 1).

    Source: Wang, Simoncelli, Bovik, Multiscale Structural Similarity for Image Quality Assessment, 2003.

    Example:
        >>> image = np.ones((1, 1, 176, 176), np.float32)
        >>> round(float(ms_ssim(image, image)), 6)
        1.0
    """
    check_choice("ms_ssim", "reduction", reduction, REDUCTIONS)
    check_product(weights, normalize, eps)
    options = _options("ms_ssim", data_range, window_size, sigma, padding)
    x, y, mask = _prepare("ms_ssim", x, y, mask, window_size, padding)
    check_levels(x.shape[2:], len(weights), window_size)
    means = _level_means(x, y, mask, options, padding, len(weights), thread_count(threads, x.size, "ms_ssim"))
    result = np.ones(x.shape[:2])
    for mean, weight in zip(means, weights, strict=True):
        result *= _normalized(mean, normalize, eps) ** weight
    if reduction == "none":
        return result.astype(x.dtype)
    return x.dtype.type(result.sum() if reduction == "sum" else result.mean() if result.size else 1)


def _level_means(
    x: Images, y: Images, mask: Mask | None, options: tuple[Any, ...], padding: str, levels: int, threads: int
) -> Iterator[Images]:
    """Mean cs per image and channel of each level, s of the last, (N, C); 1 where no point counts."""
    for level in range(levels):
        if level:
            x, y, mask = _halved(x), _halved(y), None if mask is None else _halved_mask(mask)
        sums = _plane_sums(x, y, mask, options, level < levels - 1, threads)
        points = _points(x, mask, options[0], padding)
        yield np.where(points > 0, sums / np.maximum(points, 1), 1.0)


def _normalized(means: Images, normalize: str | None, eps: float) -> Images:
    if normalize is None:
        return means
    return (means + 1) / 2 if normalize == "simple" else np.maximum(means, eps)


def _plane_sums(
    x: Images, y: Images, mask: Mask | None, options: tuple[Any, ...], contrast: bool, threads: int
) -> Images:
    sums = np.zeros(x.shape[:2])
    ops.ssim_plane_sums(x, y, mask, sums, *options, contrast, threads)
    return sums


def _points(x: Images, mask: Mask | None, size: int, padding: str) -> NDArray[np.int64]:
    """Count the points of each map, (N, 1)."""
    margin = _margin(size, padding) // 2
    if mask is None:
        return np.full((x.shape[0], 1), (x.shape[2] - 2 * margin) * (x.shape[3] - 2 * margin))
    return mask[..., margin : x.shape[2] - margin, margin : x.shape[3] - margin].sum(axis=(2, 3))


def _margin(size: int, padding: str) -> int:
    return size - 1 if padding == "valid" else 0


def _quarters(image: np.ndarray, fill: bool | float) -> np.ndarray:
    """The pixels that are halved to one, (N, C, H/2, 2, W/2, 2); an odd side is padded by one line in front."""
    odd = [(0, 0), (0, 0), *((side % 2, 0) for side in image.shape[2:])]
    padded = np.pad(image, odd, constant_values=fill)
    count, channels, height, width = padded.shape
    return padded.reshape(count, channels, height // 2, 2, width // 2, 2)


def _halved(image: Images) -> Images:
    return _quarters(image, 0).mean(axis=(3, 5), dtype=image.dtype)


def _halved_mask(mask: Mask) -> Mask:
    return np.logical_and.reduce(_quarters(mask, True), axis=(3, 5))


def _options(operator: str, data_range: float, size: int, sigma: float, padding: str) -> tuple[Any, ...]:
    check_window(operator, data_range, size, sigma, padding)
    return size, float(sigma), (0.01 * data_range) ** 2, (0.03 * data_range) ** 2, PADDINGS.index(padding)


def _prepare(
    operator: str, x: Images, y: Images, mask: Mask | None, size: int, padding: str
) -> tuple[Images, Images, Mask | None]:
    """Check a pair; return it contiguous and in one dtype, with the mask as contiguous (N, 1, H, W)."""
    for name, image in (("x", x), ("y", y)):
        check_floats(image, operator, name, f"scale 8-bit images to [0, 1] with np.float32({name}) / 255")
    if x.ndim != 4 or x.shape != y.shape:
        raise ValueError(
            f"{operator}: expected two arrays (N, C, H, W) of one shape, got {x.shape} and {y.shape}; crop one"
        )
    check_fits(operator, x.shape[2:], size, padding)
    real = np.result_type(x, y)
    return np.ascontiguousarray(x, real), np.ascontiguousarray(y, real), _full_mask(operator, mask, x)


def _full_mask(operator: str, mask: Mask | None, x: Images) -> Mask | None:
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        got = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
        raise TypeError(f"{operator}: expected a bool array as mask, got {got}; True marks valid pixels")
    wanted = (x.shape[0], 1, *x.shape[2:])
    try:
        return np.ascontiguousarray(np.broadcast_to(mask, wanted))
    except ValueError:
        raise ValueError(
            f"{operator}: expected a mask broadcastable to {wanted}, got {mask.shape}; one mask serves all channels"
        ) from None
