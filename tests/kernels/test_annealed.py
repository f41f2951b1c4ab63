"""annealed_mean: known values, reference, gradients, registration, awkward inputs, errors."""

import math

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import ab_bins, annealed_mean, reference
from tests.kernels.conftest import class_scores, compiled_only, gradient_of, layouts, with_threads

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
# ab units: the gate; float64 computes in float64.
TOLERANCE = {torch.float64: 1e-10}
GATE = 2e-4
# Relative to the largest gradient: float32, and half a step of the 16-bit result.
GRADIENT_TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}


def exact_mean(logits: Tensor, temperature: float = 0.38, bins: Tensor | None = None) -> Tensor:
    table = ab_bins() if bins is None else bins
    return reference.annealed_mean(logits.double(), bins=table, temperature=temperature)


# 1 Known values


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_logits_give_the_mean_of_the_bins(dtype: torch.dtype) -> None:
    mean = annealed_mean(torch.zeros(1, 313, 1, 2, dtype=dtype))
    expected = torch.tensor([15.6869, 6.6773]).reshape(1, 2, 1, 1).expand(1, 2, 1, 2)
    torch.testing.assert_close(mean.float(), expected, atol=GATE, rtol=0)


@pytest.mark.parametrize("number", [0, 120, 312])
def test_one_certain_class_gives_its_bin(number: int) -> None:
    logits = torch.zeros(1, 313, 1, 1)
    logits[0, number] = 100
    assert torch.equal(annealed_mean(logits).flatten(), ab_bins()[number])


def test_two_bins_by_hand() -> None:
    bins = torch.tensor([[0.0, 10.0], [100.0, -10.0]])
    logits = torch.tensor([0.0, 0.38 * math.log(3)]).reshape(1, 2, 1, 1)
    mean = annealed_mean(logits, bins=bins)
    torch.testing.assert_close(mean.flatten(), torch.tensor([75.0, -5.0]), atol=GATE, rtol=0)


# 2 Reference


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", layouts(torch.zeros(2, 3, 2, 2)))
def test_agrees_with_the_reference(dtype: torch.dtype, layout: str) -> None:
    logits = layouts(class_scores(2, 313, 7, 11).to(dtype))[layout]
    mean = annealed_mean(logits)
    assert mean.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(mean.double(), exact_mean(logits), atol=TOLERANCE.get(dtype, GATE), rtol=0)


@pytest.mark.parametrize("classes", [1, 2, 5, 529, 4096])
def test_any_number_of_bins(classes: int) -> None:
    bins, logits = torch.rand(classes, 2) * 200 - 100, class_scores(1, classes, 3, 5)
    mean = annealed_mean(logits, bins=bins)
    torch.testing.assert_close(mean.double(), exact_mean(logits, bins=bins), atol=GATE, rtol=0)


# 3 Gradients


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", layouts(torch.zeros(2, 3, 2, 2)))
def test_gradient_agrees_with_the_reference(dtype: torch.dtype, layout: str) -> None:
    logits = layouts(class_scores(2, 313, 7, 11).to(dtype))[layout]
    upstream = torch.randn(2, 2, 7, 11)
    result = gradient_of(annealed_mean, logits, upstream)
    assert result.dtype == dtype
    expected = gradient_of(exact_mean, logits.double(), upstream)
    tolerance = GRADIENT_TOLERANCE[dtype] * expected.abs().max().item()
    torch.testing.assert_close(result.double(), expected, atol=tolerance, rtol=0)


@pytest.mark.gradcheck
def test_gradcheck() -> None:
    bins, logits = torch.rand(13, 2) * 200 - 100, torch.randn(2, 13, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: annealed_mean(z, bins=bins, temperature=0.7), logits, eps=1e-6, atol=1e-4)


@compiled_only
def test_second_derivative_is_refused() -> None:
    logits = torch.rand(1, 313, 1, 2, requires_grad=True)
    first = torch.autograd.grad(annealed_mean(logits).sum(), logits, create_graph=True)[0]
    with pytest.raises(
        RuntimeError, match=r"no second derivative; use nirtrans\.kernels\.reference\.annealed_mean instead"
    ):
        first.sum().backward()


# 4 Registration


@compiled_only
@pytest.mark.parametrize("layout", layouts(torch.zeros(2, 3, 2, 2)))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_opcheck(layout: str, dtype: torch.dtype) -> None:
    logits, bins = layouts(torch.randn(2, 5, 3, 4).to(dtype))[layout], torch.randn(5, 2)
    opcheck(torch.ops.nirtrans.annealed_mean.default, (logits.clone().requires_grad_(), bins, 0.38))
    opcheck(torch.ops.nirtrans.annealed_mean_backward.default, (torch.randn(2, 2, 3, 4), logits, bins, 0.38))


