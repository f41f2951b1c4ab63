"""Losses as modules: 1 - value."""

from typing import Any

from torch import Tensor, nn

from nirtrans.arguments import check_choice, check_product, check_window
from nirtrans.kernels.ssim import REDUCTIONS, dissimilar_sum, ms_ssim, ssim


class SSIMLoss(nn.Module):
    """1 - SSIM.

    Args:
        options: Keywords of `nirtrans.kernels.ssim` but for mask. reduction "mean" gives 1 - mean, "sum" the sum of
            1 - s over the counted points, "none" 1 - map.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = _known(options, ssim)

    def extra_repr(self) -> str:
        return _shown(self.options)

    def forward(self, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """Compare (N, C, H, W) with (N, C, H, W); see `nirtrans.kernels.ssim`."""
        if self.options.get("reduction") == "sum":
            return dissimilar_sum(x, y, mask=mask, **{k: v for k, v in self.options.items() if k != "reduction"})
        return 1 - ssim(x, y, mask=mask, **self.options)


class MSSSIMLoss(nn.Module):
    """1 - MS-SSIM.

    Args:
        options: Keywords of `nirtrans.kernels.ms_ssim` but for mask; reductions as for `SSIMLoss`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = _known(options, ms_ssim)
        given = _with_defaults(options, ms_ssim)
        check_product(given["weights"], given["normalize"], given["eps"])

    def extra_repr(self) -> str:
        return _shown(self.options)

    def forward(self, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """Compare (N, C, H, W) with (N, C, H, W); see `nirtrans.kernels.ms_ssim`."""
        if self.options.get("reduction") == "sum":
            return (1 - ms_ssim(x, y, mask=mask, **self.options | {"reduction": "none"})).sum()
        return 1 - ms_ssim(x, y, mask=mask, **self.options)


def _shown(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={option!r}" for name, option in options.items())


def _with_defaults(options: dict[str, Any], function: Any) -> dict[str, Any]:
    return function.__kwdefaults__ | options


def _known(options: dict[str, Any], function: Any) -> dict[str, Any]:
    """Return the options; what the function would refuse on its first call is refused here."""
    known = set(function.__kwdefaults__) - {"mask"}
    if unknown := sorted(set(options) - known):
        raise TypeError(
            f"{function.__name__}: expected options among {', '.join(sorted(known))}, got {', '.join(unknown)}; "
            "the mask is an argument of forward"
        )
    given = _with_defaults(options, function)
    check_window(function.__name__, *(given[name] for name in ("data_range", "window_size", "sigma", "padding")))
    check_choice(function.__name__, "reduction", given["reduction"], REDUCTIONS)
    return options
