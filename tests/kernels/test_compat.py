"""The drop-in faces against the packages that they stand in for."""

import inspect
from collections.abc import Callable
from typing import Any

import kornia
import pytest
import pytorch_msssim
import torch
from torch import Tensor

from nirtrans.kernels.compat import kornia as our_kornia
from nirtrans.kernels.compat import pytorch_msssim as our_msssim
from tests.kernels.ssim_pairs import noisy_pair


def scaled_pair(*shape: int) -> tuple[Tensor, Tensor]:
    """In [0, 255], the default range of pytorch-msssim; float64, so that only the definitions are compared."""
    x, y = noisy_pair(*shape, dtype=torch.float64)
    return 255 * x, 255 * y


def gradient(function: Callable[..., Tensor], x: Tensor, y: Tensor, **options: Any) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(function(x, y, **options).sum(), x)[0]


# 1 pytorch-msssim


@pytest.mark.parametrize("name", ["ssim", "ms_ssim", "SSIM", "MS_SSIM"])
def test_arguments_of_pytorch_msssim(name: str) -> None:
    theirs = inspect.signature(getattr(pytorch_msssim, name)).parameters
    ours = inspect.signature(getattr(our_msssim, name)).parameters
    assert [(n, p.default) for n, p in ours.items()] == [(n, p.default) for n, p in theirs.items()]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size_average": False},
        {"win_size": 7, "win_sigma": 1.0},
        {"data_range": 100},
        {"K": (0.01, 0.4)},
        {"nonnegative_ssim": True},
    ],
)
def test_ssim_of_pytorch_msssim(options: dict[str, Any]) -> None:
    x, y = scaled_pair(2, 3, 21, 24)
    ours, theirs = our_msssim.ssim(x, y, **options), pytorch_msssim.ssim(x, y, **options)
    torch.testing.assert_close(ours, theirs, atol=2e-7, rtol=0)
    module = our_msssim.SSIM(**options)(x, y), pytorch_msssim.SSIM(**options)(x, y)
    torch.testing.assert_close(*module, atol=2e-7, rtol=0)
    expected = gradient(pytorch_msssim.ssim, x, y, **options)
    assert (gradient(our_msssim.ssim, x, y, **options) - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_nonnegative_ssim() -> None:
    x, _ = scaled_pair(1, 1, 16, 16)
    assert our_msssim.ssim(x, 255 - x).item() < 0
    assert our_msssim.ssim(x, 255 - x, nonnegative_ssim=True).item() == 0


@pytest.mark.parametrize("options", [{}, {"size_average": False}, {"weights": [0.4, 0.6]}, {"win_size": 9}])
def test_ms_ssim_of_pytorch_msssim(options: dict[str, Any]) -> None:
    x, y = scaled_pair(2, 1, 161, 166)
    ours, theirs = our_msssim.ms_ssim(x, y, **options), pytorch_msssim.ms_ssim(x, y, **options)
    torch.testing.assert_close(ours, theirs, atol=2e-7, rtol=0)
    module = our_msssim.MS_SSIM(channel=1, **options)(x, y)
    torch.testing.assert_close(module, theirs, atol=2e-7, rtol=0)


def test_what_is_not_taken_over_is_refused() -> None:
    x, y = scaled_pair(1, 1, 16, 16)
    with pytest.raises(ValueError, match="ssim: expected win=None, got a Tensor; set win_size and win_sigma instead"):
        our_msssim.ssim(x, y, win=torch.ones(1, 1, 1, 11))
    with pytest.raises(ValueError, match="expected spatial_dims=2, got 3; merge the depth of volumes into the batch"):
        our_msssim.MS_SSIM(spatial_dims=3)


# 2 kornia


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("size", "max_val"), [(11, 1.0), (5, 2.0)])
def test_ssim_loss_of_kornia(padding: str, reduction: str, size: int, max_val: float) -> None:
    x, y = noisy_pair(2, 3, 21, 24, dtype=torch.float64)
    options: dict[str, Any] = {"max_val": max_val, "reduction": reduction, "padding": padding}
    ours = our_kornia.ssim_loss(x, y, size, **options)
    torch.testing.assert_close(ours, kornia.losses.ssim_loss(x, y, size, **options), atol=1e-8, rtol=1e-8)
    expected = gradient(kornia.losses.ssim_loss, x, y, window_size=size, **options)
    found = gradient(our_kornia.ssim_loss, x, y, window_size=size, **options)
    assert (found - expected).abs().max() <= 1e-6 * expected.abs().max()


def test_arguments_of_kornia() -> None:
    theirs = inspect.signature(kornia.losses.ssim_loss).parameters
    ours = inspect.signature(our_kornia.ssim_loss).parameters
    assert [(n, p.default) for n, p in ours.items()] == [(n, p.default) for n, p in theirs.items()]


def test_colour_of_kornia() -> None:
    rgb = torch.rand(2, 3, 8, 9)
    lab = our_kornia.rgb_to_lab(rgb)
    # Another white: at most 4.7e-3 in b, a tenth of an 8-bit level in RGB.
    torch.testing.assert_close(lab, kornia.color.rgb_to_lab(rgb), atol=6e-3, rtol=0)
    torch.testing.assert_close(our_kornia.RgbToLab()(rgb), lab)
    torch.testing.assert_close(our_kornia.lab_to_rgb(lab), kornia.color.lab_to_rgb(lab), atol=4e-4, rtol=0)
    torch.testing.assert_close(our_kornia.LabToRgb()(lab), rgb, atol=1e-4, rtol=0)


def test_kornia_lab_outside_of_srgb() -> None:
    lab = torch.rand(1, 3, 64, 64) * torch.tensor([100.0, 220.0, 220.0]).reshape(3, 1, 1)
    lab[:, 1:] -= 110
    ours, theirs = our_kornia.lab_to_rgb(lab), kornia.color.lab_to_rgb(lab)
    same_rule = (lab[:, :1] + 16 >= 0.58 * lab[:, 2:]).expand_as(lab)
    torch.testing.assert_close(ours[same_rule], theirs[same_rule], atol=2e-3, rtol=0)
    assert not torch.allclose(ours, theirs, atol=1e-2)


def test_kornia_options_are_checked() -> None:
    x, y = noisy_pair(1, 1, 16, 16)
    with pytest.raises(ValueError, match="expected padding 'same' or 'valid', got 'zero'; choose one of them"):
        our_kornia.ssim_loss(x, y, 11, padding="zero")
    with pytest.raises(ValueError, match=r"expected eps from 0 to 1e-10, got 0\.1; leave it out"):
        our_kornia.ssim_loss(x, y, 11, eps=0.1)
