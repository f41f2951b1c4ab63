"""Folders of pictures: registered pairs, the unpaired trainA/trainB convention, and colour pictures alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.config import Preprocessing
from nirtrans.data.cache import DECODED, stamp
from nirtrans.data.layout import Layout
from nirtrans.data.picture import Collection, Pixels, Window, cut
from nirtrans.data.readable import SHOWN, open_readable
from nirtrans.data.split import Label
from nirtrans.errors import DataError
from nirtrans.io.images import ends_properly, image_size, read_image, to_unit


@dataclass(frozen=True)
class ImageFile:
    """A picture in a file; see `Picture`. A colour file read as one channel must be gray; alpha 0 is nodata."""

    id: str
    scene: str
    path: Path
    size: tuple[int, int]
    channels: int
    split: str | None = None
    turnable: bool = False
    group: str | None = None

    def read(self, window: Window | None = None) -> Pixels:
        """Decode the file, or take it from the cache, and cut the window out of it."""
        pixels, alpha = DECODED.get((stamp(self.path), self.channels), self._decode)
        valid = None if alpha is None else cut(alpha, window) > 0
        return to_unit(cut(pixels.transpose(2, 0, 1), window)), valid

    def _decode(self) -> tuple[NDArray, NDArray | None]:
        image = read_image(self.path)
        pixels = image.pixels
        if pixels.shape[2] > self.channels:
            if np.ptp(pixels, axis=2).any():
                raise DataError(
                    f"{self.path}: a colour picture where a single channel was expected; is the folder right?"
                )
            pixels = pixels[..., :1]
        if pixels.dtype == np.float32 and not (pixels.min() >= 0 and pixels.max() <= 1):
            low, high = pixels.min(), pixels.max()
            raise DataError(
                f"{self.path}: floats from {low:g} to {high:g} where 0 to 1 is expected; rescale the pictures"
            )
        return pixels, image.alpha


def open_pairs(layout: Layout, domain: str, labels: Mapping[str, Label], *, skip_bad: bool = False) -> Collection:
    """Open sources and colours of one name as aligned pairs; those that are labelled.

    Raises:
        DataError: If names do not match, sizes differ within a pair, or a file is unreadable.
    """
    sources, targets = layout.groups.values()
    _check_names(layout)

    def open_pair(name: str) -> tuple[ImageFile, ImageFile]:
        source = open_image(sources[name], labels[name], channels=1, thorough=skip_bad)
        target = open_image(targets[name], labels[name], channels=3, thorough=skip_bad)
        if source.size != target.size:
            sizes = " and ".join(f"{height}x{width}" for height, width in (source.size, target.size))
            raise DataError(f"{layout.path}: the pair {name} has the sizes {sizes}; both must be equal")
        return source, target

    pairs = open_readable(labels, open_pair, folder=layout.path, skip_bad=skip_bad)
    return Collection(
        sources=tuple(source for source, _ in pairs),
        targets=tuple(target for _, target in pairs),
        aligned=True,
        preprocessing=Preprocessing(bands=(domain,)),
        description=f"{len(pairs)} pairs of {layout.path.name}",
    )


def open_unpaired(layout: Layout, domain: str, *, skip_bad: bool = False) -> Collection:
    """Open trainA and testA as sources, trainB and testB as targets; the folders decide the split.

    Raises:
        DataError: If a file is unreadable, or a target is gray.
    """

    def open_side(letter: str, channels: int) -> tuple[ImageFile, ...]:
        paths = [path for part, files in layout.groups.items() if part.endswith(letter) for path in files.values()]

        def open_one(path: Path) -> ImageFile:
            part = path.parent.name
            label = Label(path.stem, f"{part}/{path.stem}", part.removesuffix(letter))
            return open_image(path, label, channels=channels, thorough=skip_bad)

        return tuple(open_readable(paths, open_one, folder=layout.path, skip_bad=skip_bad))

    sources, targets = open_side("A", 1), open_side("B", 3)
    description = f"{len(sources)} and {len(targets)} unpaired pictures of {layout.path.name}"
    return Collection(sources, targets, False, Preprocessing(bands=(domain,)), description)


def open_image(path: Path, label: Label, *, channels: int, thorough: bool = False) -> ImageFile:
    """Read the header of a picture and check that the file is complete and has the channels that are needed.

    Args:
        path: The file.
        label: Its name, scene and split.
        channels: 1 or 3.
        thorough: Decode it all instead of trusting the end of the file.

    Raises:
        DataError: If it is unreadable, truncated, gray where colour is needed, or the reverse.
    """
    height, width, found = image_size(path)
    picture = ImageFile(label.name, label.scene, path, (height, width), channels, label.split, group=label.group)
    if found < channels:
        raise DataError(f"{path}: a gray picture where colour was expected; is the folder the right one?")
    if found > channels or thorough or not ends_properly(path):
        picture.read((0, 0, 1, 1))
    return picture


def _check_names(layout: Layout) -> None:
    """Refuse pairs with one half missing, listing the first few."""
    folder, sides = layout.path, list(layout.groups.items())
    for (have, files), (lack, others) in (sides, sides[::-1]):
        if names := files.keys() - others:
            first = ", ".join(sorted(names)[:SHOWN])
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            raise DataError(
                f"{folder}: {first}{more} in {have}/ without a file of the same name in {lack}/; add or remove them"
            )
