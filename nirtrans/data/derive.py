"""Sources that are made from colour pictures: gray is their luma, line art is drawn from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nirtrans.color.lineart import canny, xdog
from nirtrans.config import Drawing, Preprocessing
from nirtrans.data.cache import DECODED, stamp
from nirtrans.data.folders import ImageFile, open_image
from nirtrans.data.layout import Layout
from nirtrans.data.picture import Collection, Picture, Pixels, Window, cut
from nirtrans.data.readable import open_readable
from nirtrans.data.split import Label
from nirtrans.io.images import read_image, to_unit, write_image

Kind = Literal["gray", "xdog", "canny"]
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue. Source: ITU-R BT.601."""
DRAWINGS: dict[Drawing, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {"xdog": xdog, "canny": canny}


def luma(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the luma [1, H, W] of RGB [3, H, W]."""
    return np.tensordot(np.array([LUMA], dtype=np.float32), rgb, axes=1)


def draw(rgb: NDArray[np.float32], valid: NDArray[np.bool_] | None = None, *, by: Drawing) -> NDArray[np.uint8]:
    """Return the line art of a colour picture, as a file would hold it.

    Args:
        rgb: [3, H, W] in [0, 1].
        valid: [H, W]; other pixels are paper, so that what is cut out gets an outline. None: all of them.
        by: How it is drawn.

    Returns:
        [1, H, W]; paper is 255, lines are 0.
    """
    gray = luma(rgb)[0]
    if valid is not None:
        gray = np.where(valid, gray, np.float32(1))
    return _to_bytes(DRAWINGS[by](gray)[None])


def derive_file(source: Path, target: Path, kind: Kind) -> None:
    """Write what is made of a colour picture, 8 bits deep; alpha and EXIF are kept.

    Args:
        source: A picture; one that is gray is its own luma.
        target: Its suffix decides the format.
        kind: gray, or how lines are drawn.

    Raises:
        DataError: If the source is unreadable.
        InputError: If the target cannot be written or cannot hold the alpha channel.
    """
    image = read_image(source)
    rgb = np.broadcast_to(to_unit(image.pixels).clip(0, 1), (*image.pixels.shape[:2], 3)).transpose(2, 0, 1)
    opaque = None if image.alpha is None else image.alpha > 0
    made = _to_bytes(luma(rgb)) if kind == "gray" else draw(rgb, opaque, by=kind)
    alpha = None if image.alpha is None else _to_bytes(to_unit(image.alpha))
    write_image(target, made[0], alpha=alpha, exif=image.exif)


def _to_bytes(unit: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (unit * 255).round().astype(np.uint8)


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


@dataclass(frozen=True)
class LineArt(Gray):
    """The lines of a colour picture, drawn as a whole and remembered; see `Picture`."""

    colours: ImageFile
    by: Drawing = "xdog"

    def read(self, window: Window | None = None) -> Pixels:
        """Return a part of the drawing."""
        lines, valid = DECODED.get((stamp(self.colours.path), self.by), self._draw)
        return to_unit(cut(lines, window)), None if valid is None else cut(valid, window)

    def _draw(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
        rgb, valid = self.colours.read()
        return draw(rgb, valid, by=self.by), valid


def open_colours(
    layout: Layout, domain: str, labels: Mapping[str, Label], *, by: Drawing = "xdog", skip_bad: bool = False
) -> Collection:
    """Open colour pictures as targets, those that are labelled, and as sources what is made of them.

    Args:
        layout: A folder of pictures.
        domain: gray or lineart.
        labels: Scene and split of each picture.
        by: How line art is drawn.
        skip_bad: Leave unreadable files out.

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
    description = f"{len(targets)} colour pictures of {layout.path.name}"
    if domain == "lineart":
        sources: tuple[Gray, ...] = tuple(LineArt(t.id, t.scene, t, t.split, by=by) for t in targets)
        description += f", lines drawn by {by}"
    else:
        sources = tuple(Gray(t.id, t.scene, t, t.split) for t in targets)
    return Collection(sources, tuple(targets), True, Preprocessing(bands=(domain,)), description)
