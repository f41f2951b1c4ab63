"""Pictures: what is written comes back, metadata survive, damage is named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from nirtrans.errors import DataError, InputError
from nirtrans.io.images import ends_properly, image_size, list_images, read_image, to_unit, write_image

RNG = np.random.default_rng(0)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def exif_block() -> bytes:
    exif = Pillow.Exif()
    exif[0x0110] = "made-up camera"
    exif[0x0112] = 6
    return exif.tobytes()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_lossless_round_trip(tmp_path: Path, suffix: str, dtype: type, channels: int, with_alpha: bool) -> None:
    path = tmp_path / f"picture{suffix}"
    pixels, alpha = noise(7, 9, channels, dtype=dtype), noise(7, 9, dtype=dtype) if with_alpha else None
    write_image(path, pixels, alpha=alpha)
    image = read_image(path)
    assert image.pixels.dtype == dtype
    np.testing.assert_array_equal(image.pixels, pixels)
    assert (image.alpha is None) == (alpha is None)
    if alpha is not None:
        np.testing.assert_array_equal(image.alpha, alpha)
    assert image_size(path) == (7, 9, channels)
    assert ends_properly(path) == (suffix == ".png")
    assert [p.name for p in tmp_path.iterdir()] == [path.name], "no side files"


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("a.png", np.uint8), ("a.png", np.uint16), ("a.jpg", np.uint8), ("a.webp", np.uint8), ("a.tif", np.uint8)],
)
def test_profile_and_exif_survive(tmp_path: Path, name: str, dtype: type) -> None:
    path = tmp_path / name
    write_image(path, noise(8, 8, 3, dtype=dtype), icc=ICC, exif=exif_block())
    first = read_image(path)
    assert first.icc == ICC
    write_image(path, first.pixels, icc=first.icc, exif=first.exif)
    exif = Pillow.Exif()
    exif.load(read_image(path).exif)
    assert exif[0x0110] == "made-up camera"
    assert name.endswith(".tif") or exif[0x0112] == 6, "the orientation of TIFF is applied"


def test_pixels_are_not_rotated(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", noise(4, 9, 3), exif=exif_block())
    assert read_image(tmp_path / "a.png").pixels.shape == (4, 9, 3)


def test_profile_of_deep_tiff_survives(tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", noise(8, 8, 3, dtype=np.uint16), icc=ICC)
    assert read_image(tmp_path / "a.tif").icc == ICC


def test_palette_and_transparency_become_colour_and_alpha(tmp_path: Path) -> None:
    image = Pillow.fromarray(noise(8, 8, 3)).quantize(4)
    image.save(tmp_path / "a.png", transparency=0)
    found = read_image(tmp_path / "a.png")
    assert found.pixels.shape == (8, 8, 3)
    np.testing.assert_array_equal(found.alpha == 0, np.asarray(image) == 0)


def test_deep_gray_written_by_pillow(tmp_path: Path) -> None:
    pixels = noise(5, 6, dtype=np.uint16)
    Pillow.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels[..., 0], pixels)


def test_float_tiff_keeps_its_values(tmp_path: Path) -> None:
    values = RNG.normal(size=(5, 6)).astype(np.float32)
    Pillow.fromarray(values).save(tmp_path / "a.tif")
    pixels = read_image(tmp_path / "a.tif").pixels
    np.testing.assert_array_equal(to_unit(pixels)[..., 0], values)


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_to_unit_divides_by_the_maximum_of_the_type(dtype: type, top: int) -> None:
    np.testing.assert_array_equal(to_unit(np.array([0, top], dtype=dtype)), np.array([0, 1], dtype=np.float32))


@pytest.mark.parametrize(
    ("name", "dtype"), [("a.png", np.uint8), ("a.png", np.uint16), ("a.jpg", np.uint8), ("a.tif", np.uint16)]
)
@pytest.mark.parametrize("share", [0.1, 0.6, 0.97])
def test_truncated_files_are_named(tmp_path: Path, name: str, dtype: type, share: float) -> None:
    path = tmp_path / name
    write_image(path, noise(64, 64, 3, dtype=dtype))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert not ends_properly(path)
    with pytest.raises(DataError, match=name):
        read_image(path)


def test_absent_and_foreign_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "b.png").write_bytes(b"")
    for name in ("a.png", "b.png", "absent.png"):
        with pytest.raises(DataError, match=name):
            image_size(tmp_path / name)


def test_listing_is_sorted_and_leaves_other_files_out(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ["a.jpg", "b.PNG"]


@pytest.mark.parametrize(
    ("name", "dtype", "alpha", "message"),
    [
        ("a.gif", np.uint8, False, "unknown format"),
        ("a.jpg", np.uint16, False, "8 bits"),
        ("a.jpg", np.uint8, True, "no transparency"),
        ("absent/a.png", np.uint8, False, "cannot write"),
    ],
)
def test_impossible_targets_are_refused(tmp_path: Path, name: str, dtype: type, alpha: bool, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_image(tmp_path / name, noise(4, 4, 3, dtype=dtype), alpha=noise(4, 4, dtype=dtype) if alpha else None)


def test_damaged_pages_do_not_spoil_the_first(tmp_path: Path) -> None:
    path, pixels = tmp_path / "pages.tif", noise(9, 9)
    pages = [Pillow.fromarray(pixels), Pillow.fromarray(noise(9, 9))]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    assert read_image(path).frames == 2
    content = bytearray(path.read_bytes())
    first = int.from_bytes(content[4:8], "little")
    end = first + 2 + 12 * int.from_bytes(content[first : first + 2], "little")
    second = int.from_bytes(content[end : end + 4], "little")
    content[second + 2 : second + 4] = b"\xff\xff"  # where the width of the second page stands
    path.write_bytes(content)
    found = read_image(path)
    assert found.frames == 1
    assert np.array_equal(found.pixels[..., 0], pixels)


def test_sizes_are_limited_by_the_header(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", noise(5, 7))
    assert read_image(tmp_path / "a.png", max_pixels=35).pixels.shape == (5, 7, 1)
    with pytest.raises(DataError, match="7 x 5 px are more than 34; give --max-pixels 35 if"):
        read_image(tmp_path / "a.png", max_pixels=34)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (2500, 300), (1, 400_000)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_of_several_strips(tmp_path: Path, height: int, width: int, dtype: type) -> None:
    pixels = noise(height, width, 3, dtype=dtype)
    write_image(tmp_path / "a.png", pixels)
    assert np.array_equal(read_image(tmp_path / "a.png").pixels, pixels)


def test_sides_that_a_format_does_not_hold(tmp_path: Path) -> None:
    for name, most in (("a.webp", 16383), ("a.jpg", 65500)):
        with pytest.raises(InputError, match=f"holds up to {most} px a side"):
            write_image(tmp_path / name, np.zeros((1, most + 1, 3), np.uint8))
    assert not list(tmp_path.iterdir())
