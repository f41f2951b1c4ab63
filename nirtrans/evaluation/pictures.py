"""Predictions as files, to be looked at one by one or measured by others."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.evaluation.pairs import Pair
from nirtrans.io.atomic import make_folder
from nirtrans.io.images import write_image


class PictureFolder:
    """Writes colours as FOLDER/MODEL/ID.png, 8 bit, transparent where they are undefined.

    A slash in a name becomes a subfolder, as with sources that are joined.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, model: str, pair: Pair, colours: NDArray[np.float32]) -> None:
        """Write the colours [3, H, W] in [0, 1] that a model gives a pair.

        Raises:
            InputError: If the folder cannot be written.
            IOFailure: If writing breaks off.
        """
        path = self.folder.joinpath(*inside(model), *inside(f"{pair.id}.png"))
        make_folder(path.parent)
        samples = (255 * np.nan_to_num(colours).clip(0, 1)).round().astype(np.uint8).transpose(1, 2, 0)
        alpha = None if pair.source.valid is None else 255 * pair.source.valid.astype(np.uint8)
        write_image(path, np.ascontiguousarray(samples), alpha=alpha)


def inside(name: str) -> list[str]:
    """Split a name into parts that lead nowhere but down."""
    return [part if part.strip(".") else "_" for part in name.split("/") if part]
