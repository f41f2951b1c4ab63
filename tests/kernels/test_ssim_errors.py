"""What ssim, ms_ssim and l1_ssim_loss refuse, and in which words."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from nirtrans.kernels import l1_ssim_loss, ms_ssim, ssim

FUNCTIONS: dict[str, Callable[..., Tensor]] = {"ssim": ssim, "ms_ssim": ms_ssim, "l1_ssim_loss": l1_ssim_loss}
IMAGE = torch.zeros(2, 3, 20, 20)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (
            IMAGE.byte(),
            IMAGE,
            TypeError,
            "expected float16, bfloat16, float32 or float64, got torch.uint8; "
            "scale 8-bit images to [0, 1] with x.float() / 255",
        ),
        (IMAGE, IMAGE.long(), TypeError, "got torch.int64; scale 8-bit images to [0, 1] with y.float() / 255"),
        (IMAGE, None, TypeError, "expected a torch.Tensor as y, got NoneType"),
        (IMAGE[0], IMAGE[0], ValueError, "got (3, 20, 20); add a batch dimension with [None]"),
        (IMAGE[None], IMAGE[None], ValueError, "got (1, 2, 3, 20, 20); merge the depth into the batch"),
        (
            IMAGE,
            IMAGE[..., 1:],
            ValueError,
            "expected images of one shape, got (2, 3, 20, 20) and (2, 3, 20, 19); crop or resize one",
        ),
        (IMAGE, IMAGE.to("meta"), ValueError, "got x on cpu and y on meta; move one with .to()"),
        (
            IMAGE[..., :10],
            IMAGE[..., :10],
            ValueError,
            "expected height and width of at least 11 for a window of 11 with padding 'valid', got 20 x 10; "
            "use a smaller window_size or another padding",
        ),
        (IMAGE[..., :0], IMAGE[..., :0], ValueError, "got 20 x 0"),
    ],
)
def test_images(name: str, x: Any, y: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{name}: .*{re.escape(message)}"):
        FUNCTIONS[name](x, y)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_size": 10}, "expected an odd window_size from 3 to 33, got 10; 11 is usual"),
        ({"window_size": 35}, "expected an odd window_size from 3 to 33, got 35; 11 is usual"),
        ({"window_size": 1}, "expected an odd window_size from 3 to 33, got 1; 11 is usual"),
        ({"sigma": 0}, "expected sigma from 1e-15 to 1e15, got 0; 1.5 is usual"),
        ({"data_range": -1}, "expected data_range from 1e-6 to 1e8, got -1; 1 for images in [0, 1]"),
        ({"padding": "same"}, "expected padding 'valid', 'reflect' or 'zero', got 'same'; choose one"),
        ({"mask": torch.ones(2, 3, 20, 20, dtype=torch.bool)}, "expected a mask broadcastable to (2, 1, 20, 20)"),
    ],
)
def test_options(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{name}: {message}")):
        FUNCTIONS[name](IMAGE, IMAGE, **options)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_mask_of_floats(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: expected a bool tensor as mask, got torch.float32; True marks valid"):
        FUNCTIONS[name](IMAGE, IMAGE, mask=torch.ones(2, 1, 20, 20))


@pytest.mark.parametrize("name", ["ssim", "ms_ssim"])
def test_reduction(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected reduction .* got 'avg'"):
        FUNCTIONS[name](IMAGE, IMAGE, reduction="avg")


def test_reflect_needs_more_than_half_a_window() -> None:
    with pytest.raises(ValueError, match="at least 6 for a window of 11 with padding 'reflect', got 20 x 5"):
        ssim(IMAGE[..., :5], IMAGE[..., :5], padding="reflect")
    assert ssim(IMAGE[..., :6], IMAGE[..., :6], padding="reflect").item() == 1
    assert ssim(IMAGE[..., :1], IMAGE[..., :1], padding="zero").item() == 1


def test_loss_options() -> None:
    with pytest.raises(ValueError, match=re.escape("expected weight in [0, 1], got 1.5; 0 is L1 alone, 1 is SSIM")):
        l1_ssim_loss(IMAGE, IMAGE, weight=1.5)
    with pytest.raises(ValueError, match="expected reduction 'mean' or 'sum', got 'none'; the maps of its two parts"):
        l1_ssim_loss(IMAGE, IMAGE, reduction="none")
    with pytest.raises(ValueError, match="expected normalize 'relu', 'simple' or None, got 'abs'; choose one of them"):
        ms_ssim(IMAGE, IMAGE, normalize="abs")


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_of_levels(weight: float) -> None:
    with pytest.raises(ValueError, match=rf"^ms_ssim: expected finite weights >= 0, got \(0.5, {weight}\); leave "):
        ms_ssim(IMAGE, IMAGE, weights=(0.5, weight))


@pytest.mark.parametrize(("side", "most"), [(160, 4), (80, 3), (11, 1)])
def test_too_small_for_the_levels_proposes_fewer(side: int, most: int) -> None:
    image = torch.zeros(1, 1, 200, side)
    with pytest.raises(
        ValueError, match=f"height and width above 160 for 5 levels, got .*; use at most {most} weights"
    ):
        ms_ssim(image, image)
