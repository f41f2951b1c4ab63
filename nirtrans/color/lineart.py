"""Line drawings out of gray pictures: white paper is 1, black lines are 0.

| function | lines | source |
|---|---|---|
| `canny` | 0 or 1, 1 px wide, on both sides of a drawn stroke | Canny 1986, as `skimage.feature.canny` defines it |
| `xdog` | soft, as wide as the strokes, dark sides of edges | Winnemoeller, Kyprianidis, Olsen 2012, equations 4 to 7 |

Both look at neighbours, so a part of a picture has to be cut out of the drawing of the whole. NumPy alone is used.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
"""One channel, [H, W], floating point."""
TRUNCATION = 4.0
"""Gaussians are cut off at so many standard deviations, as in SciPy."""


def canny(gray: Plane, *, sigma: float = 1.0, low: float = 0.1, high: float = 0.2) -> NDArray[np.float32]:
    """Draw the edges of a picture as lines of one pixel.

    Smoothing, Sobel gradients, suppression of what is no maximum across the edge, and hysteresis: weak edges stay where
    they touch strong ones. The outermost pixels hold no edges. Pixel by pixel that of
    `skimage.feature.canny` on float64.

    Args:
        gray: [H, W] in [0, 1].
        sigma: Width of the Gaussian, pixels.
        low: Weak edges have at least this gradient; a black and white step has about 2.6 at sigma 1.
        high: Strong edges likewise.

    Returns:
        [H, W], 0 on edges and 1 elsewhere.

    Example:
        >>> step = np.repeat([[0.0, 0.0, 0.5, 1.0, 1.0]], 5, axis=0)
        >>> canny(step)[2].tolist()
        [1.0, 1.0, 0.0, 1.0, 1.0]
    """
    smooth = blur(gray.astype(np.float64), sigma)
    down, right = _sobel(smooth, axis=0), _sobel(smooth, axis=1)
    strength = np.hypot(down, right)
    ridge = _ridge(strength, down, right) & (strength >= low)
    edges = _connected(ridge & (strength >= high), ridge)
    return (~edges).astype(np.float32)


def xdog(
    gray: Plane, *, sigma: float = 0.8, k: float = 1.6, p: float = 30.0, epsilon: float = 0.0, phi: float = 4.0
) -> NDArray[np.float32]:
    """Draw a picture by an extended difference of Gaussians, as with a soft pen.

    With G_s the picture smoothed by a Gaussian of width s, the sharpened picture is (1 + p) G_sigma - p G_(k sigma). It
    is white from `epsilon` on and 1 + tanh(phi (value - epsilon)) below. Even ground keeps its own value, so that at
    the default of `epsilon` it is white however dark it is, and only the dark side of edges is drawn; a larger one
    fills what is darker with black. The form of the function is the paper's; the numbers are ours.

    Args:
        gray: [H, W] in [0, 1].
        sigma: Half the width of the lines, pixels.
        k: Ratio of both widths; 1.6 is near the Laplacian of a Gaussian.
        p: Strength of the sharpening: how faint an edge may be.
        epsilon: Level that becomes white.
        phi: How fast lines become black below it.

    Returns:
        [H, W] in [0, 1].

    Example:
        >>> bool((xdog(np.full((8, 8), 0.3)) == 1).all())
        True
    """
    gray = gray.astype(np.float32)
    sharp = (1 + p) * blur(gray, sigma) - p * blur(gray, k * sigma)
    soft = 1 + np.tanh(phi * np.minimum(sharp - epsilon, 0))
    return soft.astype(np.float32)


def blur(plane: Plane, sigma: float) -> Plane:
    """Smooth [H, W] by a Gaussian; beyond the border there is nothing, and what is there counts for more."""
    radius = int(TRUNCATION * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2) if sigma > 0 else np.ones(1)
    weights = (weights / weights.sum()).astype(plane.dtype)
    for axis in (0, 1):
        plane = _filtered(plane, weights, axis)
    return plane


def _filtered(plane: Plane, weights: Plane, axis: int) -> Plane:
    """Correlate along one axis, divided by the sum of the weights that fall inside."""
    radius, length = len(weights) // 2, plane.shape[axis]
    lines = np.moveaxis(plane, axis, 0)
    total, inside = np.zeros_like(lines), np.zeros((length, 1), plane.dtype)
    for offset, weight in zip(range(-radius, radius + 1), weights, strict=True):
        first, last = max(0, -offset), min(length, length - offset)
        if first < last:
            total[first:last] += weight * lines[first + offset : last + offset]
            inside[first:last] += weight
    return np.moveaxis(total / inside, 0, axis)


def _sobel(plane: Plane, axis: int) -> Plane:
    """Return the derivative along an axis by the weights 1-2-1 across it; borders are repeated."""
    padded = np.moveaxis(np.pad(plane, 1, mode="edge"), axis, 0)
    difference = padded[2:] - padded[:-2]
    return np.moveaxis(difference[:, :-2] + 2 * difference[:, 1:-1] + difference[:, 2:], 0, axis)


def _ridge(strength: Plane, down: Plane, right: Plane) -> NDArray[np.bool_]:
    """Tell pixels that are as strong as both neighbours across the edge, which lie between two pixels each."""
    steep = np.abs(down) > np.abs(right)
    larger, smaller = np.maximum(np.abs(down), np.abs(right)), np.minimum(np.abs(down), np.abs(right))
    share = smaller / np.maximum(larger, np.finfo(strength.dtype).tiny)
    falling = down * right < 0  # towards the upper right or the lower left
    padded = np.pad(strength, 1)
    ahead = _between(padded, share, steep, falling, 1)
    behind = _between(padded, share, steep, falling, -1)
    ridge = (ahead <= strength) & (behind <= strength)
    ridge[[0, -1], :] = ridge[:, [0, -1]] = False
    return ridge


def _between(padded: Plane, share: Plane, steep: NDArray, falling: NDArray, sign: int) -> Plane:
    """Interpolate strength one step across the edge, from the nearer straight and the diagonal neighbour."""

    def neighbour(down: int, right: int) -> Plane:
        height, width = share.shape
        return padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]

    across = np.where(falling, neighbour(-sign, 0), neighbour(sign, 0))
    straight = np.where(steep, across, neighbour(0, sign))
    diagonal = np.where(falling, neighbour(-sign, sign), neighbour(sign, sign))
    return share * diagonal + (1 - share) * straight


def _connected(seeds: NDArray[np.bool_], ground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what of `ground` is joined to a seed, by sides or corners: [H, W]."""
    left = np.pad(ground, 1)
    width = left.shape[1]
    steps = np.array([dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    flat, reached = left.ravel(), np.zeros(left.size, bool)
    front = np.flatnonzero(np.pad(seeds, 1))
    while front.size:
        reached[front] = True
        flat[front] = False
        around = (front[:, None] + steps).ravel()
        front = np.unique(around[flat[around]])
    return reached.reshape(left.shape)[1:-1, 1:-1]
