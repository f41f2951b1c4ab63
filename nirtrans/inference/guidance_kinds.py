"""Whether weights understand what is said of the colours, and who does if they do not."""

from collections.abc import Collection
from typing import get_args

from nirtrans.color.guidance import Guidance
from nirtrans.errors import InputError
from nirtrans.models import MODELS
from nirtrans.models.chroma_system import ChromaSystem, GuidanceKind
from nirtrans.models.formulas import FORMULAS
from nirtrans.models.system import System

WORDS: dict[GuidanceKind, str] = {"points": "hints", "histogram": "palette"}


def check_guidance(system: System, guidance: Guidance | None) -> None:
    """Refuse guidance that a system does not understand, and the lack of hints that it needs.

    Raises:
        InputError: See above; names the models that do.
    """
    asked = kinds_of(guidance)
    check_kinds(system, asked)
    if isinstance(system, ChromaSystem) and system.needs_guidance and "points" not in asked:
        raise InputError("these weights colour from hints alone; give --hints or --scribbles")


def check_kinds(system: System, asked: Collection[GuidanceKind]) -> None:
    """Refuse kinds of guidance that a system does not understand; raises as `check_guidance`."""
    known = system.guidance if isinstance(system, ChromaSystem) else frozenset[GuidanceKind]()
    for kind in get_args(GuidanceKind):
        if kind in asked and kind not in known:
            able = ", ".join(models_for(kind))
            raise InputError(
                f"these weights take no {WORDS[kind]}; leave out what is given, or use a model for it: {able}"
            )


def kinds_of(guidance: Guidance | None) -> set[GuidanceKind]:
    """Return what a guidance speaks of."""
    kinds: set[GuidanceKind] = set()
    if guidance is not None and bool(guidance.mask.any()):
        kinds.add("points")
    if guidance is not None and (guidance.histogram is not None or guidance.saturation is not None):
        kinds.add("histogram")
    return kinds


def models_for(kind: GuidanceKind) -> list[str]:
    """Return the models and formulas that understand a kind of guidance, or may be set to."""
    models = [name for name in MODELS.names() if kind in getattr(MODELS.find(name), "guidance", ())]
    return models + [name for name in FORMULAS.names() if kind in FORMULAS.find(name).guidance]
