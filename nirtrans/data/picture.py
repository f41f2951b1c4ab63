"""Pictures that can be read in parts, and collections of them: what a run trains and validates on."""

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from nirtrans.config import Preprocessing

Window = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""
Pixels = tuple[NDArray[np.float32], NDArray[np.bool_] | None]
"""[C, H, W] in [0, 1], and [H, W] that is False at nodata, or None where every pixel is valid."""
Part = Literal["train", "val", "test", "all"]


class Picture(Protocol):
    """One source or target that can be read in parts."""

    @property
    def id(self) -> str:
        """Name in reports."""

    @property
    def scene(self) -> str:
        """Place that it shows; splits never cut through a scene."""

    @property
    def split(self) -> str | None:
        """One of train, val and test; None until it is decided."""

    @property
    def group(self) -> str | None:
        """Class of scenes that it belongs to, such as forest; None if nobody said."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""

    @property
    def channels(self) -> int:
        """Number of channels that `read` returns."""

    @property
    def turnable(self) -> bool:
        """Whether it may be turned by 90 degrees, as views from above may."""

    def read(self, window: Window | None = None) -> Pixels:
        """Read a part, or all of it; raises DataError naming the file if that fails."""


@dataclass(frozen=True)
class InMemory:
    """A picture whose pixels are at hand; see `Picture`."""

    id: str
    scene: str
    pixels: NDArray[np.float32]
    split: str | None = None
    turnable: bool = True
    group: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.pixels.shape[0]

    def read(self, window: Window | None = None) -> Pixels:
        """Return a view of the pixels."""
        return cut(self.pixels, window), None


def cut(pixels: NDArray, window: Window | None) -> NDArray:
    """Return a view of the window of [..., H, W]; all of it if the window is None."""
    if window is None:
        return pixels
    top, left, height, width = window
    return pixels[..., top : top + height, left : left + width]


@dataclass(frozen=True)
class Collection:
    """Sources and targets of one run.

    Attributes:
        sources: What is translated.
        targets: Colour pictures; aligned with `sources` one to one if `aligned`.
        aligned: Whether sources[i] and targets[i] show the same place, pixel by pixel.
        preprocessing: How file values became [0, 1].
        description: What it was made from, for the weights file.
        loose_sources: Sources without a partner beside aligned ones; steps of unpaired batches draw from both.
        loose_targets: Likewise.
    """

    sources: tuple[Picture, ...]
    targets: tuple[Picture, ...]
    aligned: bool
    preprocessing: Preprocessing
    description: str
    loose_sources: tuple[Picture, ...] = ()
    loose_targets: tuple[Picture, ...] = ()

    @property
    def every_source(self) -> tuple[Picture, ...]:
        """Sources with and without a partner."""
        return self.sources + self.loose_sources

    @property
    def every_target(self) -> tuple[Picture, ...]:
        """Targets with and without a partner."""
        return self.targets + self.loose_targets

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that the sources belong to, sorted: the place of a name is the number of its class."""
        return tuple(sorted({picture.group for picture in self.every_source if picture.group is not None}))

    def part(self, name: Part) -> "Collection":
        """Return the pictures of one split; "all" is everything."""
        if name == "all":
            return self

        def chosen(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
            return tuple(picture for picture in pictures if picture.split == name)

        return replace(
            self,
            sources=chosen(self.sources),
            targets=chosen(self.targets),
            loose_sources=chosen(self.loose_sources),
            loose_targets=chosen(self.loose_targets),
        )
