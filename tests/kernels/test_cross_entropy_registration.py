"""soft_cross_entropy: what torch knows of the operators, memory, error messages."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import soft_cross_entropy
from tests.kernels.conftest import class_scores, compiled_only, gradient_of, layouts

ROOT = Path(__file__).parent.parent.parent

PEAK = """
import resource, torch
from nirtrans.kernels import soft_cross_entropy
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
torch.set_num_threads(1)
def step(side):
    logits = torch.zeros(1, 313, side, side, requires_grad=True)
    loss = soft_cross_entropy(logits, torch.ones(1, 2, side, side))
    (gradient,) = torch.autograd.grad(loss, logits, torch.tensor(3.0))
    return logits.numel() * 4
step(8)
before = peak()
size = step(256)
print((peak() - before) / size)
"""


@compiled_only
@pytest.mark.parametrize("per_pixel", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_opcheck(per_pixel: bool, dtype: torch.dtype) -> None:
    for logits in layouts(torch.randn(2, 5, 3, 4).to(dtype)).values():
        ab, bins, weight, skipped = (
            torch.randn(2, 2, 3, 4),
            torch.randn(5, 2),
            torch.rand(5),
            torch.tensor([True, False]),
        )
        # opcheck also compares the stored gradient, which another scale would change in the backward pass.
        scale = torch.ones(())
        rest = (ab, bins, weight, skipped, scale, 3, 5.0)
        leaf = logits.clone().requires_grad_()
        opcheck(torch.ops.nirtrans.soft_cross_entropy.default, (leaf, *rest, per_pixel, not per_pixel))
        grad = torch.rand(2, 3, 4) if per_pixel else torch.tensor(2.0)
        opcheck(torch.ops.nirtrans.soft_cross_entropy_backward.default, (grad, logits, *rest))
        opcheck(torch.ops.nirtrans.scale_gradient_.default, (logits.clone(), scale))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"reduction": "none"}, {"ignore_gray": 5.0}], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_compiled_graph_gives_the_same(options: dict[str, Any], dtype: torch.dtype) -> None:
    def loss_of(logits: Tensor) -> Tensor:
        return soft_cross_entropy(logits * 2, ab, class_weight=weight, **options)

    logits, ab, weight = class_scores(2, 313, 3, 4).to(dtype), torch.randn(2, 2, 3, 4) * 40, torch.rand(313)
    ab[0] = 1
    torch.compiler.reset()
    compiled = torch.compile(loss_of, fullgraph=True)
    loss = loss_of(logits)
    torch.testing.assert_close(compiled(logits), loss)
    upstream = torch.rand(loss.shape)
    torch.testing.assert_close(gradient_of(compiled, logits, upstream), gradient_of(loss_of, logits, upstream))


@compiled_only
def test_peak_memory_is_logits_and_gradient() -> None:
    result = subprocess.run([sys.executable, "-c", PEAK], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(result.stdout) < 2 * 1.05


def test_errors_say_what_to_do() -> None:
    logits, ab = torch.zeros(1, 313, 2, 3), torch.zeros(1, 2, 2, 3)
    with pytest.raises(
        ValueError,
        match=r"^soft_cross_entropy: expected one class for each of the 313 bins, got logits \(1, 312, 2, 3\); ",
    ):
        soft_cross_entropy(logits[:, 1:], ab)
    with pytest.raises(
        ValueError,
        match=r"^soft_cross_entropy: expected ab with the batch and spatial size of logits \(1, 313, 2, 3\), got "
        r"\(1, 2, 4, 6\); resize one to the other$",
    ):
        soft_cross_entropy(logits, torch.zeros(1, 2, 4, 6))
    with pytest.raises(ValueError, match=r"expected class_weight of shape \(313,\), one for each bin, got \(312,\); "):
        soft_cross_entropy(logits, ab, class_weight=torch.ones(312))
    with pytest.raises(ValueError, match=r"expected ab of shape \(N, 2, H, W\), got \(1, 3, 2, 3\); "):
        soft_cross_entropy(logits, torch.zeros(1, 3, 2, 3))
    with pytest.raises(TypeError, match=r"^soft_cross_entropy: expected float16, .*, got torch.uint8; "):
        soft_cross_entropy(logits, ab.byte())
    with pytest.raises(TypeError, match=r"got torch.int64; give the result of class_weights$"):
        soft_cross_entropy(logits, ab, class_weight=torch.ones(313).long())


def test_options_out_of_range_are_refused() -> None:
    logits, ab = torch.zeros(1, 313, 2, 3), torch.zeros(1, 2, 2, 3)
    with pytest.raises(ValueError, match=r"expected reduction 'mean', 'sum' or 'none', got 'max'; choose one of them$"):
        soft_cross_entropy(logits, ab, reduction="max")
    with pytest.raises(ValueError, match=r"expected ignore_gray >= 0, got -1; the published value is 5$"):
        soft_cross_entropy(logits, ab, ignore_gray=-1)
    with pytest.raises(ValueError, match=r"^soft_cross_entropy: expected neighbors from 1 to 313"):
        soft_cross_entropy(logits, ab, neighbors=314)
    with pytest.raises(ValueError, match=r"^soft_cross_entropy: expected sigma from 1e-15 to 1e15, got 0"):
        soft_cross_entropy(logits, ab, sigma=0)
    with pytest.raises(ValueError, match=r"^soft_cross_entropy: expected all tensors on one device, got logits on cpu"):
        soft_cross_entropy(logits, ab.to("meta"))
