"""The NTIRE 2019 challenge on image colorization: how its gray pictures were made, and the hints of its second track.

Track 1 gives the gray picture alone, of 8 bits as its files. Track 2 gives the colours of 5 to 15 random pixels as
well, which a seed and the name of the picture decide: other pictures and their order change nothing.

Gu, Timofte, Zhang et al.: "NTIRE 2019 challenge on image colorization: report", CVPR workshops 2019.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from nirtrans.color.chroma import chroma
from nirtrans.color.guidance import Guidance
from nirtrans.data.collection import Collection
from nirtrans.data.derive import Gray
from nirtrans.data.picture import Pixels, Window
from nirtrans.data.seeds import Seed, ntire_track2_seeds
from nirtrans.errors import DataError, InputError
from nirtrans.evaluation.pairs import Pair
from nirtrans.evaluation.pictures import inside
from nirtrans.inference.photo import GuidanceFor, guidance_at
from nirtrans.io.atomic import make_folder
from nirtrans.io.hint_points import Hints, hints_of
from nirtrans.io.hints import write_hints

ProtocolName = Literal["ntire2019-track1", "ntire2019-track2"]
WEIGHTS = (0.2989, 0.5870, 0.1140)
"""Of red, green and blue in gray; the conversion of MATLAB."""
VARIANTS = ("ssim_u8",)
"""Metrics of the challenge that are not computed anyway; `psnr_u8` is."""


@dataclass(frozen=True)
class NtireGray(Gray):
    """The gray picture of the challenge, of 8 bits; see `Picture`."""

    def read(self, window: Window | None = None) -> Pixels:
        """Read the colours and return their gray."""
        rgb, valid = self.colours.read(window)
        return ntire_gray(rgb), valid


def ntire_gray(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return [1, H, W] of RGB [3, H, W], both in [0, 1]: a weighted sum, rounded to 255 levels.

    Example:
        >>> float(255 * ntire_gray(np.ones((3, 1, 1), np.float32)))
        255.0
    """
    gray = np.tensordot(np.array([WEIGHTS], dtype=np.float64), rgb, axes=1)
    return ((255 * gray).round() / 255).astype(np.float32)


def as_ntire(collection: Collection, domain: str) -> Collection:
    """Return pairs whose sources are made from their targets as the challenge makes them.

    Raises:
        DataError: If there is no target of three channels for every source.
        InputError: If the weights translate something else than gray.
    """
    if domain != "gray":
        raise InputError(f"the NTIRE 2019 challenge is about gray pictures, these weights translate {domain}")
    if not collection.aligned or any(target.channels != 3 for target in collection.targets):
        raise DataError("the NTIRE 2019 challenge needs colour pictures, from which it makes the gray ones")
    sources = tuple(
        NtireGray(source.id, target.scene, target, target.split)
        for source, target in zip(collection.sources, collection.targets, strict=True)
    )
    return replace(collection, sources=sources, loose_sources=(), loose_targets=())


def picture_random(seed: int, name: str) -> np.random.Generator:
    """Return the random numbers of one picture: its name and the seed decide them, nothing else."""
    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype="<u4")
    return np.random.default_rng([seed, *words.tolist()])


class Track2:
    """What the second track tells of each picture: the colours of 5 to 15 pixels; a `HintsFor`.

    Args:
        seed: Decides the pixels, together with the name of the picture.
        folder: Where to write them as ID.txt, one `x y R G B` per line, and ID.json; None does not.
    """

    def __init__(self, seed: int, folder: Path | None = None) -> None:
        self.seed, self.folder = seed, folder

    def __call__(self, pair: Pair) -> GuidanceFor:
        """Return the hints of a pair, at any size; those on pixels without data are left out."""
        known = np.zeros((1, 1, *pair.truth.shape[1:]), np.float32)
        ab = np.zeros((1, 2, *pair.truth.shape[1:]), np.float32)
        for x, y, *rgb in self.points(pair):
            known[..., y, x] = 1
            ab[..., y, x] = chroma(torch.tensor(rgb).view(1, 3, 1, 1) / 255).view(2)
        return guidance_at(Guidance(torch.from_numpy(ab), torch.from_numpy(known)))

    def points(self, pair: Pair) -> list[Seed]:
        """Draw the pixels of a pair: x, y, red, green and blue."""
        shown = np.moveaxis(np.nan_to_num(pair.truth), 0, -1)
        drawn = ntire_track2_seeds(shown, picture_random(self.seed, pair.id))
        return [seed for seed in drawn if pair.valid is None or pair.valid[seed[1], seed[0]]]

    def write(self, pair: Pair) -> None:
        """Write the pixels of a pair, if there is a folder.

        Raises:
            InputError: If the folder cannot be written.
            IOFailure: If writing breaks off.
        """
        points = self.points(pair)
        if self.folder is None or not points:
            return
        path = self.folder.joinpath(*inside(pair.id))
        make_folder(path.parent)
        hints = Hints(hints_of([(*point, 0) for point in points]).points, pair.truth.shape[1:])
        for suffix in (".txt", ".json"):
            write_hints(path.with_name(path.name + suffix), hints)
