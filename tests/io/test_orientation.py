"""Orientations of EXIF: as Pillow turns pictures, and back."""

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from nirtrans.io.orientation import orientation_of, show, shown_size, stored_place, unshow

PIXELS = np.arange(6, dtype=np.uint8).reshape(2, 3)


def block(orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[274] = orientation
    return exif.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_viewers_do(orientation: int) -> None:
    image = Pillow.fromarray(PIXELS)
    image.getexif()[274] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    found = show(PIXELS, orientation)
    assert np.array_equal(found, expected)
    assert found.shape == shown_size((2, 3), orientation)
    assert np.array_equal(unshow(found, orientation), PIXELS)
    for y, x in np.ndindex(found.shape):
        column, row = stored_place(x + 0.0, y + 0.0, (2, 3), orientation)
        assert PIXELS[int(row), int(column)] == found[y, x]


def test_orientation_is_read_from_the_block() -> None:
    assert [orientation_of(block(value)) for value in (1, 6, 8)] == [1, 6, 8]
    assert [orientation_of(value) for value in (None, b"", b"Exif\0\0nonsense", block(99), block(0))] == [1] * 5
