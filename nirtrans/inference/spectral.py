"""Colours by published formulas, without any training: baselines where a sensor has visible bands beside near infrared.

Vegetation is brighter in a true green band than in the one that some sensors have; the formulas mend green by a share
of near infrared. Bands are reflectance; sun zenith and Rayleigh corrections, which precede them in the literature, are
the user's. For a single band of near infrared there is no such formula.

Source: Miller et al., A Sight for Sore Eyes: The Return of True Color to Geostationary Satellites, 2016 (hybrid green);
the composites of Satpy, which name them hybrid green, NDVI hybrid green and the spectral blend of AHI.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from nirtrans.config import Preprocessing, Run, Settings
from nirtrans.data.synthetic import DISPLAY_GAMMA, DISPLAY_TOP
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo

BANDS = ("red", "green", "blue", "nir")
BRIGHTEST = 0.6
"""Reflectance that is 1 for the formulas; brighter pixels are shown white anyway."""
NIR_SHARES = (0.15, 0.05)
"""Shares of near infrared in green at NDVI 0 and 1, the defaults of Satpy."""


def hybrid_green(red: Tensor, green: Tensor, nir: Tensor) -> Tensor:
    """Return 0.85 green + 0.15 near infrared, all [N, H, W]."""
    return 0.85 * green + 0.15 * nir


def ndvi_green(red: Tensor, green: Tensor, nir: Tensor) -> Tensor:
    """Return green with a share of near infrared that falls from 0.15 to 0.05 as NDVI goes from 0 to 1, [N, H, W]."""
    ndvi = ((nir - red) / (nir + red).clamp_min(1e-6)).clamp(0, 1)
    bare, green_leaves = NIR_SHARES
    share = bare + (green_leaves - bare) * ndvi
    return (1 - share) * green + share * nir


def ahi_green(red: Tensor, green: Tensor, nir: Tensor) -> Tensor:
    """Return 0.63 green + 0.29 red + 0.08 near infrared, all [N, H, W]."""
    return 0.63 * green + 0.29 * red + 0.08 * nir


FORMULAS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "spectral-hybrid-green": hybrid_green,
    "spectral-ndvi-green": ndvi_green,
    "spectral-ahi-green": ahi_green,
}
"""What `--weights` may name instead of a file."""


class Spectral(System):
    """Red and blue as they are, green by a formula, shown as true-colour targets are in training."""

    phases = {}
    inference = ()
    domains = frozenset({"nir"})
    paper = "Miller et al. 2016; Satpy"

    def __init__(self, formula: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__(Settings(), in_channels=len(BANDS))
        self.formula = formula

    def colorize(self, source: Tensor) -> Tensor:
        """Show [N, 4, H, W], red, green, blue, near infrared over 0 to 0.6, as sRGB [N, 3, H, W] in [0, 1]."""
        red, green, blue, nir = (BRIGHTEST * source).unbind(1)
        linear = torch.stack([red, self.formula(red, green, nir), blue], dim=1)
        return (linear / DISPLAY_TOP).clamp(0, 1) ** (1 / DISPLAY_GAMMA)


def spectral_system(name: str) -> tuple[Spectral, ModelInfo]:
    """Return the baseline called `name`, one of `FORMULAS`, and what weights would say of it."""
    rule = Preprocessing(kind="raster", bands=BANDS, units="reflectance", input_range=(0.0, BRIGHTEST))
    info = ModelInfo(model=name, run=Run(model=name, domain="nir"), preprocessing=rule, halo_px=0, stride_px=1)
    return Spectral(FORMULAS[name]).eval(), info
