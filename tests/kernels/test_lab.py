"""rgb_to_lab and lab_to_rgb: known values, reference, gradients, registration, awkward inputs, errors."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import lab_to_rgb, reference, rgb_to_lab
from tests.kernels.conftest import LAB_TOLERANCE, RGB_TOLERANCE, compiled_only

DTYPES = list(LAB_TOLERANCE)
# sRGB -> Lab by CIE's formulas with the exact constants and the white of the six-decimal matrix.
KNOWN = [
    ((1, 1, 1), (100, 0, 0)),
    ((0, 0, 0), (0, 0, 0)),
    ((1, 0, 0), (53.240588, 80.094167, 67.201537)),
    ((0, 1, 0), (87.735099, -86.181258, 83.177477)),
    ((0, 0, 1), (32.295673, 79.187002, -107.861747)),
    ((0, 1, 1), (91.113301, -48.088565, -14.130956)),
    ((1, 0, 1), (60.323507, 98.235151, -60.825492)),
    ((1, 1, 0), (97.139507, -21.552392, 94.475782)),
    ((119 / 255,) * 3, (50.034439, 0, 0)),
    ((188 / 255,) * 3, (76.246091, 0, 0)),
]


def pixels(colours: list[tuple[float, ...]], dtype: torch.dtype = torch.float64) -> Tensor:
    """Lay colours out as an image [3, 1, n]."""
    return torch.tensor(colours, dtype=dtype).T.reshape(3, 1, -1).contiguous()


def views(image: Tensor) -> dict[str, Tensor]:
    """The same pixels [2, 3, h, w] in the layouts that callers use."""
    wide = torch.empty(2, 5, image.shape[-2], 2 * image.shape[-1], dtype=image.dtype)
    wide[:, 1:4, :, ::2] = image
    return {
        "contiguous": image,
        "channels_last": image.to(memory_format=torch.channels_last),
        "sliced": wide[:, 1:4, :, ::2],
        "transposed": image.mT.contiguous().mT,
    }


# 1 Known values


@pytest.mark.parametrize(("rgb", "lab"), KNOWN)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_known_colours(rgb: tuple[float, ...], lab: tuple[float, ...], dtype: torch.dtype) -> None:
    # The table has six decimals.
    tolerance = max(LAB_TOLERANCE[dtype], 1e-6)
    torch.testing.assert_close(rgb_to_lab(pixels([rgb], dtype)), pixels([lab], dtype), atol=tolerance, rtol=0)
    torch.testing.assert_close(lab_to_rgb(pixels([lab], dtype)), pixels([rgb], dtype), atol=1e-5, rtol=0)


def test_gradient_at_black() -> None:
    black = torch.zeros(3, 1, 1, requires_grad=True)
    rgb_to_lab(black).sum().backward()
    torch.testing.assert_close(black.grad.flatten(), torch.tensor([105.0, 20.9, -56.0]), atol=0.06, rtol=0)


def test_white_and_black_are_exact() -> None:
    assert rgb_to_lab(torch.ones(3, 1, 1)).flatten().tolist() == [100, 0, 0]
    assert rgb_to_lab(torch.zeros(3, 1, 1)).flatten().tolist() == [0, 0, 0]
    assert lab_to_rgb(torch.zeros(3, 1, 1)).flatten().tolist() == [0, 0, 0]


# 2 Reference


@compiled_only
def test_cube_meets_the_accuracy_gate(cube: Tensor) -> None:
    lab = rgb_to_lab(cube)
    exact = reference.rgb_to_lab(cube.double())
    assert (lab - exact).abs().max() <= 2e-4
    assert (lab_to_rgb(lab) - reference.lab_to_rgb(lab.double())).abs().max() <= 0.003 / 255


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", views(torch.zeros(2, 3, 2, 2)))
def test_agrees_with_the_reference(dtype: torch.dtype, layout: str) -> None:
    rgb = views((torch.rand(2, 3, 13, 29) * 1.4 - 0.2).to(dtype))[layout]
    lab = rgb_to_lab(rgb)
    assert lab.dtype == dtype
    torch.testing.assert_close(lab.double(), reference.rgb_to_lab(rgb.double()), atol=LAB_TOLERANCE[dtype], rtol=0)
    back = lab_to_rgb(lab)
    exact = reference.lab_to_rgb(lab.double())
    torch.testing.assert_close(back.double(), exact, atol=RGB_TOLERANCE[dtype], rtol=0)


# 3 Gradients


def gradient(function: Callable[[Tensor], Tensor], image: Tensor, upstream: Tensor) -> Tensor:
    image = image.detach().requires_grad_()
    return torch.autograd.grad(function(image), image, upstream)[0]


def sum_of_terms(function: Callable[[Tensor], Tensor], image: Tensor, upstream: Tensor) -> Tensor:
    """The gradient's terms by absolute value: the yardstick where they cancel."""
    terms = [gradient(function, image, upstream * torch.eye(3)[c].view(3, 1, 1)).abs() for c in range(3)]
    return terms[0] + terms[1] + terms[2]


