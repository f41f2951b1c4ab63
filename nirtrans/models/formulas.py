"""Systems without networks: nothing to train and nothing to load, named in place of a weights file."""

from typing import ClassVar

from nirtrans.color.guidance import Guidance
from nirtrans.config import Settings
from nirtrans.errors import InputError
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.registry import Registry


class Formula(ChromaSystem):
    """A rule by which hints colour a picture; it sees pictures as they are, only shrunk if they are large.

    Attributes:
        short_side_px: Shorter side that larger pictures are shrunk to.
    """

    phases = {}
    inference = ()
    guidance = frozenset({"points"})
    needs_guidance = True
    short_side_px: ClassVar[int]

    def __init__(self, params: Settings | None = None, *, in_channels: int = 1) -> None:
        super().__init__(params or self.Params(), in_channels=in_channels)


FORMULAS: Registry[Formula] = Registry("formula")
"""What `--weights` may name for pictures whose lightness stays."""


def hints_in(guidance: Guidance | None) -> Guidance:
    """Return the guidance if every picture has a hint.

    Raises:
        InputError: If not.
    """
    if guidance is None or not bool(guidance.mask.flatten(1).any(1).all()):
        raise InputError("this formula colours by hints, got none; give --hints or --scribbles")
    return guidance
