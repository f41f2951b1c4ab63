"""Spread known colours over a picture: smoothly within regions of like brightness, not across edges.

Source: Levin, Lischinski, Weiss: "Colorization using optimization", SIGGRAPH 2004, equation 2 and the weights of the
code published with it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, bicgstab, spilu, splu

VARIANCE_SHARE, FAINTEST, LEAST_VARIANCE = 0.6, 0.01, 2e-6
"""Width of the weights: a share of the variance of the window, at least so much that the most similar neighbour weighs
0.01, and never 0. Source: published code."""
DIRECT_PX = 2**19
"""Unknown pixels up to which the system is solved exactly; the factors take about 1.4 kB per pixel."""
DROPPED, FILL = 1e-4, 20
"""Of the incomplete factors beyond: what is left out of them, and how much larger than the system they may be."""
PRECISION, MOST_ROUNDS = 1e-6, 1000
"""Of the iteration: residual as a share of the right side, and rounds after which the best so far is taken."""
ORDER = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0}
"""Rows are diagonally dominant, so that no pivots are needed and the order may follow the grid: half of the factors."""
NEIGHBOURS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)]

Plane = NDArray[np.float64]


def propagate(brightness: Plane, colours: Plane, hinted: NDArray[np.bool_]) -> Plane:
    """Find the colours of all pixels from those of some.

    Args:
        brightness: [H, W] in [0, 1].
        colours: [C, H, W]; read where `hinted`.
        hinted: [H, W], at least one True.

    Returns:
        [C, H, W]; where `hinted` exactly `colours`.
    """
    free, known = np.flatnonzero(~hinted), np.flatnonzero(hinted)
    flat = colours.reshape(len(colours), -1)
    solved = flat.copy()
    if len(free):
        rows = neighbour_weights(brightness)[free]
        system = sparse.identity(len(free), format="csc") - rows[:, free].tocsc()
        solved[:, free] = solve(system, (rows[:, known] @ flat[:, known].T)).T
    return solved.reshape(colours.shape)


def solve(system: sparse.csc_array, right: Plane) -> Plane:
    """Solve system x = right, [K, K] and [K, C].

    Up to `DIRECT_PX` unknowns by factors, exactly; beyond by BiCGStab (van der Vorst 1992) with incomplete factors, to
    a residual of 1e-6.
    """
    if system.shape[0] <= DIRECT_PX:
        return splu(system, options={"SymmetricMode": True}, **ORDER).solve(right)
    factors = spilu(system, drop_tol=DROPPED, fill_factor=FILL, **ORDER)
    near = LinearOperator(system.shape, factors.solve)
    columns = [
        bicgstab(system, column, x0=near @ column, M=near, rtol=PRECISION, maxiter=MOST_ROUNDS)[0] for column in right.T
    ]
    return np.stack(columns, axis=1)


def neighbour_weights(brightness: Plane) -> sparse.csr_array:
    """Return how much each neighbour counts for a pixel: [H * W, H * W], rows sum to 1.

    A window is the pixel and its up to eight neighbours inside the picture.
    """
    height, width = brightness.shape
    padded = np.pad(brightness, 1, constant_values=np.nan)
    window = np.stack([padded[1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in NEIGHBOURS])  # [8, H, W]
    squares = (window - brightness) ** 2
    everyone = np.concatenate([window, brightness[None]])
    spread = np.maximum(VARIANCE_SHARE * np.nanvar(everyone, axis=0), -np.nanmin(squares, axis=0) / np.log(FAINTEST))
    weight = np.nan_to_num(np.exp(-squares / np.maximum(spread, LEAST_VARIANCE)))  # [8, H, W], 0 outside
    weight /= weight.sum(axis=0)
    index = np.arange(height * width)
    column = np.stack([index + y * width + x for y, x in NEIGHBOURS])
    inside = ~np.isnan(window).reshape(8, -1)
    rows = np.broadcast_to(index, column.shape)
    entries = (weight.reshape(8, -1)[inside], (rows[inside], column[inside]))
    return sparse.csr_array(entries, shape=(height * width, height * width))
