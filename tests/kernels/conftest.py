"""Images on which colour kernels are judged, and how far they may be off."""

import pytest
import torch
from torch import Tensor

from nirtrans.kernels import build_info

# Lab units. float32: the gate; 16-bit: half a step of the result at 128 (2^-4, 2^-1), plus the gate.
LAB_TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-4, torch.float16: 0.0627, torch.bfloat16: 0.501}
# sRGB. float32: 0.003/255; 16-bit: half a step at 1.
RGB_TOLERANCE = {torch.float64: 1e-12, torch.float32: 0.003 / 255, torch.float16: 5e-4, torch.bfloat16: 4e-3}

compiled_only = pytest.mark.skipif(not build_info()["compiled"], reason=f"twins run: {build_info()['reason']}")


@pytest.fixture(scope="session")
def cube() -> Tensor:
    """The sRGB cube in 86 steps per channel, [3, 86 * 86, 86]: every third 8-bit level."""
    levels = torch.linspace(0, 1, 86)
    return torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij")).reshape(3, -1, 86)
