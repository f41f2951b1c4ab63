"""What all kernels refuse in the same words: options that are no numbers, and derivatives they do not have."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from nirtrans import kernels
from nirtrans.kernels import MSSSIMLoss, SSIMLoss
from tests.kernels.conftest import compiled_only

IMAGE = torch.rand(1, 3, 16, 16)
AB, LOGITS = torch.zeros(1, 2, 2, 2), torch.zeros(1, 313, 2, 2)
BYTES = torch.zeros(2, 2, 3, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("name", "inputs", "options", "message"),
    [
        ("image_to_lab", (BYTES,), {"ab_norm": "110"}, "expected a number as ab_norm, got str"),
        ("lab_to_image", (IMAGE,), {"l_norm": ("50", 50)}, "expected a number as offset, got str"),
        ("encode_ab", (AB,), {"sigma": "5"}, "expected a number as sigma, got str"),
        ("soft_cross_entropy", (LOGITS, AB), {"sigma": None}, "expected a number as sigma, got NoneType"),
        ("soft_cross_entropy", (LOGITS, AB), {"ignore_gray": "5"}, "expected a number as ignore_gray, got str"),
        ("annealed_mean", (LOGITS,), {"temperature": "0.38"}, "expected a number as temperature, got str"),
        ("class_weights", (torch.ones(1),), {"mix": "0.5"}, "expected a number as mix, got str"),
        ("ssim", (IMAGE, IMAGE), {"sigma": "1.5"}, "expected a number as sigma, got str"),
        ("ssim", (IMAGE, IMAGE), {"data_range": None}, "expected a number as data_range, got NoneType"),
        ("ms_ssim", (IMAGE, IMAGE), {"weights": 1.0}, "expected one weight per level, got float; give a tuple"),
        ("ms_ssim", (IMAGE, IMAGE), {"weights": "ab"}, "expected a number as weights[0], got str"),
        ("ms_ssim", (IMAGE, IMAGE), {"weights": (1.0,), "eps": "0"}, "expected a number as eps, got str"),
        ("l1_ssim_loss", (IMAGE, IMAGE), {"weight": None}, "expected a number as weight, got NoneType"),
        ("lab_to_rgb", (IMAGE,), {"clip": "no"}, "expected True or False as clip, got str"),
    ],
)
def test_options_of_a_wrong_type(name: str, inputs: tuple[Tensor, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{name}: {re.escape(message)}$"):
        getattr(kernels, name)(*inputs, **options)


@pytest.mark.parametrize("name", ["image_to_lab", "lab_to_image"])
def test_a_norm_that_is_no_pair(name: str) -> None:
    image = BYTES if name == "image_to_lab" else IMAGE
    with pytest.raises(ValueError, match=rf"^{name}: expected l_norm as \(offset, scale\), got 50.0; "):
        getattr(kernels, name)(image, l_norm=50.0)


@compiled_only
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("rgb_to_lab", kernels.rgb_to_lab),
        ("lab_to_rgb", kernels.lab_to_rgb),
        ("annealed_mean", lambda x: kernels.annealed_mean(x.repeat(1, 105, 1, 1)[:, :313])),
        ("soft_cross_entropy", lambda x: kernels.soft_cross_entropy(x.repeat(1, 105, 1, 1)[:, :313], IMAGE[:, :2])),
        ("ssim", lambda x: kernels.ssim(x, IMAGE)),
        ("ms_ssim", lambda x: kernels.ms_ssim(IMAGE, x, weights=(1.0,))),
        ("l1_ssim_loss", lambda x: kernels.l1_ssim_loss(x, IMAGE)),
    ],
)
def test_forward_mode_is_refused(name: str, call: Callable[[Tensor], Tensor]) -> None:
    """Torch drops the tangents at an operator without such a derivative: the result would be 0."""
    with pytest.raises(RuntimeError, match=f"^{name}: the compiled kernel has no forward-mode derivative; "):
        torch.func.jvp(call, (IMAGE,), (IMAGE,))


@pytest.mark.parametrize(("module", "name"), [(SSIMLoss, "ssim"), (MSSSIMLoss, "ms_ssim")])
@pytest.mark.parametrize(
    "options",
    [{"window_size": 4}, {"padding": "same"}, {"reduction": "avg"}, {"sigma": 0}, {"data_range": 1e-9}],
)
def test_modules_refuse_options_when_made(module: type, name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected .*{next(iter(options))}"):
        module(**options)


@pytest.mark.parametrize("options", [{"weights": (-1.0,)}, {"normalize": "no"}, {"eps": float("nan")}, {"eps": -1}])
def test_multi_scale_module_refuses_its_own_options_when_made(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^ms_ssim: expected .*{next(iter(options))}"):
        MSSSIMLoss(**options)


@pytest.mark.parametrize("data_range", [1e-6, 1e8])
def test_extreme_data_ranges_keep_value_and_gradient(data_range: float) -> None:
    x, y = IMAGE, IMAGE.flip(3)
    expected = kernels.ssim(x, y).item()
    scaled = (data_range * x).requires_grad_()
    value = kernels.ssim(scaled, data_range * y, data_range=data_range)
    value.backward()
    assert value.item() == pytest.approx(expected, abs=1e-5)
    assert scaled.grad.isfinite().all()


def test_modules_show_their_options() -> None:
    assert repr(SSIMLoss(window_size=7, padding="zero")) == "SSIMLoss(window_size=7, padding='zero')"
    assert repr(MSSSIMLoss()) == "MSSSIMLoss()"


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("lab_to_rgb", (IMAGE,)),
        ("lab_to_image", (IMAGE,)),
        ("encode_ab", (AB,)),
        ("soft_cross_entropy", (LOGITS, AB)),
        ("annealed_mean", (LOGITS,)),
        ("ssim", (IMAGE, IMAGE)),
        ("l1_ssim_loss", (IMAGE, IMAGE)),
    ],
)
def test_symbolic_sizes_and_numbers_are_traced(name: str, inputs: tuple[Tensor, ...]) -> None:
    """The eager backend takes the graph as it is traced, all sizes and options unknown."""
    function = getattr(kernels, name)
    torch.compiler.reset()
    traced = torch.compile(function, fullgraph=True, dynamic=True, backend="eager")
    torch.testing.assert_close(traced(*inputs), function(*inputs))


@pytest.mark.parametrize("number", [torch.ones(2), torch.tensor(0.5, requires_grad=True)])
def test_tensors_that_are_no_number(number: Tensor) -> None:
    """A temperature to be learned would receive no gradient."""
    with pytest.raises(TypeError, match=r"^annealed_mean: expected a number as temperature, got Tensor$"):
        kernels.annealed_mean(LOGITS, temperature=number)
    assert kernels.class_weights(torch.ones(1), mix=torch.tensor(0.5)).item() == 1


@pytest.mark.parametrize(
    ("name", "inputs", "argument"),
    [
        ("rgb_to_lab", (IMAGE.to_sparse(),), "rgb"),
        ("image_to_lab", (BYTES.to_sparse(),), "image"),
        ("soft_cross_entropy", (LOGITS, AB.to_sparse()), "ab"),
        ("ssim", (IMAGE, IMAGE.to_sparse()), "y"),
    ],
)
def test_sparse_tensors(name: str, inputs: tuple[Tensor, ...], argument: str) -> None:
    message = rf"^{name}: expected a dense tensor as {argument}, got torch.sparse_coo; use .to_dense\(\)$"
    with pytest.raises(TypeError, match=message):
        getattr(kernels, name)(*inputs)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_the_least_and_the_largest_scale(scale: float) -> None:
    assert kernels.annealed_mean(LOGITS.index_fill(1, torch.tensor([7]), 1.0), temperature=scale).isfinite().all()
    assert kernels.soft_cross_entropy(LOGITS, AB + 3, sigma=scale).isfinite()
    assert kernels.ssim(IMAGE, IMAGE.flip(2), sigma=scale).isfinite()


@pytest.mark.parametrize("scale", [9e-16, 1.1e15, float("nan")])
def test_scales_that_would_give_nan(scale: float) -> None:
    for call in (
        lambda: kernels.annealed_mean(LOGITS, temperature=scale),
        lambda: kernels.encode_ab(AB, sigma=scale),
        lambda: kernels.ssim(IMAGE, IMAGE, sigma=scale),
    ):
        with pytest.raises(ValueError, match=r"(temperature|sigma) from 1e-15 to 1e15, got"):
            call()