@compiled_only
@pytest.mark.parametrize("layout", views(torch.zeros(2, 3, 2, 2)))
def test_gradients_agree_with_the_reference(layout: str) -> None:
    rgb = views(torch.rand(2, 3, 13, 29) * 1.4 - 0.2)[layout]
    upstream = torch.randn(2, 3, 13, 29)
    for ours, exact, image in (
        (rgb_to_lab, reference.rgb_to_lab, rgb),
        (lambda lab: lab_to_rgb(lab, clip=False), lambda lab: reference.lab_to_rgb(lab, clip=False), rgb_to_lab(rgb)),
    ):
        expected = gradient(exact, image.double(), upstream.double())
        scale = sum_of_terms(exact, image.double(), upstream.double())
        assert ((gradient(ours, image, upstream) - expected).abs() <= 1e-3 * scale).all()


@pytest.mark.gradcheck
def test_gradcheck() -> None:
    # 0.1 to 0.9 keeps away from the branch points and the clip bounds.
    rgb = (torch.rand(2, 3, 3, 5, dtype=torch.float64) * 0.8 + 0.1).requires_grad_()
    lab = rgb_to_lab(rgb).detach().requires_grad_()
    assert torch.autograd.gradcheck(rgb_to_lab, rgb, eps=1e-7, atol=1e-4)
    assert torch.autograd.gradcheck(lab_to_rgb, lab, eps=1e-7, atol=1e-4)
    assert torch.autograd.gradcheck(lambda image: lab_to_rgb(image, clip=False), lab, eps=1e-7, atol=1e-4)


def test_clipped_channels_get_no_gradient() -> None:
    lab = rgb_to_lab(pixels([(1.2, 0.5, -0.1)], torch.float32)).requires_grad_()
    by_channel = [torch.autograd.grad(lab_to_rgb(lab)[c].sum(), lab)[0].abs().sum().item() for c in range(3)]
    assert by_channel[0] == 0
    assert by_channel[1] > 0
    assert by_channel[2] == 0


@pytest.mark.parametrize("level", [0, 1 / 255, 0.04045, 1, -0.1, 1.5])
def test_gradients_are_finite_at_branch_points(level: float) -> None:
    around = torch.nextafter(torch.tensor(level), torch.tensor([-2.0, level, 2.0]))
    rgb = torch.stack(torch.meshgrid(around, around, around, indexing="ij")).reshape(3, 3, 9).requires_grad_()
    lab = rgb_to_lab(rgb)
    lab_to_rgb(lab, clip=False).sum().backward()
    assert rgb.grad.isfinite().all()


@compiled_only
@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb])
def test_second_derivative_is_refused(convert: Callable[[Tensor], Tensor]) -> None:
    image = torch.rand(3, 2, 2, requires_grad=True)
    first = torch.autograd.grad(convert(image).sum(), image, create_graph=True)[0]
    with pytest.raises(
        RuntimeError, match=rf"no second derivative; use nirtrans\.kernels\.reference\.{convert.__name__}"
    ):
        first.sum().backward()


# 4 Registration


def samples() -> list[Tensor]:
    image = torch.rand(2, 3, 5, 7)
    return [*views(image).values(), image.half(), image[:0], image[:1].expand(2, 3, 5, 7), image[0]]


@compiled_only
@pytest.mark.parametrize("image", samples(), ids=lambda image: f"{tuple(image.shape)}-{image.stride()}-{image.dtype}")
def test_opcheck(image: Tensor) -> None:
    ops = torch.ops.nirtrans
    opcheck(ops.rgb_to_lab.default, (image.clone().requires_grad_(),))
    opcheck(ops.lab_to_rgb.default, (image.clone().requires_grad_(), True))
    # opcheck would differentiate twice if these required gradients.
    opcheck(ops.rgb_to_lab_backward.default, (torch.rand_like(image), image))
    opcheck(ops.lab_to_rgb_backward.default, (torch.rand_like(image), image, False))


