"""What must hold for every colour: round trip, grey axis, monotony, the adjoint, parity with other libraries."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nirtrans.kernels import lab_to_rgb, reference, rgb_to_lab

# Other libraries divide by a separately tabulated white: their greys drift by this much, L least and b most.
PARITY = 6e-3


def images(low: float, high: float) -> st.SearchStrategy[Tensor]:
    """One row of 1 to 40 colours with channels in [low, high]; multiples of 2^-13 keep shrinking readable."""
    channel = st.integers(round(low * 8192), round(high * 8192)).map(lambda value: value / 8192)
    colour = st.tuples(channel, channel, channel)
    return st.lists(colour, min_size=1, max_size=40).map(
        lambda rows: torch.tensor(rows).T.reshape(3, 1, -1).contiguous()
    )


@settings(max_examples=60)
@given(images(0, 1))
def test_round_trip(rgb: Tensor) -> None:
    assert (lab_to_rgb(rgb_to_lab(rgb)) - rgb).abs().max() <= 1e-5


@settings(max_examples=60)
@given(images(-0.2, 1.5))
def test_round_trip_outside_the_cube(rgb: Tensor) -> None:
    back = lab_to_rgb(rgb_to_lab(rgb.double()), clip=False)
    # lab_to_rgb undoes exactly what rgb_to_lab did, but for the 2.3e-9 by which sRGB's branches miss each other.
    assert (back - rgb).abs().max() <= 1e-7
    assert (lab_to_rgb(rgb_to_lab(rgb), clip=False) - rgb).abs().max() <= 3e-5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_grey_is_exactly_grey(dtype: torch.dtype) -> None:
    levels = torch.linspace(-0.2, 1.5, 4001, dtype=torch.float64).to(dtype)
    lightness, a, b = rgb_to_lab(levels.expand(3, 1, -1))
    assert not a.any()
    assert not b.any()
    assert (lightness.diff() >= 0).all()


@settings(max_examples=30)
@given(images(0.02, 0.98), st.integers(0, 1000))
def test_backward_is_the_adjoint(rgb: Tensor, seed: int) -> None:
    """<Jv, u> = <v, J^T u>, with Jv from forward differences of the reference in float64."""
    rgb = rgb.double()
    generator = torch.Generator().manual_seed(seed)
    v, u = (torch.randn(rgb.shape, dtype=torch.float64, generator=generator) for _ in range(2))
    image = rgb.clone().requires_grad_()
    pulled_back = torch.autograd.grad(rgb_to_lab(image), image, u)[0]
    step = 1e-6
    pushed = (reference.rgb_to_lab(rgb + step * v) - reference.rgb_to_lab(rgb - step * v)) / (2 * step)
    torch.testing.assert_close((pushed * u).sum(), (v * pulled_back).sum(), rtol=1e-3, atol=1e-2)


def test_parity_with_scikit_image(cube: Tensor) -> None:
    color = pytest.importorskip("skimage.color")
    theirs = torch.from_numpy(color.rgb2lab(cube.movedim(0, -1).double().numpy())).movedim(-1, 0)
    assert (rgb_to_lab(cube) - theirs).abs().max() <= PARITY


def test_parity_with_kornia(cube: Tensor) -> None:
    color = pytest.importorskip("kornia.color")
    assert (rgb_to_lab(cube) - color.rgb_to_lab(cube[None])[0]).abs().max() <= PARITY
    lab = rgb_to_lab(cube)
    # A grey drift of 0.005 Lab is at most 6e-5 in sRGB inside the cube, more at its dark edge.
    assert (lab_to_rgb(lab) - color.lab_to_rgb(lab[None])[0]).abs().max() <= 1e-3


def test_all_8_bit_greys_return() -> None:
    levels = torch.arange(256, dtype=torch.float32) / 255
    back = lab_to_rgb(rgb_to_lab(levels.expand(3, 1, 256)))
    assert np.array_equal((back * 255).round().numpy(), np.broadcast_to(np.arange(256.0), (3, 1, 256)))
