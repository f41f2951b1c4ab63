"""Picture files whose lightness stays: one opened and ready for the network, and its colours written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.color.chroma import lightness
from nirtrans.errors import DataError, InputError, OutOfMemory
from nirtrans.inference.colorizer import Colorizer, to_network_range
from nirtrans.inference.device import one_thread_each
from nirtrans.inference.guidance_kinds import check_guidance
from nirtrans.inference.job_list import Job
from nirtrans.inference.photo import (
    GuidanceFor,
    PhotoModel,
    SeenSize,
    coloured_rows,
    shrink,
    strips,
)
from nirtrans.inference.pictures import PictureOptions, Remarks, read_planes, write_colours
from nirtrans.inference.scene import are_numbers
from nirtrans.inference.stream import ahead
from nirtrans.inference.upsample import upsampled
from nirtrans.io.images import Image, deep_suffix
from nirtrans.io.orientation import orientation_of

HintsOf = Callable[[Path, NDArray[Any], int], GuidanceFor | None]
"""Finds the hints of a source file from its pixels as stored, [H, W], and the orientation in which it is shown."""


@dataclass(frozen=True)
class OpenPhoto:
    """A decoded picture.

    Attributes:
        job: Where it comes from and where it goes.
        image: Alpha, profile, EXIF; its pixels are gone.
        gray: [1, H, W], integers as stored or floats in [0, 1].
        small: [1, 1, h, w], [0, 1], as the network shall see it.
        seen: The size of `small` and with what is mirrored.
        hints: What finds the hints at that size.
    """

    job: Job
    image: Image
    gray: NDArray[Any]
    small: Tensor
    seen: SeenSize
    hints: GuidanceFor | None


class Photographer:
    """Colours picture files with one set of weights; safe to be used by several threads.

    Args:
        colorizer: Weights of a system that keeps lightness.
        options: How files are read and written.
        remarks: Where to note what is unusual.
        hints_of: Finds the hints of a source.
        workers: Threads that bring strips of one picture to full size.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        options: PictureOptions,
        remarks: Remarks,
        *,
        hints_of: HintsOf | None = None,
        workers: int = 1,
    ) -> None:
        self.colorizer, self.options, self.hints_of, self.workers = colorizer, options, hints_of, workers
        self.model: PhotoModel = colorizer.photo_model(options.photo.size_px)
        self.remarks = remarks

    def colorize(self, job: Job) -> None:
        """Colour one picture with all threads; raises as the parts."""
        photo = self.open(job)
        (ab,) = self.predict([photo])
        with one_thread_each():
            self.write(photo, ab)

    def open(self, job: Job) -> OpenPhoto:
        """Decode a source and shrink it; raises as `read_planes`, DataError if its values are no picture's."""
        source = Path(job.source)
        image, gray = read_planes(self.colorizer, source, self.options, self.remarks)
        valid = None if image.alpha is None else image.alpha > 0
        if gray.dtype.kind == "f":
            gray, valid = self._from_floats(source, gray, valid)
        seen = self.model.seen_size(*gray.shape[1:])
        small = shrink(gray, seen.shown, None if valid is None or valid.all() else valid)
        hints = self.hints_of(source, gray[0], orientation_of(image.exif)) if self.hints_of else None
        alpha = None if image.alpha is None else image.alpha.copy()  # not a view, which would keep the colours
        described = Image(np.empty((0, 0, 1), gray.dtype), alpha, image.icc, image.exif)
        return OpenPhoto(job, described, np.ascontiguousarray(gray), small, seen, hints)

    def _from_floats(
        self, source: Path, gray: NDArray[Any], valid: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return floats clipped to [0, 1] without NaN, and where they were numbers."""
        try:
            unit = to_network_range(gray, self.colorizer.info)
        except InputError as error:
            raise DataError(f"{source}: {error}") from None
        numbers = are_numbers(unit)
        return np.nan_to_num(unit), numbers if valid is None else numbers & valid

    def predict(self, photos: Sequence[OpenPhoto]) -> Tensor:
        """Predict the chroma of pictures of one size together, [N, 2, h', w'], or of one that may have hints.

        Raises:
            InputError: If the hints do not suit the weights.
            OutOfMemory: If the device has too little memory for one picture.
        """
        first = photos[0]
        guidance = first.hints(first.seen.shown) if first.hints else None
        check_guidance(self.colorizer.system, guidance)
        try:
            return self.model.predict(torch.cat([photo.small for photo in photos]), first.seen.padded, guidance)
        except OutOfMemory:
            if len(photos) == 1:
                raise
            half = len(photos) // 2
            return torch.cat([self.predict(photos[:half]), self.predict(photos[half:])])

    def write(self, photo: OpenPhoto, ab: Tensor) -> Job:
        """Bring chroma [2, h', w'] to full size and write the picture; raises as `write_image`."""
        height, width = photo.gray.shape[1:]
        dtype = self._dtype(photo)
        chroma = upsampled(ab[None], lightness(photo.small), (height, width), way=self.options.photo.upsample)
        rgb = np.empty((height, width, 3), dtype)

        def colour(strip: tuple[int, int]) -> None:
            top, bottom = strip
            colours = coloured_rows(chroma, photo.gray[:, top:bottom], top)
            np.rint(colours * np.iinfo(dtype).max, out=colours)
            rgb[top:bottom] = colours.transpose(1, 2, 0)

        for _ in ahead(colour, strips(height, width), count=2 * self.workers, workers=self.workers):
            pass
        write_colours(photo.job.target, rgb, photo.image)
        return photo.job

    def _dtype(self, photo: OpenPhoto) -> np.dtype:
        deep = photo.gray.dtype != np.uint8 and deep_suffix(photo.job.target.suffix)
        return np.dtype(self.options.dtype or ("uint16" if deep else "uint8"))
