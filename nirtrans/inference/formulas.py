"""Colorizers that need no weights file: what `--weights` may name instead."""

from nirtrans.config import DataSettings, Preprocessing, Run
from nirtrans.inference.spectral import FORMULAS as SPECTRAL
from nirtrans.inference.spectral import spectral_system
from nirtrans.models.formulas import FORMULAS
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo


def formula_names() -> list[str]:
    """Return all names."""
    return [*SPECTRAL, *FORMULAS.names()]


def formula_system(name: str) -> tuple[System, ModelInfo]:
    """Return the formula called `name`, one of `formula_names`, and what a weights file would say of it."""
    if name in SPECTRAL:
        return spectral_system(name)
    system = FORMULAS.find(name)()
    run = Run(model=name, domain="gray", data=DataSettings(short_side_px=system.short_side_px))
    rule = Preprocessing(bands=("gray",))
    return system.eval(), ModelInfo(model=name, run=run, preprocessing=rule, halo_px=0, stride_px=1, bounded=False)
