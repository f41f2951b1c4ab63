"""Images on which colour kernels are judged, and how far they may be off."""

from collections.abc import Callable
from typing import TypeVar

import pytest
import torch
from torch import Tensor

from nirtrans.kernels import build_info

# Lab units. float32: the gate; 16-bit: half a step of the result at 128 (2^-4, 2^-1), plus the gate.
LAB_TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-4, torch.float16: 0.0627, torch.bfloat16: 0.501}
# sRGB. float32: 0.003/255; 16-bit: half a step at 1.
RGB_TOLERANCE = {torch.float64: 1e-12, torch.float32: 0.003 / 255, torch.float16: 5e-4, torch.bfloat16: 4e-3}

Result = TypeVar("Result")

compiled_only = pytest.mark.skipif(not build_info()["compiled"], reason=f"twins run: {build_info()['reason']}")


@pytest.fixture(scope="session")
def cube() -> Tensor:
    """The sRGB cube in 86 steps per channel, [3, 86 * 86, 86]: every third 8-bit level."""
    levels = torch.linspace(0, 1, 86)
    return torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij")).reshape(3, -1, 86)


def layouts(image: Tensor) -> dict[str, Tensor]:
    """The same values [n, c, h, w] in the layouts that callers use."""
    wide = torch.zeros(image.shape[0], image.shape[1] + 2, image.shape[2], 2 * image.shape[3], dtype=image.dtype)
    wide[:, 1:-1, :, ::2] = image
    return {
        "contiguous": image,
        "channels_last": image.to(memory_format=torch.channels_last),
        "sliced": wide[:, 1:-1, :, ::2],
    }


def class_scores(*shape: int) -> Tensor:
    """Random logits as of a network that is fairly sure."""
    return torch.randn(shape) * 4


def gradient_of(function: Callable[[Tensor], Tensor], image: Tensor, upstream: Tensor) -> Tensor:
    """Pull `upstream`, in any float dtype, back to `image`."""
    leaf = image.detach().requires_grad_()
    result = function(leaf)
    return torch.autograd.grad(result, leaf, upstream.to(result))[0]


def with_threads(threads: int, function: Callable[[], Result]) -> Result:
    """Call a function while torch uses this many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return function()
    finally:
        torch.set_num_threads(before)
