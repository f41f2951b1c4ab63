"""Sources that are made from colour pictures: gray is their luma."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nirtrans.config import Preprocessing
from nirtrans.data.folders import open_image
from nirtrans.data.layout import Layout
from nirtrans.data.picture import Collection, Picture, Pixels, Window
from nirtrans.data.readable import open_readable
from nirtrans.data.split import Label

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue. Source: ITU-R BT.601."""


def luma(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the luma [1, H, W] of RGB [3, H, W]."""
    return np.tensordot(np.array([LUMA], dtype=np.float32), rgb, axes=1)


@dataclass(frozen=True)
class Gray:
    """The luma of a colour picture; see `Picture`."""

    id: str
    scene: str
    colours: Picture
    split: str | None = None
    channels: int = 1

    @property
    def group(self) -> str | None:
        """As the colours."""
        return self.colours.group

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.colours.size

    @property
    def turnable(self) -> bool:
        """As the colours."""
        return self.colours.turnable

    def read(self, window: Window | None = None) -> Pixels:
        """Read the colours and return their luma."""
        rgb, valid = self.colours.read(window)
        return luma(rgb), valid


def open_colours(layout: Layout, labels: Mapping[str, Label], *, skip_bad: bool = False) -> Collection:
    """Open colour pictures as targets and their luma as sources; those that are labelled.

    Raises:
        DataError: If a file is unreadable or gray.
    """
    paths = layout.groups["pictures"]
    targets = open_readable(
        labels,
        lambda name: open_image(paths[name], labels[name], channels=3, thorough=skip_bad),
        folder=layout.path,
        skip_bad=skip_bad,
    )
    sources = tuple(Gray(target.id, target.scene, target, target.split) for target in targets)
    description = f"{len(targets)} colour pictures of {layout.path.name}"
    return Collection(sources, tuple(targets), True, Preprocessing(bands=("gray",)), description)
