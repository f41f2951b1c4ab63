"""Read and write pictures: 8 and 16 bit, float, alpha, ICC and EXIF kept.

Pixels stay as stored and the EXIF orientation beside them; only for 8-bit TIFF Pillow applies the orientation and
removes it.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from nirtrans.errors import DataError, InputError
from nirtrans.io.atomic import atomic_path
from nirtrans.io.deep_images import read_by_gdal, size_by_gdal, write_tiff16
from nirtrans.io.png import SIGNATURE, write_png

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
Pillow.MAX_IMAGE_PIXELS = None  # large pictures are the trade of this package, not an attack

_COLOUR_OF_MODE = {
    "1": "L",
    "La": "LA",
    "P": "RGB",
    "PA": "RGBA",
    "RGBX": "RGB",
    "RGBa": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
    "HSV": "RGB",
}
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_DESCRIBING_TAGS = {270, 271, 272, 274, 305, 306, 315, 33432}  # description, maker, model, orientation ... copyright
_EXIF_IFD, _BITS_PER_SAMPLE, _SAMPLES_PER_PIXEL = 34665, 258, 277
_WITHOUT_ALPHA = {".jpg", ".jpeg", ".bmp"}
_DEEP_SUFFIXES = {".png", ".tif", ".tiff"}
_LONGEST_SIDE = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}  # of libwebp and of libjpeg
MOST_SIDE = 2**20
"""Of pictures whose size is checked; what works by rows then needs little memory."""
_PAGED_FORMATS = {"WEBP", "PNG", "TIFF", "GIF"}
_DEEP_MODES = {"I", "I;16", "I;16B", "I;16L", "F"}


@dataclass(frozen=True)
class Image:
    """One decoded picture.

    Attributes:
        pixels: [H, W, 1] or [H, W, 3], uint8, uint16 or float32, as stored.
        alpha: [H, W] of the same type, or None.
        icc: Colour profile, or None.
        exif: EXIF block, or None; its orientation is not applied.
        frames: Pictures in the file, of which this is the first.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    frames: int = 1


def list_images(folder: Path) -> list[Path]:
    """Return the pictures directly inside a folder, sorted by name; hidden files are left out."""
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )


def read_image(path: Path, *, max_pixels: int | None = None) -> Image:
    """Decode a whole picture, of animations and files of several pages the first one.

    Args:
        path: File.
        max_pixels: Larger pictures are refused by what their header says, before anything is decoded, and so are those
            of more than `MOST_SIDE` a side; None: none are.

    Raises:
        DataError: If the file is absent, no picture, truncated, damaged or too large; names it.
    """
    with _opened(path) as image:
        if image is None:
            _check_pixels(path, *size_by_gdal(path)[:2], max_pixels)
            return _image(read_by_gdal(path))
        _check_pixels(path, image.height, image.width, max_pixels)
        stack = read_by_gdal(path) if _is_deep(path, image) else _eight_bit(image)
        return _image(stack, icc=image.info.get("icc_profile"), exif=_exif(image), frames=_frames(image))


def _image(stack: NDArray[Any], **kept: Any) -> Image:
    pixels, alpha = (stack[..., :-1], stack[..., -1]) if stack.shape[2] in (2, 4) else (stack, None)
    return Image(pixels, alpha, **kept)


def _frames(image: Pillow.Image) -> int:
    """Count the pictures of a file; 1 where the later ones are damaged, which the first does not suffer from."""
    if image.format not in _PAGED_FORMATS:
        return 1
    try:
        return getattr(image, "n_frames", 1)
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError):
        return 1


def _check_pixels(path: Path, height: int, width: int, most: int | None) -> None:
    if most is None:
        return
    if max(height, width) > MOST_SIDE:
        raise DataError(f"{path}: {width} x {height} px; expected at most {MOST_SIDE} px a side")
    if height * width > most:
        size = f"{width} x {height} px are more than {most}"
        raise DataError(f"{path}: {size}; give --max-pixels {height * width} if the file can be trusted")


def image_size(path: Path) -> tuple[int, int, int]:
    """Return height, width and colour channels (1 or 3, alpha not counted) from the header alone.

    Raises:
        DataError: If the file is absent or no picture.
    """
    with _opened(path) as image:
        if image is None:
            return size_by_gdal(path)
        return image.height, image.width, 1 if _is_gray(path, image) else 3


def ends_properly(path: Path) -> bool:
    """Tell whether a file ends as PNG and JPEG do, which truncated ones do not; for others only decoding tells."""
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(max(0, path.stat().st_size - len(_PNG_END)))
        tail = file.read()
    return (head == SIGNATURE and tail == _PNG_END) or (head[:2] == b"\xff\xd8" and tail[-2:] == b"\xff\xd9")


