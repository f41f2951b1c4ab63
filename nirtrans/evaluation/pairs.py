"""The pairs that a model is judged on, whole, with the pixels that count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nirtrans.data.collection import Collection, Part
from nirtrans.data.rasters import RasterTile
from nirtrans.data.stretch import Stretch
from nirtrans.errors import DataError
from nirtrans.inference.scene import ArrayScene

SPLITS: tuple[Part, ...] = ("test", "val", "all")


@dataclass(frozen=True)
class Pair:
    """One source and its truth.

    Attributes:
        id: Name of the source.
        source: [C, H, W] in [0, 1], with its own mask.
        truth: [3, H, W] in [0, 1].
        valid: [H, W], False where source or truth is nodata; None where all is valid.
        stretch: How reflectance became the truth; None if the truth is a picture.
    """

    id: str
    source: ArrayScene
    truth: NDArray[np.float32]
    valid: NDArray[np.bool_] | None
    stretch: Stretch | None = None


def read_pairs(collection: Collection, *, indices: Sequence[int] | None = None) -> Iterator[Pair]:
    """Read aligned pictures one after the other, all or those at `indices`."""
    for index in range(len(collection.sources)) if indices is None else indices:
        source, target = collection.sources[index], collection.targets[index]
        (pixels, source_valid), (truth, truth_valid) = source.read(), target.read()
        masks = [mask for mask in (source_valid, truth_valid) if mask is not None]
        valid = np.logical_and.reduce(masks) if masks else None
        stretch = target.stretch if isinstance(target, RasterTile) else None
        yield Pair(source.id, ArrayScene(pixels, source_valid), truth, valid, stretch)


def choose_split(collection: Collection, split: Part | None) -> tuple[Part, Collection]:
    """Return the part to judge on and its name: the one asked for, else test, else val, else everything.

    Raises:
        DataError: If the pictures are not aligned, or there is none in the part that was asked for.
    """
    if not collection.aligned:
        raise DataError("evaluation needs pairs, these pictures are unpaired; give a folder of pairs or rasters")
    for name in (split,) if split else SPLITS:
        part = collection.part(name)
        if part.sources:
            return name, part
    parts: tuple[Part, ...] = ("train", "val", "test")
    known = ", ".join(f"{len(collection.part(name).sources)} in {name}" for name in parts)
    raise DataError(f"no picture in the split {split or 'all'} ({known}); use --split all")