@pytest.mark.slow
def test_compiled_graph_gives_the_same() -> None:
    compiled = torch.compile(annealed_mean, fullgraph=True)
    for logits in layouts(class_scores(1, 313, 3, 4)).values():
        torch.testing.assert_close(compiled(logits), annealed_mean(logits))
        upstream = torch.randn(1, 2, 3, 4)
        torch.testing.assert_close(
            gradient_of(compiled, logits, upstream), gradient_of(annealed_mean, logits, upstream)
        )


# 5 Awkward inputs


@pytest.mark.parametrize("shape", [(0, 313, 4, 4), (1, 313, 0, 3), (3, 313, 1, 1), (1, 313, 1, 129), (1, 313, 127, 1)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_shapes(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    logits = torch.randn(shape).to(dtype)
    mean = annealed_mean(logits)
    assert mean.shape == (shape[0], 2, *shape[2:])
    assert gradient_of(annealed_mean, logits, torch.ones(mean.shape)).shape == logits.shape
    if logits.numel():
        torch.testing.assert_close(mean.double(), exact_mean(logits), atol=GATE, rtol=0)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_large_logits_do_not_overflow(size: float) -> None:
    logits = class_scores(1, 313, 2, 3) + size
    logits[0, 7] += 1e4
    mean = annealed_mean(logits)
    torch.testing.assert_close(mean, ab_bins()[7].reshape(1, 2, 1, 1).expand(1, 2, 2, 3))
    assert gradient_of(annealed_mean, logits, torch.ones(1, 2, 2, 3)).abs().max() == 0


def test_classes_at_minus_infinity_do_not_count() -> None:
    logits = class_scores(1, 313, 2, 3)
    logits[:, 100:] = -torch.inf
    mean, upstream = annealed_mean(logits), torch.ones(1, 2, 2, 3)
    torch.testing.assert_close(mean, annealed_mean(logits[:, :100].contiguous(), bins=ab_bins()[:100]))
    assert gradient_of(annealed_mean, logits, upstream)[:, 100:].abs().max() == 0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_non_finite_logits_stay_in_their_pixel(bad: float) -> None:
    logits = class_scores(1, 313, 4, 40)
    expected = annealed_mean(logits)
    logits[0, 3, 2, 17] = bad
    mean = annealed_mean(logits)
    assert mean[0, :, 2, 17].isnan().all()
    mean[..., 2, 17] = expected[..., 2, 17]
    assert torch.equal(mean, expected)


@compiled_only
@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_do_not_change_bits(dtype: torch.dtype) -> None:
    logits, upstream = class_scores(3, 40, 30, 41).to(dtype), torch.randn(3, 2, 30, 41)
    bins = torch.rand(40, 2) * 200 - 100

    def everything() -> Tensor:
        return gradient_of(lambda z: annealed_mean(z, bins=bins), logits, upstream)

    one, two, three = (with_threads(threads, everything) for threads in (1, 2, 3))
    assert torch.equal(one, two)
    assert torch.equal(one, three)


@pytest.mark.slow
@compiled_only
def test_more_than_2_to_the_31_elements() -> None:
    # 4.4 GB; the last pixels, whose offsets need 64 bits, must equal those of a small copy.
    logits = torch.zeros(1, 313, 2640, 2640, dtype=torch.bfloat16)
    assert logits.numel() > 2**31
    logits[..., -1, -300:] = class_scores(1, 313, 1, 300)[..., 0, :].to(torch.bfloat16)
    mean = annealed_mean(logits)[..., -1:, -300:]
    torch.testing.assert_close(mean, annealed_mean(logits[..., -1:, -300:].contiguous()), atol=0, rtol=0)


# 6 Errors


def test_errors_say_what_to_do() -> None:
    logits = torch.zeros(1, 313, 2, 2)
    with pytest.raises(
        ValueError, match=r"^annealed_mean: expected temperature from 1e-15 to 1e15, got 0; the published value"
    ):
        annealed_mean(logits, temperature=0)
    with pytest.raises(ValueError, match=r"^annealed_mean: expected temperature from 1e-15 to 1e15, got -1"):
        annealed_mean(logits, temperature=-1)
    with pytest.raises(
        ValueError, match=r"^annealed_mean: expected one class for each of the 313 bins, got logits \(1, 5, 2, 2\); "
    ):
        annealed_mean(logits[:, :5])
    with pytest.raises(ValueError, match=r"got \(1, 313, 2, 2, 2\); merge the depth into the batch$"):
        annealed_mean(torch.zeros(1, 313, 2, 2, 2))
    with pytest.raises(TypeError, match=r"^annealed_mean: expected float16, .*, got torch.int64; give the network's"):
        annealed_mean(logits.long())
    with pytest.raises(TypeError, match=r"^annealed_mean: expected a torch.Tensor as logits, got list$"):
        annealed_mean([1.0])
