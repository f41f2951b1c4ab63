"""image_to_lab and lab_to_image: known values, reference, round trips, registration, awkward inputs, errors."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import image_to_lab, lab_to_image, reference, rgb_to_lab
from tests.kernels.conftest import compiled_only

LEVELS = [torch.uint8, torch.uint16]
CIE: dict[str, Any] = {"l_norm": (0.0, 1.0), "ab_norm": 1.0}
# Lab units. float32: the gate; 16-bit: half a step at 128, plus the gate.
TOLERANCE = {torch.float32: 2e-4, torch.float16: 0.0627, torch.bfloat16: 0.501}
SHAPES = [(1, 1, 3), (0, 4, 4, 3), (2, 0, 4, 3), (1, 37, 3), (37, 1, 3), (2, 2, 5, 7, 3), (2, 17, 61, 3), (1, 513, 3)]


def random_image(*shape: int, dtype: torch.dtype = torch.uint8) -> Tensor:
    return torch.randint(0, torch.iinfo(dtype).max + 1, shape).to(dtype)


def all_colours(red: range) -> Tensor:
    """All 8-bit colours with these levels of red, [len(red) * 256, 256, 3]."""
    levels = torch.arange(256)
    grid = torch.meshgrid(torch.tensor(red), levels, levels, indexing="ij")
    return torch.stack(grid, dim=-1).to(torch.uint8).reshape(-1, 256, 3)


# 1 Known values


@pytest.mark.parametrize("dtype", LEVELS)
def test_white_black_and_red(dtype: torch.dtype) -> None:
    top = torch.iinfo(dtype).max
    image = torch.tensor([[[top, top, top], [0, 0, 0], [top, 0, 0]]]).to(dtype)
    lab = image_to_lab(image, **CIE)[:, 0].T
    assert lab[:2].tolist() == [[100, 0, 0], [0, 0, 0]]
    torch.testing.assert_close(lab[2], torch.tensor([53.240588, 80.094167, 67.201537]), atol=2e-4, rtol=0)


@pytest.mark.parametrize("dtype", LEVELS)
def test_greys_have_no_colour_and_return(dtype: torch.dtype) -> None:
    image = torch.arange(torch.iinfo(dtype).max + 1).to(dtype)[None, :, None].expand(1, -1, 3)
    lab = image_to_lab(image)
    assert not lab[1:].any()
    # Stored as float32, where neighbouring dark greys of 16 bits lie several steps apart.
    assert (lab_to_image(lab, dtype=dtype).int() - image.int()).abs().max() <= (dtype == torch.uint16)
    assert dtype == torch.uint16 or torch.equal(lab_to_image(lab), image)


def test_default_norms() -> None:
    image = random_image(2, 9, 11, 3)
    cie = image_to_lab(image, **CIE)
    expected = torch.stack(((cie[:, 0] - 50) / 50, cie[:, 1] / 110, cie[:, 2] / 110), dim=1)
    torch.testing.assert_close(image_to_lab(image), expected, atol=1e-6, rtol=0)


# 2 Reference


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_the_reference(levels: torch.dtype, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    image = random_image(*shape, dtype=levels)
    lab = image_to_lab(image, dtype=dtype, **CIE)
    exact = reference.image_to_lab(image, dtype=torch.float64, **CIE)
    assert lab.dtype == dtype
    torch.testing.assert_close(lab.double(), exact, atol=TOLERANCE[dtype], rtol=0)
    back, expected = lab_to_image(lab, dtype=levels, **CIE), reference.lab_to_image(lab.double(), dtype=levels, **CIE)
    assert back.dtype == levels
    assert back.shape == image.shape
    # A value next to a half may be rounded either way.
    assert not (back.int() - expected.int()).abs().gt(1).any()


def test_accuracy_gate() -> None:
    image = all_colours(range(0, 256, 37))
    exact = reference.image_to_lab(image, dtype=torch.float64, **CIE)
    assert (image_to_lab(image, **CIE) - exact).abs().max() <= 2e-4


def test_equals_rgb_to_lab_of_scaled_levels() -> None:
    image = random_image(3, 21, 23, 3)
    lab = rgb_to_lab(image.movedim(-1, -3).float() / 255)
    torch.testing.assert_close(image_to_lab(image, **CIE), lab, atol=2e-4, rtol=0)


# 3 Round trips


@pytest.mark.parametrize("red", [range(0, 8), range(120, 124), range(252, 256)], ids=str)
def test_colours_return_exactly(red: range) -> None:
    image = all_colours(red)
    assert torch.equal(lab_to_image(image_to_lab(image)), image)


@pytest.mark.slow
def test_every_colour_returns_as_documented() -> None:
    moved = dict.fromkeys(TOLERANCE, 0)
    farthest = dict.fromkeys(TOLERANCE, 0)
    for start in range(0, 256, 16):
        image = all_colours(range(start, start + 16))
        for dtype in TOLERANCE:
            distance = (lab_to_image(image_to_lab(image, dtype=dtype)).int() - image.int()).abs().amax(-1)
            moved[dtype] += int(distance.count_nonzero())
            farthest[dtype] = max(farthest[dtype], int(distance.max()))
    assert moved[torch.float32] == 0
    assert farthest == {torch.float32: 0, torch.float16: 1, torch.bfloat16: 10}
    assert round(moved[torch.float16] / 2**24, 3) == 0.006
    assert round(moved[torch.bfloat16] / 2**24, 2) == 0.23


colours = st.lists(st.tuples(*[st.integers(0, 65535)] * 3), min_size=1, max_size=40)


@settings(max_examples=50)
@given(colours, st.floats(-100, 100), st.floats(0.5, 200), st.floats(0.5, 200))
def test_any_norm_returns_16_bit_levels(rows: list[tuple[int, ...]], offset: float, scale: float, ab: float) -> None:
    image = torch.tensor(rows)[None].to(torch.uint16)
    norms: dict[str, Any] = {"l_norm": (offset, scale), "ab_norm": ab}
    back = lab_to_image(image_to_lab(image, **norms), dtype=torch.uint16, **norms)
    assert (back.int() - image.int()).abs().max() <= 8


@settings(max_examples=50)
@given(colours)
def test_pixels_do_not_depend_on_their_neighbours(rows: list[tuple[int, ...]]) -> None:
    image = (torch.tensor(rows)[None] // 257).to(torch.uint8)
    alone = torch.cat([image_to_lab(pixel[None, None]) for pixel in image[0]], dim=-1)
    torch.testing.assert_close(image_to_lab(image), alone, atol=1e-6, rtol=0)


# 4 Registration


@compiled_only
@pytest.mark.parametrize("shape", [(2, 5, 7, 3), (0, 4, 4, 3), (1, 1, 3)])
def test_opcheck(shape: tuple[int, ...]) -> None:
    for dtype, levels in ((torch.float32, torch.uint8), (torch.float16, torch.uint8), (torch.bfloat16, torch.uint16)):
        opcheck(torch.ops.nirtrans.image_to_lab.default, (random_image(*shape, dtype=levels), 50.0, 50.0, 110.0, dtype))
    lab = torch.rand(shape).movedim(-1, -3)
    for color in (lab, lab.contiguous(), lab.half()):
        opcheck(torch.ops.nirtrans.lab_to_image.default, (color, 50.0, 50.0, 110.0, torch.uint8))


@pytest.mark.slow
def test_compiled_graph_gives_the_same() -> None:
    image = random_image(2, 8, 9, 3)

    def darker(image: Tensor) -> Tensor:
        return lab_to_image(image_to_lab(image) * 0.9)

    assert (torch.compile(darker, fullgraph=True)(image).int() - darker(image).int()).abs().max() <= 1


# 5 Awkward inputs


@pytest.mark.parametrize("dtype", LEVELS)
def test_views_are_read_as_what_they_show(dtype: torch.dtype) -> None:
    image = random_image(2, 6, 20, 4, dtype=dtype)
    for view in (
        image[..., :3],
        image[:, ::2, ::3, 1:],
        image.mT[..., :3, :].mT,
        image[:1, ..., :3].expand(3, 6, 20, 3),
    ):
        assert torch.equal(image_to_lab(view), image_to_lab(view.clone(memory_format=torch.contiguous_format)))


def test_layouts_of_lab_agree() -> None:
    lab = image_to_lab(random_image(2, 13, 40, 3))
    expected = lab_to_image(lab)
    wide = torch.empty(2, 5, 13, 80)
    wide[:, 1:4, :, ::2] = lab
    for view in (lab.to(memory_format=torch.channels_last), wide[:, 1:4, :, ::2]):
        assert (lab_to_image(view).int() - expected.int()).abs().max() <= 1
    assert lab_to_image(lab).is_contiguous()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_nan_becomes_0_and_the_rest_is_clipped(dtype: torch.dtype) -> None:
    lab = torch.zeros(3, 1, 5, dtype=dtype)
    lab[0, 0] = torch.tensor([float("nan"), 30.0, -30.0, 1.0, 0.0])
    assert lab_to_image(lab)[0, :, 0].tolist() == [0, 255, 0, 255, 119]
    assert lab_to_image(lab, dtype=torch.uint16)[0, :4].tolist() == [[0] * 3, [65535] * 3, [0] * 3, [65535] * 3]


@compiled_only
@pytest.mark.parametrize("levels", LEVELS)
def test_threads_do_not_change_bits(levels: torch.dtype) -> None:
    image = random_image(3, 111, 113, 3, dtype=levels)
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        lab = image_to_lab(image)
        results.append((lab, lab_to_image(0.9 * lab, dtype=levels)))
    for lab, back in results[1:]:
        assert torch.equal(lab, results[0][0])
        assert np.array_equal(back.numpy(), results[0][1].numpy())


# 6 Errors


def test_errors_of_image_to_lab_say_what_to_do() -> None:
    image = random_image(2, 2, 3)
    with pytest.raises(TypeError, match=r"^image_to_lab: expected a torch.Tensor as image, got ndarray$"):
        image_to_lab(image.numpy())
    with pytest.raises(
        TypeError, match=r"^image_to_lab: expected uint8 or uint16, got torch.float32; for float images"
    ):
        image_to_lab(image.float())
    with pytest.raises(ValueError, match=r"got \(2, 2, 4\); drop alpha with image\[\.\.\., :3\]$"):
        image_to_lab(random_image(2, 2, 4))
    with pytest.raises(
        ValueError, match=r"expected image of shape \(\.\.\., H, W, 3\), got \(3, 2, 2\); put the colours last"
    ):
        image_to_lab(random_image(3, 2, 2))
    with pytest.raises(TypeError, match=r"expected dtype float32, bfloat16 or float16, got torch.float64"):
        image_to_lab(image, dtype=torch.float64)


def test_errors_of_lab_to_image_say_what_to_do() -> None:
    lab = torch.zeros(3, 2, 2)
    with pytest.raises(TypeError, match=r"^lab_to_image: expected dtype uint8 or uint16, got torch.int64"):
        lab_to_image(lab, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"^lab_to_image: not differentiable; give lab.detach"):
        lab_to_image(lab.clone().requires_grad_())
    with pytest.raises(ValueError, match=r"^lab_to_image: expected lab of shape \(\.\.\., 3, H, W\), got \(2, 2, 3\)"):
        lab_to_image(torch.zeros(2, 2, 3))
    for norms in ({"l_norm": (0.0, 0.0)}, {"ab_norm": 0.0}, {"ab_norm": float("nan")}):
        with pytest.raises(ValueError, match=r"^lab_to_image: expected finite norms with scales other than 0, got"):
            lab_to_image(lab, **norms)
