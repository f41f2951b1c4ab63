"""soft_cross_entropy: known values, reference, gradients, awkward inputs."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from nirtrans.kernels import ab_bins, encode_ab, reference, soft_cross_entropy
from tests.kernels.conftest import class_scores, compiled_only, gradient_of, layouts, with_threads

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
# Relative. Values: float32 for all but float64; gradients, to the largest one: also half a step of the dtype.
LOSS_TOLERANCE = {torch.float64: 1e-12}
GRADIENT_TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"reduction": "sum", "neighbors": 10},
    {"reduction": "none", "sigma": 8.0, "neighbors": 3},
    {"ignore_gray": 5.0},
    {"ignore_gray": 5.0, "reduction": "none"},
]


def colours(count: int, height: int, width: int, *, spread: float = 40) -> Tensor:
    """Random ab, of which the first image is nearly grey."""
    ab = torch.randn(count, 2, height, width) * spread
    ab[:1] = ab[:1].clamp(-4, 4)
    return ab


def exact_loss(logits: Tensor, ab: Tensor, class_weight: Tensor | None = None, **options: Any) -> Tensor:
    return reference.soft_cross_entropy(logits.double(), ab, bins=ab_bins(), class_weight=class_weight, **options)


def dense_loss(logits: Tensor, ab: Tensor, class_weight: Tensor) -> Tensor:
    """The definition, with a target tensor of all classes and nothing shared with the twin but the encoding."""
    index, weight = encode_ab(ab.double())
    target = torch.zeros_like(logits).scatter_(1, index, weight.to(logits))
    return (class_weight[index[:, 0]] * -(target * logits.log_softmax(1)).sum(1)).mean()


# 1 Known values


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_logits_give_the_logarithm_of_the_classes(dtype: torch.dtype) -> None:
    loss = soft_cross_entropy(torch.zeros(2, 313, 3, 3, dtype=dtype), colours(2, 3, 3))
    assert loss.item() == pytest.approx(math.log(313), rel=1e-6)


def test_one_neighbour_is_the_cross_entropy_with_hard_labels() -> None:
    logits, ab = class_scores(2, 313, 5, 6), colours(2, 5, 6)
    labels = encode_ab(ab, neighbors=1)[0][:, 0]
    for reduction in ("mean", "sum", "none"):
        ours = soft_cross_entropy(logits, ab, neighbors=1, reduction=reduction)
        torch.testing.assert_close(ours, F.cross_entropy(logits, labels, reduction=reduction), rtol=2e-6, atol=2e-6)


def test_agrees_with_a_dense_target() -> None:
    logits, ab, weight = class_scores(2, 313, 5, 6).double(), colours(2, 5, 6), torch.rand(313).double() + 0.5
    expected, upstream = dense_loss(logits, ab, weight), torch.ones(())
    torch.testing.assert_close(soft_cross_entropy(logits, ab.double(), class_weight=weight), expected)
    ours = gradient_of(lambda z: soft_cross_entropy(z, ab.double(), class_weight=weight), logits, upstream)
    torch.testing.assert_close(ours, gradient_of(lambda z: dense_loss(z, ab, weight), logits, upstream))


# 2 Reference, values and gradients


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", layouts(torch.zeros(2, 3, 2, 2)))
def test_agrees_with_the_reference(dtype: torch.dtype, layout: str, options: dict[str, Any]) -> None:
    logits = layouts(class_scores(2, 313, 5, 9).to(dtype))[layout]
    ab, weight = colours(2, 5, 9), torch.rand(313) + 0.5
    loss = soft_cross_entropy(logits, ab, class_weight=weight, **options)
    expected = exact_loss(logits, ab, weight, **options)
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    tolerance = LOSS_TOLERANCE.get(dtype, 1e-6)
    torch.testing.assert_close(loss.double(), expected, rtol=tolerance, atol=tolerance)
    upstream = torch.rand(loss.shape)
    result = gradient_of(lambda z: soft_cross_entropy(z, ab, class_weight=weight, **options), logits, upstream)
    assert result.dtype == dtype
    exact = gradient_of(lambda z: exact_loss(z, ab, weight, **options), logits.double(), upstream)
    tolerance = GRADIENT_TOLERANCE[dtype] * exact.abs().max().item()
    torch.testing.assert_close(result.double(), exact, atol=tolerance, rtol=0)


@pytest.mark.parametrize(("classes", "neighbors"), [(1, 1), (2, 2), (529, 20), (4096, 33)])
def test_any_table_and_number_of_neighbours(classes: int, neighbors: int) -> None:
    bins, logits, ab = torch.rand(classes, 2) * 200 - 100, class_scores(1, classes, 3, 5), colours(1, 3, 5, spread=90)
    loss = soft_cross_entropy(logits, ab, bins=bins, neighbors=neighbors)
    expected = reference.soft_cross_entropy(logits.double(), ab, bins=bins, neighbors=neighbors)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.gradcheck
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradcheck(options: dict[str, Any]) -> None:
    bins, ab = torch.rand(13, 2).double() * 200 - 100, colours(2, 2, 3).double()
    weight, logits = torch.rand(13) + 0.5, torch.randn(2, 13, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda z: soft_cross_entropy(z, ab, bins=bins, class_weight=weight, **options), logits, eps=1e-6, atol=1e-5
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_second_backward_pass_gives_the_same(dtype: torch.dtype) -> None:
    logits, ab = class_scores(2, 313, 5, 6).to(dtype).requires_grad_(), colours(2, 5, 6)
    loss = soft_cross_entropy(logits, ab)
    upstreams = [torch.tensor(factor, dtype=loss.dtype) for factor in (64.0, 64.0, 1.0, 0.0)]
    first, second, once, nothing = (torch.autograd.grad(loss, logits, u, retain_graph=True)[0] for u in upstreams)
    tolerance = GRADIENT_TOLERANCE[dtype] * first.abs().max().item()
    torch.testing.assert_close(first, second, atol=tolerance, rtol=0)
    torch.testing.assert_close(first, once * 64, atol=tolerance, rtol=0)
    assert nothing.abs().max() == 0


def test_float16_gradients_do_not_underflow() -> None:
    # 1/n = 9e-8 is next to the smallest float16, 6e-8. A loss scale, as of mixed precision, must bring it back exactly.
    logits = torch.zeros(1, 2, 3400, 3400, dtype=torch.float16, requires_grad=True)
    ab = torch.zeros(1, 2, 1, 1).expand(1, 2, 3400, 3400)
    loss = soft_cross_entropy(logits, ab, bins=torch.tensor([[0.0, 0.0], [90.0, 0.0]]), neighbors=1)
    result = torch.autograd.grad(loss, logits, torch.tensor(3400.0**2 / 16))[0]
    torch.testing.assert_close(result[0, :, 7, 7].float(), torch.tensor([-0.5, 0.5]) / 16, rtol=1e-3, atol=0)


@compiled_only
def test_second_derivative_is_refused() -> None:
    logits = torch.rand(1, 313, 1, 2, requires_grad=True)
    first = torch.autograd.grad(soft_cross_entropy(logits, colours(1, 1, 2)), logits, create_graph=True)[0]
    with pytest.raises(
        RuntimeError, match=r"no second derivative; use nirtrans\.kernels\.reference\.soft_cross_entropy instead"
    ):
        first.sum().backward()


def test_only_the_logits_receive_a_gradient() -> None:
    logits, ab = class_scores(1, 313, 2, 2).requires_grad_(), colours(1, 2, 2).requires_grad_()
    bins, weight = ab_bins().requires_grad_(), torch.ones(313, requires_grad=True)
    soft_cross_entropy(logits, ab, bins=bins, class_weight=weight).backward()
    assert logits.grad is not None
    assert ab.grad is None
    assert bins.grad is None
    assert weight.grad is None


@compiled_only
def test_no_gradient_is_made_unless_wanted() -> None:
    logits, ab = class_scores(1, 313, 2, 2), colours(1, 2, 2)
    arguments = (ab_bins(), None, None, torch.ones(()), 5, 5.0, False)
    loss, gradient = torch.ops.nirtrans.soft_cross_entropy(logits, ab, *arguments, False)
    assert gradient.numel() == 0
    assert not soft_cross_entropy(logits, ab).requires_grad
    with torch.no_grad():
        assert torch.equal(soft_cross_entropy(logits.requires_grad_(), ab, reduction="sum"), loss)


# 3 Awkward inputs


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_large_logits_keep_their_precision(size: float) -> None:
    logits, ab = class_scores(1, 313, 3, 4) * 100 + size, colours(1, 3, 4)
    loss, expected = soft_cross_entropy(logits, ab), exact_loss(logits, ab)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-6, atol=0)
    result = gradient_of(lambda z: soft_cross_entropy(z, ab, reduction="sum"), logits, torch.ones(()))
    exact = gradient_of(lambda z: exact_loss(z, ab, reduction="sum"), logits.double(), torch.ones(()))
    torch.testing.assert_close(result.double(), exact, atol=1e-6, rtol=0)


def test_classes_at_minus_infinity() -> None:
    ab = torch.zeros(1, 2, 1, 1)
    index, weight = (part.flatten() for part in reference.encode_ab(ab, bins=ab_bins(), neighbors=313))
    weightless = index[weight == 0]
    assert len(weightless) > 100
    logits = class_scores(1, 313, 1, 1)
    logits[0, weightless] = -torch.inf
    loss = soft_cross_entropy(logits, ab, neighbors=313)
    assert loss.isfinite()
    expected = reference.soft_cross_entropy(logits, ab, bins=ab_bins(), neighbors=313)
    torch.testing.assert_close(loss, expected, rtol=2e-6, atol=0)
    assert gradient_of(lambda z: soft_cross_entropy(z, ab), logits, torch.ones(())).isfinite().all()
    logits[0, 120] = -torch.inf
    assert soft_cross_entropy(logits, ab) == torch.inf


def test_grey_images_do_not_count() -> None:
    logits, ab = class_scores(3, 313, 4, 5), colours(3, 4, 5)
    logits[0] = torch.nan  # not even NaN counts
    kept = soft_cross_entropy(logits[1:], ab[1:])
    torch.testing.assert_close(soft_cross_entropy(logits, ab, ignore_gray=5), kept, rtol=1e-6, atol=0)
    result = gradient_of(lambda z: soft_cross_entropy(z, ab, ignore_gray=5), logits, torch.ones(()))
    assert result[0].abs().max() == 0
    ab[0, 1, 3, 4] = 5.5  # one coloured pixel, and the image counts
    assert soft_cross_entropy(logits, ab, ignore_gray=5).isnan()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_all_grey_gives_no_loss_and_no_gradient(reduction: str, dtype: torch.dtype) -> None:
    logits, ab = class_scores(2, 313, 3, 3).to(dtype).requires_grad_(), torch.zeros(2, 2, 3, 3)
    loss = soft_cross_entropy(logits, ab, reduction=reduction, ignore_gray=0)
    assert loss.item() == 0
    assert torch.autograd.grad(loss, logits)[0].abs().max() == 0


@pytest.mark.parametrize("shape", [(0, 313, 4, 4), (1, 313, 0, 3), (3, 313, 1, 1), (1, 313, 1, 129), (1, 313, 127, 1)])
def test_shapes(shape: tuple[int, ...]) -> None:
    logits, ab = class_scores(*shape).requires_grad_(), torch.zeros(shape[0], 2, *shape[2:])
    assert soft_cross_entropy(logits, ab, reduction="none").shape == (shape[0], *shape[2:])
    for reduction in ("mean", "sum"):
        loss = soft_cross_entropy(logits, ab, reduction=reduction)
        assert torch.autograd.grad(loss, logits)[0].shape == shape
        expected = exact_loss(logits, ab, reduction=reduction) if logits.numel() else torch.zeros(()).double()
        torch.testing.assert_close(loss.double(), expected, rtol=1e-6, atol=0)


def test_non_finite_colours_stay_in_their_pixel() -> None:
    logits, ab = class_scores(1, 313, 4, 40), colours(1, 4, 40)
    expected = soft_cross_entropy(logits, ab, reduction="none")
    ab[0, 1, 2, 17] = torch.nan
    loss = soft_cross_entropy(logits, ab, reduction="none")
    assert loss[0, 2, 17].isnan()
    loss[0, 2, 17] = expected[0, 2, 17]
    assert torch.equal(loss, expected)


@compiled_only
@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_do_not_change_bits(dtype: torch.dtype) -> None:
    logits, ab, bins = class_scores(3, 40, 30, 41).to(dtype), colours(3, 30, 41), torch.rand(40, 2) * 200 - 100

    def everything() -> tuple[Tensor, Tensor]:
        leaf = logits.clone().requires_grad_()
        loss = soft_cross_entropy(leaf, ab, bins=bins)
        return loss, torch.autograd.grad(loss, leaf)[0]

    one, two, three = (with_threads(threads, everything) for threads in (1, 2, 3))
    for other in (two, three):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.slow
@compiled_only
def test_more_than_2_to_the_31_elements() -> None:
    # 4.4 GB; the last pixels, whose offsets need 64 bits, must equal those of a small copy.
    logits, ab = torch.zeros(1, 313, 2640, 2640, dtype=torch.bfloat16), colours(1, 2640, 2640)
    assert logits.numel() > 2**31
    logits[..., -1, -300:] = class_scores(1, 313, 1, 300)[..., 0, :].to(torch.bfloat16)
    loss = soft_cross_entropy(logits, ab, reduction="none")[..., -1:, -300:]
    ends = [tensor[..., -1:, -300:].contiguous() for tensor in (logits, ab)]
    assert torch.equal(loss, soft_cross_entropy(*ends, reduction="none"))
