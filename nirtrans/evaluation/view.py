"""How much of a picture is looked at during training: as the system sees pictures when it colorizes."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.data.picture import Picture
from nirtrans.inference.fill import fill_invalid
from nirtrans.inference.forward import Forward
from nirtrans.inference.padding import colorize_any_size
from nirtrans.inference.photo import PhotoModel, colorize_photo, keeps_lightness, photo_model, shrink
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo

FULL_SHARE = 0.999  # of valid pixels below one that counts, as in crops of training


@dataclass(frozen=True)
class View:
    """The middle of a picture as it is, or all of it shrunk for systems that colour pictures so.

    Attributes:
        system: What colorizes; its mode is the caller's concern.
        info: What its weights file would say.
        device: Where it is.
    """

    system: System
    info: ModelInfo
    device: torch.device

    def read(self, picture: Picture, side_px: int) -> tuple[Tensor, Tensor | None]:
        """Return what is seen of a picture, [C, h, w] with holes filled, and where it is valid, [h, w].

        The middle is at most `side_px` high and wide; a shrunken picture is as large as the system asks for.
        """
        if keeps_lightness(self.system, self.info):
            pixels, valid = self._read_small(picture)
        else:
            pixels, valid = picture.read(_middle(picture.size, side_px))
            pixels = fill_invalid(pixels, valid)
        return torch.from_numpy(np.array(pixels)), None if valid is None else torch.from_numpy(np.array(valid))

    def _read_small(self, picture: Picture) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
        pixels, valid = picture.read()
        size = self._photo_model().seen_size(*picture.size).shown
        small = shrink(pixels, size, valid)[0].numpy()
        if valid is None:
            return small, None
        return small, shrink(valid[None].astype(np.float32), size)[0, 0].numpy() > FULL_SHARE

    def colorize(self, source: Tensor) -> Tensor:
        """Translate what `read` returned, [C, h, w], to [3, h, w], on the CPU."""
        if keeps_lightness(self.system, self.info):
            return torch.from_numpy(colorize_photo(self._photo_model(), source.numpy()))
        return colorize_any_size(self.system, source[None].to(self.device), stride_px=self.info.stride_px)[0].cpu()

    def _photo_model(self) -> PhotoModel:
        return photo_model(Forward(self.system, self.device), self.info)


def _middle(size: tuple[int, int], side_px: int) -> tuple[int, int, int, int]:
    height, width = (min(side, side_px) for side in size)
    return (size[0] - height) // 2, (size[1] - width) // 2, height, width