@pytest.mark.slow
def test_compiled_graph_gives_the_same() -> None:
    def round_trip(rgb: Tensor) -> Tensor:
        return lab_to_rgb(rgb_to_lab(rgb) * 0.9)

    compiled = torch.compile(round_trip, fullgraph=True)
    for layout in views(torch.rand(2, 3, 8, 8)).values():
        upstream = torch.rand(2, 3, 8, 8)
        torch.testing.assert_close(compiled(layout), round_trip(layout), atol=1e-6, rtol=0)
        expected = gradient(round_trip, layout, upstream)
        torch.testing.assert_close(gradient(compiled, layout, upstream), expected, atol=1e-5, rtol=1e-5)


# 5 Awkward inputs


@pytest.mark.parametrize(
    "shape",
    [(0, 3, 4, 4), (2, 3, 0, 4), (3, 1, 1), (3, 1, 37), (3, 37, 1), (2, 2, 3, 5, 7), (1, 3, 511, 1), (3, 1, 513)],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_shapes(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    rgb = torch.rand(shape).to(dtype)
    lab = rgb_to_lab(rgb)
    assert lab.shape == rgb.shape
    torch.testing.assert_close(lab.double(), reference.rgb_to_lab(rgb.double()), atol=LAB_TOLERANCE[dtype], rtol=0)


def test_memory_format_is_kept() -> None:
    batch = torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last).requires_grad_()
    picture = torch.rand(4, 5, 3).permute(2, 0, 1)
    assert rgb_to_lab(batch).is_contiguous(memory_format=torch.channels_last)
    assert lab_to_rgb(picture).stride() == picture.stride()
    torch.testing.assert_close(rgb_to_lab(batch), rgb_to_lab(batch.contiguous()), atol=2e-4, rtol=0)
    assert torch.autograd.grad(rgb_to_lab(batch).sum(), batch)[0].stride() == batch.stride()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb])
def test_non_finite_values_stay_in_their_pixel(bad: float, convert: Callable[[Tensor], Tensor]) -> None:
    image = torch.rand(1, 3, 4, 40)
    expected = convert(image)
    image[0, 1, 2, 17] = bad
    result = convert(image)
    if bad != bad:
        assert result[0, :, 2, 17].isnan().any()
    result[..., 2, 17] = expected[..., 2, 17]
    assert torch.equal(result, expected)


@compiled_only
@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_do_not_change_bits(dtype: torch.dtype) -> None:
    image, upstream = torch.rand(3, 3, 111, 113).to(dtype), torch.rand(3, 3, 111, 113).to(dtype)

    def everything() -> list[Tensor]:
        lab = rgb_to_lab(image)
        back = lab_to_rgb(lab)
        return [lab, back, gradient(rgb_to_lab, image, upstream), gradient(lab_to_rgb, lab, upstream)]

    first, *others = (call_with_threads(everything, threads) for threads in (1, 2, 3))
    for other, (one, result) in itertools.product(others, [*zip(first, first, strict=True)]):
        assert torch.equal(one, result)
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def call_with_threads(function: Callable[[], Any], threads: int) -> Any:
    torch.set_num_threads(threads)
    return function()


# 6 Errors


@pytest.mark.parametrize(
    ("convert", "argument"), [(rgb_to_lab, "rgb"), (lab_to_rgb, "lab")], ids=["rgb_to_lab", "lab_to_rgb"]
)
def test_errors_say_what_to_do(convert: Callable[[Any], Tensor], argument: str) -> None:
    name = convert.__name__
    with pytest.raises(TypeError, match=rf"^{name}: expected a torch.Tensor as {argument}, got list$"):
        convert([1.0])
    with pytest.raises(
        TypeError,
        match=rf"^{name}: expected float16, .* got torch.uint8; for 8-bit and 16-bit images use image_to_lab$",
    ):
        convert(torch.zeros(3, 2, 2, dtype=torch.uint8))
    with pytest.raises(
        ValueError, match=rf"^{name}: expected {argument} of shape \(\.\.\., 3, H, W\), got \(1, 4, 2, 2\); "
    ):
        convert(torch.zeros(1, 4, 2, 2))
    with pytest.raises(ValueError, match=r"got \(3, 2\); move the channels before height and width"):
        convert(torch.zeros(3, 2))
