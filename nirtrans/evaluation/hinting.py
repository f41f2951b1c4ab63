"""What weights are given beside the picture when they are judged: hints, if there are any and they take them."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import InputError
from nirtrans.evaluation.pairs import Pair
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.photo import GuidanceFor, keeps_lightness
from nirtrans.models.chroma_system import ChromaSystem

HintsFor = Callable[[Pair], GuidanceFor]
"""Says what is known of the colours of a pair."""


def takes_points(colorizer: Colorizer) -> bool:
    """Tell whether weights understand colours of single pixels."""
    system = colorizer.system
    fitting = keeps_lightness(system, colorizer.info)
    return fitting and isinstance(system, ChromaSystem) and "points" in system.guidance


def guidance_of(colorizer: Colorizer, pair: Pair, hints_for: HintsFor | None) -> GuidanceFor | None:
    """Return what weights are told of a pair; None if there is nothing to tell, or nothing that they understand."""
    return hints_for(pair) if hints_for is not None and takes_points(colorizer) else None


def colours_of(colorizer: Colorizer, pair: Pair, hints_for: HintsFor | None = None) -> NDArray[np.float32]:
    """Return what weights make of a pair, [3, H, W]."""
    return colorizer.colorize_array(pair.source, guidance_of(colorizer, pair, hints_for))


def check_hints(colorizers: Mapping[str, Colorizer], *, given: bool) -> list[str]:
    """Return the names of weights that will be judged without the hints that are given.

    Raises:
        InputError: If weights cannot do without hints, and there are none.
    """
    for name, colorizer in colorizers.items():
        if getattr(colorizer.system, "needs_guidance", False) and not given:
            raise InputError(f"{name} colours from hints alone; judge it by --protocol ntire2019-track2")
    return [name for name, colorizer in colorizers.items() if given and not takes_points(colorizer)]
