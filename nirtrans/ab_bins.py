"""The 313 bins of the ab plane that colorization networks classify, and the rule they follow from.

Rule: of the grid a, b in {-110, -100, ..., 110} keep the points whose square of side 20 touches the convex hull of the
ab values of all sRGB colours. The points are ordered by a, then b; grey is number 120. Neither torch nor the compiled
library is needed here.

Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, section 2 and the published list of points.
"""

import numpy as np
from numpy.typing import NDArray

STEP = 10
REACH = 110
# a: the smallest and the largest b that are kept; those between are kept as well.
B_RANGES = {
    **{-90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100), -40: (-40, 100), -30: (-50, 100)},
    **{-20: (-50, 100), -10: (-60, 100), 0: (-70, 100), 10: (-80, 90), 20: (-80, 90), 30: (-90, 90), 40: (-100, 90)},
    **{50: (-100, 80), 60: (-110, 80), 70: (-110, 80), 80: (-110, 70), 90: (-110, 70), 100: (-90, 0)},
}
RGB_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
D65 = (0.95047, 1.0, 1.08883)


def ab_table() -> NDArray[np.float32]:
    """Return the 313 bins, [313, 2] as (a, b) in CIE units, a fresh array."""
    return np.array([(a, b) for a, (low, high) in B_RANGES.items() for b in range(low, high + 1, STEP)], np.float32)


def derive_ab_table(steps: int = 52) -> NDArray[np.float32]:
    """Compute the bins from the rule instead of reading them.

    Args:
        steps: Samples of the sRGB cube per channel; 52 and 256 give the same bins.

    Returns:
        Bins, [313, 2] as (a, b) in CIE units.
    """
    hull = _convex_hull(_ab_of_srgb(_cube_surface(steps)))
    edges = np.roll(hull, -1, axis=0) - hull
    outward = np.stack([edges[:, 1], -edges[:, 0]], axis=1)
    offset = (hull * outward).sum(axis=1)
    axis = np.arange(-REACH, REACH + 1, STEP)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    # Two convex shapes are disjoint iff an edge of one of them separates them.
    beyond_square = (grid + STEP < hull.min(axis=0)).any(axis=1) | (grid - STEP > hull.max(axis=0)).any(axis=1)
    nearest_corner = grid @ outward.T - STEP * np.abs(outward).sum(axis=1)
    beyond_hull = (nearest_corner > offset).any(axis=1)
    return grid[~(beyond_square | beyond_hull)].astype(np.float32)


def _cube_surface(steps: int) -> NDArray[np.float64]:
    """The faces of the sRGB cube: colours inside it lie inside the hull of their ab values."""
    levels = np.linspace(0, 1, steps)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    return cube[((cube == 0) | (cube == 1)).any(axis=1)]


def _ab_of_srgb(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(RGB_TO_XYZ).T / D65
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def _convex_hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners in counter-clockwise order (Andrew's monotone chain)."""
    ordered = sorted(map(tuple, points))
    return np.array(_chain(ordered)[:-1] + _chain(ordered[::-1])[:-1])


def _chain(points: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    corners: list[tuple[float, ...]] = []
    for point in points:
        while len(corners) > 1 and _turn(corners[-2], corners[-1], point) <= 0:
            corners.pop()
        corners.append(point)
    return corners


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