def to_unit(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Scale integers by their type's maximum to [0, 1] in float32; floats are taken as they are, any shape."""
    if np.issubdtype(pixels.dtype, np.floating):
        return pixels.astype(np.float32)
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


@contextmanager
def _opened(path: Path) -> Iterator[Pillow.Image | None]:
    """Open a picture with Pillow, or yield None for a TIFF that only GDAL knows; all failures become DataError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd EXIF and TIFF tags do not concern the pixels
            image = _identified(path)
            with image or nullcontext():
                yield image
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise DataError(f"{path}: not a picture that can be read; expected {', '.join(IMAGE_SUFFIXES)}") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(f"{path}: damaged or truncated ({error}); replace it or leave it out with --skip-bad") from None


def _identified(path: Path) -> Pillow.Image | None:
    try:
        return Pillow.open(path)
    except UnidentifiedImageError:
        if path.suffix.lower() not in (".tif", ".tiff"):
            raise
        return None


def _is_deep(path: Path, image: Pillow.Image) -> bool:
    """Tell pictures that Pillow would reduce to 8 bits, or holds in types of its own."""
    if image.mode in _DEEP_MODES:
        return True
    if image.format == "PNG":
        return _png_header(path)[0] == 16
    bits = image.tag_v2.get(_BITS_PER_SAMPLE, (8,)) if isinstance(image, TiffImageFile) else (8,)
    return max(bits) > 8


def _is_gray(path: Path, image: Pillow.Image) -> bool:
    if image.format == "PNG":  # Pillow calls deep gray with alpha RGBA
        return _png_header(path)[1] in (0, 4)
    if isinstance(image, TiffImageFile) and image.mode != "P":
        return image.tag_v2.get(_SAMPLES_PER_PIXEL, 1) < 3
    return image.mode in _DEEP_MODES or image.mode in ("L", "LA", "La", "1")


def _png_header(path: Path) -> tuple[int, int]:
    """Return bit depth and colour type out of the IHDR chunk."""
    with path.open("rb") as file:
        head = file.read(26)
    return head[24], head[25]


def _eight_bit(image: Pillow.Image) -> NDArray[np.uint8]:
    """Decode to [H, W, channels] with 1 to 4 channels; palettes are looked up, transparency becomes alpha."""
    mode = _COLOUR_OF_MODE.get(image.mode, image.mode)
    if "transparency" in image.info and image.mode in ("P", "L", "RGB"):
        mode = "LA" if image.mode == "L" else "RGBA"
    image.load()
    array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[..., None] if array.ndim == 2 else array


def _exif(image: Pillow.Image) -> bytes | None:
    """Return the EXIF block; of TIFF, whose own tags surround it, only those that describe the picture."""
    if image.format != "TIFF":
        return image.info.get("exif")
    found, kept = image.getexif(), Pillow.Exif()
    for tag in _DESCRIBING_TAGS & found.keys():
        kept[tag] = found[tag]
    kept.get_ifd(_EXIF_IFD).update(found.get_ifd(_EXIF_IFD))
    return kept.tobytes() if len(kept) or kept.get_ifd(_EXIF_IFD) else None


def write_image(
    path: Path,
    pixels: NDArray[Any],
    *,
    alpha: NDArray[Any] | None = None,
    icc: bytes | None = None,
    exif: bytes | None = None,
) -> None:
    """Write a picture atomically; the suffix decides the format.

    Args:
        path: Target; an existing file is replaced.
        pixels: [H, W], [H, W, 1] or [H, W, 3], uint8 or uint16.
        alpha: [H, W] of the same type.
        icc: Colour profile.
        exif: EXIF block.

    Raises:
        InputError: If the format is unknown or cannot hold alpha or 16 bits, or the target cannot be written.
        IOFailure: If writing breaks off.
    """
    suffix = path.suffix.lower()
    _check_format(path, suffix, pixels, alpha)
    stack = (
        np.atleast_3d(pixels) if alpha is None else np.concatenate([np.atleast_3d(pixels), alpha[..., None]], axis=2)
    )
    with atomic_path(path) as temporary:
        if suffix == ".png":
            write_png(temporary, stack, icc=icc, exif=exif)
        elif stack.dtype == np.uint8:
            image = Pillow.fromarray(np.ascontiguousarray(stack[..., 0] if stack.shape[2] == 1 else stack))
            image.save(temporary, **_saving(suffix, icc, exif))
        else:
            write_tiff16(temporary, stack, icc)


def deep_suffix(suffix: str) -> bool:
    """Tell whether a format, by its suffix, holds 16 bits per sample."""
    return suffix.lower() in _DEEP_SUFFIXES


def _check_format(path: Path, suffix: str, pixels: NDArray[Any], alpha: NDArray[Any] | None) -> None:
    if suffix not in IMAGE_SUFFIXES:
        raise InputError(f"cannot write {path}: unknown format {suffix!r}; use one of {', '.join(IMAGE_SUFFIXES)}")
    if pixels.dtype != np.uint8 and suffix not in _DEEP_SUFFIXES:
        raise InputError(f"cannot write {path}: {suffix} holds 8 bits; use .png or .tif for 16")
    if alpha is not None and suffix in _WITHOUT_ALPHA:
        raise InputError(f"cannot write {path}: {suffix} holds no transparency; use .png")
    longest, most = max(pixels.shape[:2]), _LONGEST_SIDE.get(suffix, 2**31 - 1)
    if longest > most:
        raise InputError(f"cannot write {path}: {suffix} holds up to {most} px a side, got {longest}; use .png")


def _saving(suffix: str, icc: bytes | None, exif: bytes | None) -> dict[str, Any]:
    """Return Pillow's options; TIFF is compressed by libtiff, which takes no EXIF block, so with one it stays plain."""
    options: dict[str, Any] = {key: value for key, value in (("icc_profile", icc), ("exif", exif)) if value}
    if suffix in (".tif", ".tiff") and not exif:
        options["compression"] = "tiff_adobe_deflate"
    if suffix in (".jpg", ".jpeg"):
        options |= {"quality": 95, "subsampling": 0}
    return options | ({"quality": 95} if suffix == ".webp" else {})
