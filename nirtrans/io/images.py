"""Read and write pictures: 8 and 16 bit, float, alpha, ICC and EXIF kept; pixels stay as stored, never rotated."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from nirtrans.errors import DataError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
Pillow.MAX_IMAGE_PIXELS = None  # large pictures are the trade of this package, not an attack

_COLOUR_OF_MODE = {
    "P": "RGB",
    "PA": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
    "HSV": "RGB",
    "1": "L",
    "La": "LA",
    "RGBa": "RGBA",
    "RGBX": "RGB",
}
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_DEEP_MODES = {"I", "I;16", "I;16B", "I;16L", "F"}


@dataclass(frozen=True)
class Image:
    """One decoded picture.

    Attributes:
        pixels: [H, W, 1] or [H, W, 3], uint8, uint16 or float32, as stored.
        alpha: [H, W] of the same type, or None.
        icc: Colour profile, or None.
        exif: EXIF block, or None; its orientation is not applied.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    icc: bytes | None = None
    exif: bytes | None = None


def list_images(folder: Path) -> list[Path]:
    """Return the pictures directly inside a folder, sorted by name; hidden files are left out."""
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )


def read_image(path: Path) -> Image:
    """Decode a whole picture.

    Raises:
        DataError: If the file is absent, no picture, truncated or damaged; names it.
    """
    with _opened(path) as image:
        deep = _is_deep(path, image)
        icc, exif = image.info.get("icc_profile"), image.info.get("exif")
        stack = None if deep else _eight_bit(image)
    if stack is None:
        stack = _through_gdal(path)
    pixels, alpha = (stack[..., :-1], stack[..., -1]) if stack.shape[2] in (2, 4) else (stack, None)
    return Image(pixels, alpha, icc, exif)


def image_size(path: Path) -> tuple[int, int, int]:
    """Return height, width and colour channels (1 or 3, alpha not counted) from the header alone.

    Raises:
        DataError: If the file is absent or no picture.
    """
    with _opened(path) as image:
        gray = image.mode in _DEEP_MODES or image.mode in ("L", "LA", "La", "1")
        return image.height, image.width, 1 if gray else 3


def check_complete(path: Path) -> None:
    """Make sure that a picture is not truncated: by the end mark of PNG and JPEG, otherwise by decoding it.

    Raises:
        DataError: If it is damaged; names it.
    """
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(max(0, path.stat().st_size - len(_PNG_END)))
        tail = file.read()
    if (head == _PNG_START and tail == _PNG_END) or (head[:2] == b"\xff\xd8" and tail[-2:] == b"\xff\xd9"):
        return
    read_image(path)


def to_unit(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Scale integers by their type's maximum to [0, 1] in float32; floats are taken as they are, any shape."""
    if np.issubdtype(pixels.dtype, np.floating):
        return pixels.astype(np.float32)
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


@contextmanager
def _opened(path: Path) -> Iterator[Pillow.Image]:
    """Open a picture with Pillow; every way in which it can be unreadable becomes a DataError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd EXIF and TIFF tags do not concern the pixels
            with Pillow.open(path) as image:
                yield image
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise DataError(f"{path}: not a picture that can be read; expected {', '.join(IMAGE_SUFFIXES)}") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(f"{path}: damaged or truncated ({error}); replace it or leave it out with --skip-bad") from None


def _is_deep(path: Path, image: Pillow.Image) -> bool:
    """Tell pictures that Pillow would reduce to 8 bits, or holds in types of its own."""
    if image.mode in _DEEP_MODES:
        return True
    if image.format == "PNG":
        with path.open("rb") as file:
            return file.read(25)[24] == 16  # bit depth in the IHDR chunk
    bits = image.tag_v2.get(258, (8,)) if image.format == "TIFF" else (8,)
    return max(bits) > 8


def _eight_bit(image: Pillow.Image) -> NDArray[np.uint8]:
    """Decode to [H, W, channels] with 1 to 4 channels; palettes are looked up, transparency becomes alpha."""
    mode = _COLOUR_OF_MODE.get(image.mode, image.mode)
    if "transparency" in image.info and image.mode in ("P", "L", "RGB"):
        mode = "LA" if image.mode == "L" else "RGBA"
    image.load()
    array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[..., None] if array.ndim == 2 else array


def _through_gdal(path: Path) -> NDArray[Any]:
    """Decode deep pictures by GDAL, which keeps 16 bits and floats, to [H, W, bands]."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as source:
                stack = source.read().transpose(1, 2, 0)
    except RasterioError as error:
        raise DataError(f"{path}: damaged or truncated ({error}); replace it or leave it out with --skip-bad") from None
    if stack.shape[2] > 4:
        raise DataError(
            f"{path}: {stack.shape[2]} bands; expected a picture of 1 or 3 (give rasters as a folder with bands)"
        )
    if stack.dtype in (np.uint8, np.uint16):
        return stack
    if stack.dtype == np.int32 and 0 <= stack.min() and stack.max() <= 65535:
        return stack.astype(np.uint16)
    if np.issubdtype(stack.dtype, np.floating):
        return stack.astype(np.float32)
    raise DataError(f"{path}: pixels of type {stack.dtype}; expected 8- or 16-bit unsigned integers or floats")
