"""The kernels over classes on a real device; under NIRTRANS_REQUIRE_CUDA=1 a missing device is a failure."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import ab_bins, annealed_mean, reference, soft_cross_entropy
from tests.kernels.conftest import class_scores, gradient_of, layouts

pytestmark = pytest.mark.cuda

# Relative to the largest gradient: float32, and half a step of the 16-bit result.
GRADIENT_TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}


@pytest.mark.parametrize("dtype", list(GRADIENT_TOLERANCE))
@pytest.mark.parametrize("layout", layouts(torch.zeros(2, 3, 2, 2)))
def test_annealed_mean_agrees_with_the_reference(dtype: torch.dtype, layout: str) -> None:
    logits = layouts(class_scores(2, 313, 17, 19).to("cuda", dtype))[layout]
    expected = reference.annealed_mean(logits.double(), bins=ab_bins())
    torch.testing.assert_close(annealed_mean(logits).double(), expected, atol=2e-4, rtol=0)
    upstream = torch.randn(2, 2, 17, 19, device="cuda")
    result = gradient_of(annealed_mean, logits, upstream)
    exact = gradient_of(lambda z: reference.annealed_mean(z, bins=ab_bins()), logits.double(), upstream)
    tolerance = GRADIENT_TOLERANCE[dtype] * exact.abs().max().item()
    torch.testing.assert_close(result.double(), exact, atol=tolerance, rtol=0)


@pytest.mark.parametrize(
    "options", [{}, {"reduction": "sum", "neighbors": 10}, {"reduction": "none"}, {"ignore_gray": 5.0}], ids=str
)
@pytest.mark.parametrize("dtype", list(GRADIENT_TOLERANCE))
@pytest.mark.parametrize("layout", layouts(torch.zeros(2, 3, 2, 2)))
def test_cross_entropy_agrees_with_the_reference(dtype: torch.dtype, layout: str, options: dict[str, Any]) -> None:
    logits = layouts(class_scores(2, 313, 17, 19).to("cuda", dtype))[layout]
    ab, weight = torch.randn(2, 2, 17, 19, device="cuda") * 40, torch.rand(313, device="cuda") + 0.5
    ab[0] = 3

    def exact_loss(scores: Tensor) -> Tensor:
        return reference.soft_cross_entropy(scores, ab, bins=ab_bins(), class_weight=weight, **options)

    loss = soft_cross_entropy(logits, ab, class_weight=weight, **options)
    torch.testing.assert_close(loss.double(), exact_loss(logits.double()), rtol=2e-6, atol=2e-6)
    upstream = torch.rand(loss.shape, device="cuda")
    result = gradient_of(lambda z: soft_cross_entropy(z, ab, class_weight=weight, **options), logits, upstream)
    exact = gradient_of(exact_loss, logits.double(), upstream)
    tolerance = GRADIENT_TOLERANCE[dtype] * exact.abs().max().item()
    torch.testing.assert_close(result.double(), exact, atol=tolerance, rtol=0)


def test_runs_are_bit_identical() -> None:
    logits, ab = class_scores(4, 313, 33, 65).cuda(), torch.randn(4, 2, 33, 65, device="cuda") * 40
    losses = [soft_cross_entropy(logits, ab) for _ in range(3)]
    assert torch.equal(losses[0], losses[1])
    assert torch.equal(losses[0], losses[2])


def test_opcheck() -> None:
    logits, bins = torch.randn(2, 5, 3, 4, device="cuda", requires_grad=True), torch.randn(5, 2)
    opcheck(torch.ops.nirtrans.annealed_mean.default, (logits, bins, 0.38))
    rest = (torch.randn(2, 2, 3, 4, device="cuda"), bins, None, None, torch.ones((), device="cuda"), 3, 5.0)
    opcheck(torch.ops.nirtrans.soft_cross_entropy.default, (logits, *rest, False, True))


def test_peak_memory_is_logits_and_gradient() -> None:
    logits = torch.zeros(4, 313, 128, 128, device="cuda", requires_grad=True)
    ab = torch.ones(4, 2, 128, 128, device="cuda")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    torch.autograd.grad(soft_cross_entropy(logits, ab), logits, torch.tensor(3.0, device="cuda"))
    assert torch.cuda.max_memory_allocated() - before < 1.05 * logits.numel() * 4


def test_runs_on_the_current_stream() -> None:
    logits = class_scores(4, 313, 128, 128).cuda()
    expected = annealed_mean(logits)
    stream, copy = torch.cuda.Stream(), torch.empty_like(logits)
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        # The copy waits behind this delay: a kernel on another stream would read before it.
        torch.cuda._sleep(50_000_000)
        copy.copy_(logits)
        result = annealed_mean(copy)
    stream.synchronize()
    assert torch.equal(result, expected)


@pytest.mark.slow
def test_more_than_2_to_the_31_elements() -> None:
    logits = torch.zeros(1, 313, 2640, 2640, dtype=torch.bfloat16, device="cuda")
    assert logits.numel() > 2**31
    logits[..., -1, -300:] = class_scores(1, 313, 1, 300)[..., 0, :].to(logits)
    mean = annealed_mean(logits)[..., -1:, -300:]
    torch.testing.assert_close(mean, annealed_mean(logits[..., -1:, -300:].contiguous()), atol=1e-4, rtol=0)
