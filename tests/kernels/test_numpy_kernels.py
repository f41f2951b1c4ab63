"""The NumPy face: the same bits as torch, without torch."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from nirtrans.kernels import image_to_lab, lab_to_image, lab_to_rgb, rgb_to_lab
from tests.kernels.conftest import compiled_only

ROOT = Path(__file__).parent.parent.parent
numpy_kernels = pytest.importorskip("nirtrans.numpy_kernels", reason="compiled module absent", exc_type=ImportError)


@compiled_only
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 1, 1), (2, 3, 17, 41), (2, 1, 3, 33, 40), (0, 3, 4, 4)])
@pytest.mark.parametrize("interleaved", [False, True])
def test_same_bits_as_torch(dtype: type, shape: tuple[int, ...], interleaved: bool) -> None:
    image = np.random.default_rng(0).random(shape).astype(dtype)
    if interleaved:
        image = np.moveaxis(np.ascontiguousarray(np.moveaxis(image, -3, -1)), -1, -3)
    lab = numpy_kernels.rgb_to_lab(image)
    assert lab.dtype == dtype
    assert lab.strides == image.strides
    assert np.array_equal(lab, rgb_to_lab(torch.from_numpy(image)).numpy())
    for clip in (True, False):
        back = numpy_kernels.lab_to_rgb(1.2 * lab, clip=clip)
        assert np.array_equal(back, lab_to_rgb(torch.from_numpy(1.2 * lab), clip=clip).numpy())


@compiled_only
@pytest.mark.parametrize("levels", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 17, 41, 3), (0, 4, 4, 3)])
def test_images_give_the_same_bits_as_torch(levels: type, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, np.iinfo(levels).max, shape, levels, endpoint=True)
    lab = numpy_kernels.image_to_lab(image, threads=2)
    assert np.array_equal(lab, image_to_lab(torch.from_numpy(image)).numpy())
    for color in (0.9 * lab, np.moveaxis(np.ascontiguousarray(np.moveaxis(lab, -3, -1)), -1, -3), lab.astype(float)):
        back = numpy_kernels.lab_to_image(color, dtype=levels)
        expected = lab_to_image(torch.from_numpy(color), dtype=torch.from_numpy(image).dtype)
        assert np.array_equal(back, expected.numpy())


def test_image_errors_say_what_to_do() -> None:
    image = np.zeros((2, 2, 4), np.uint8)
    with pytest.raises(ValueError, match=r"got \(2, 2, 4\); drop alpha with image\[\.\.\., :3\]$"):
        numpy_kernels.image_to_lab(image)
    with pytest.raises(TypeError, match=r"^image_to_lab: expected a uint8 or uint16 array as image, got float32; use"):
        numpy_kernels.image_to_lab(image.astype(np.float32))
    with pytest.raises(ValueError, match=r"^image_to_lab: expected finite norms with scales other than 0, got"):
        numpy_kernels.image_to_lab(image[..., :3], ab_norm=0.0)
    with pytest.raises(TypeError, match=r"^lab_to_image: expected dtype uint8 or uint16, got float32; use lab_to_rgb"):
        numpy_kernels.lab_to_image(np.zeros((3, 2, 2), np.float32), dtype=np.float32)


def test_slices_are_copied() -> None:
    image = np.random.default_rng(0).random((2, 5, 8, 20)).astype(np.float32)[:, 1:4, :, ::2]
    assert np.array_equal(numpy_kernels.rgb_to_lab(image), numpy_kernels.rgb_to_lab(image.copy()))


@pytest.mark.parametrize("threads", [1, 2, 3, 64])
def test_threads_do_not_change_bits(threads: int) -> None:
    image = np.random.default_rng(0).random((3, 3, 61, 67)).astype(np.float32)
    one = numpy_kernels.rgb_to_lab(image, threads=1)
    assert np.array_equal(numpy_kernels.rgb_to_lab(image, threads=threads), one)
    assert np.array_equal(numpy_kernels.lab_to_rgb(one, threads=threads), numpy_kernels.lab_to_rgb(one, threads=1))


def test_errors_say_what_to_do() -> None:
    rgb = np.zeros((3, 2, 2), np.float32)
    with pytest.raises(
        TypeError, match=r"^rgb_to_lab: expected a float32 or float64 array as rgb, got uint8; image_to_lab takes uint8"
    ):
        numpy_kernels.rgb_to_lab(rgb.astype(np.uint8))
    with pytest.raises(
        TypeError, match=r"^lab_to_rgb: expected a float32 or float64 array as lab, got list; image_to_lab takes uint8"
    ):
        numpy_kernels.lab_to_rgb([1.0])
    with pytest.raises(
        ValueError, match=r"^rgb_to_lab: expected rgb of shape \(\.\.\., 3, H, W\), got \(2, 2, 3\); move"
    ):
        numpy_kernels.rgb_to_lab(np.zeros((2, 2, 3), np.float32))
    with pytest.raises(ValueError, match=r"^rgb_to_lab: expected at least 1 thread, got 0; leave it out to use all$"):
        numpy_kernels.rgb_to_lab(rgb, threads=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda image: numpy_kernels.rgb_to_lab(image, threads=1.5),
            "rgb_to_lab: expected an int as threads",
        ),
        (
            lambda image: numpy_kernels.lab_to_rgb(image, clip="no"),
            "lab_to_rgb: expected True or False as clip, got str",
        ),
        (lambda image: numpy_kernels.lab_to_image(image, ab_norm="1"), "lab_to_image: expected a number as ab_norm"),
        (lambda image: numpy_kernels.class_weights(image[0, 0], mix=None), "class_weights: expected a number as mix"),
        (lambda image: numpy_kernels.ssim(image[None], image[None], sigma="1"), "ssim: expected a number as sigma"),
        (
            lambda image: numpy_kernels.ms_ssim(image[None], image[None], weights=1.0),
            "ms_ssim: expected one weight",
        ),
    ],
)
def test_options_of_a_wrong_type(call: Callable[[np.ndarray], object], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}"):
        call(np.ones((3, 12, 12), np.float32))


def test_masked_arrays_are_refused() -> None:
    """Their masks would be ignored."""
    floats, levels = np.ma.masked_less(np.ones((3, 2, 2), np.float32), 1), np.ma.ones((2, 2, 3), np.uint8)
    for call in (lambda: numpy_kernels.rgb_to_lab(floats), lambda: numpy_kernels.image_to_lab(levels)):
        with pytest.raises(TypeError, match=r"without a mask, got a masked array; give its .filled\(\)$"):
            call()


def test_fewer_threads_than_asked_for_suffice() -> None:
    """Where the system refuses threads, here for want of memory for their stacks, those there are do the work."""
    code = "import resource, numpy, nirtrans.numpy_kernels as n; image = numpy.full((3, 1000, 512), 0.5, 'float32'); "
    code += "few = n.rgb_to_lab(image, threads=1); used = int(open('/proc/self/statm').read().split()[0]) * 4096; "
    code += "resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, -1)); "
    code += "print((n.rgb_to_lab(image, threads=1000) == few).all())"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == "True\n", result.stderr


def test_torch_stays_out() -> None:
    code = "import sys; sys.modules['torch'] = None; import nirtrans.numpy_kernels as n, numpy; "
    code += "print(n.rgb_to_lab(numpy.ones((3, 1, 1), 'float32')).ravel().tolist())"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == "[100.0, 0.0, 0.0]\n", result.stderr


def test_missing_module_names_the_build_command() -> None:
    code = "import sys; sys.modules['nirtrans._numpy_ops'] = None; import nirtrans.numpy_kernels"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "ImportError: nirtrans.numpy_kernels needs its compiled module" in result.stderr
    assert "run `make build`" in result.stderr
