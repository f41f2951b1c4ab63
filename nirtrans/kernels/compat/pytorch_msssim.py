"""Drop-in for pytorch-msssim: `from nirtrans.kernels.compat.pytorch_msssim import ssim, ms_ssim, SSIM, MS_SSIM`.

As there, images are expected in [0, 255] unless data_range says otherwise. Not taken over: dimensions of size 1 are
kept, volumes are refused, and `win` (a window of one's own) must be None.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nirtrans.arguments import check_levels, check_product
from nirtrans.kernels._ssim_inputs import make_window, prepare
from nirtrans.kernels.reference.ssim import power_product
from nirtrans.kernels.ssim import MS_SSIM_WEIGHTS, level_means, plane_means

Constants = tuple[float, float]


def ssim(
    X: Tensor,
    Y: Tensor,
    data_range: float = 255,
    size_average: bool = True,
    win_size: int = 11,
    win_sigma: float = 1.5,
    win: None = None,
    K: Constants = (0.01, 0.03),
    nonnegative_ssim: bool = False,
) -> Tensor:
    """Return SSIM of (N, C, H, W): a scalar, or (N,) if not size_average; see `nirtrans.kernels.ssim`.

    Raises:
        TypeError: If an image is not floating point.
        ValueError: If shapes or options do not fit, or win is given.
    """
    _refuse_window("ssim", win)
    window = make_window("ssim", data_range, win_size, win_sigma, "valid", K)
    x, y, _ = prepare("ssim", X, Y, None, window)
    per_channel = plane_means(x, y, None, window)
    if nonnegative_ssim:
        per_channel = per_channel.relu()
    return _reduced(per_channel, size_average, x)


def ms_ssim(
    X: Tensor,
    Y: Tensor,
    data_range: float = 255,
    size_average: bool = True,
    win_size: int = 11,
    win_sigma: float = 1.5,
    win: None = None,
    weights: Sequence[float] | None = None,
    K: Constants = (0.01, 0.03),
) -> Tensor:
    """Return MS-SSIM of (N, C, H, W): a scalar, or (N,) if not size_average; see `nirtrans.kernels.ms_ssim`.

    Raises:
        TypeError: If an image is not floating point.
        ValueError: If shapes or options do not fit, or win is given.
    """
    _refuse_window("ms_ssim", win)
    exponents = MS_SSIM_WEIGHTS if weights is None else tuple(weights)
    window = make_window("ms_ssim", data_range, win_size, win_sigma, "valid", K)
    x, y, _ = prepare("ms_ssim", X, Y, None, window)
    check_product(exponents, "relu", 0.0)
    check_levels(x.shape[2:], len(exponents), win_size)
    per_channel = power_product(level_means(x, y, None, window, len(exponents)), exponents, "relu", 0.0)
    return _reduced(per_channel, size_average, x)


class SSIM(nn.Module):
    """`ssim` as a module; channel is accepted and not needed, spatial_dims must be 2."""

    def __init__(
        self,
        data_range: float = 255,
        size_average: bool = True,
        win_size: int = 11,
        win_sigma: float = 1.5,
        channel: int = 3,
        spatial_dims: int = 2,
        K: Constants = (0.01, 0.03),
        nonnegative_ssim: bool = False,
    ) -> None:
        super().__init__()
        _refuse_volumes(spatial_dims)
        self.options = (data_range, size_average, win_size, win_sigma, None, K, nonnegative_ssim)

    def forward(self, X: Tensor, Y: Tensor) -> Tensor:
        """Compare (N, C, H, W) with (N, C, H, W)."""
        return ssim(X, Y, *self.options)


class MS_SSIM(nn.Module):
    """`ms_ssim` as a module; channel is accepted and not needed, spatial_dims must be 2."""

    def __init__(
        self,
        data_range: float = 255,
        size_average: bool = True,
        win_size: int = 11,
        win_sigma: float = 1.5,
        channel: int = 3,
        spatial_dims: int = 2,
        weights: Sequence[float] | None = None,
        K: Constants = (0.01, 0.03),
    ) -> None:
        super().__init__()
        _refuse_volumes(spatial_dims)
        self.options = (data_range, size_average, win_size, win_sigma, None, weights, K)

    def forward(self, X: Tensor, Y: Tensor) -> Tensor:
        """Compare (N, C, H, W) with (N, C, H, W)."""
        return ms_ssim(X, Y, *self.options)


def _reduced(per_channel: Tensor, size_average: bool, x: Tensor) -> Tensor:
    real = torch.float64 if x.dtype == torch.float64 else torch.float32
    return (per_channel.mean() if size_average else per_channel.mean(1)).to(real)


def _refuse_window(operator: str, win: object) -> None:
    if win is not None:
        raise ValueError(
            f"{operator}: expected win=None, got a {type(win).__name__}; set win_size and win_sigma instead"
        )


def _refuse_volumes(spatial_dims: int) -> None:
    if spatial_dims != 2:
        raise ValueError(f"expected spatial_dims=2, got {spatial_dims}; merge the depth of volumes into the batch")
