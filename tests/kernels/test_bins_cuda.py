"""encode_ab on a real device; under NIRTRANS_REQUIRE_CUDA=1 a missing device is a failure, not a skip."""

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import ab_bins, encode_ab, reference

pytestmark = pytest.mark.cuda


def quarters(*shape: int) -> Tensor:
    """Multiples of 1/4 within 150: squared distances are exact, so devices agree even on ties."""
    return torch.randint(-600, 601, shape) / 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("neighbors", [1, 5, 10, 313])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_agrees_with_the_reference(dtype: torch.dtype, neighbors: int, memory_format: torch.memory_format) -> None:
    ab = quarters(3, 2, 37, 65).to(dtype).contiguous(memory_format=memory_format)
    index, weight = encode_ab(ab.cuda(), neighbors=neighbors)
    exact_index, exact_weight = reference.encode_ab(ab.double(), bins=ab_bins(), neighbors=neighbors)
    assert torch.equal(index.cpu(), exact_index)
    assert (weight.cpu() - exact_weight).abs().max() <= 1e-6


@pytest.mark.parametrize("place", ["cpu", "cuda"])
def test_other_tables(place: str) -> None:
    ab, bins = quarters(1, 2, 20, 20), quarters(700, 2)
    index, _ = encode_ab(ab.cuda(), bins=bins.to(place), neighbors=7)
    assert torch.equal(index.cpu(), reference.encode_ab(ab.double(), bins=bins, neighbors=7)[0])


def test_opcheck() -> None:
    opcheck(torch.ops.nirtrans.encode_ab.default, (quarters(2, 2, 5, 7).cuda(), ab_bins(), 5, 5.0))


def test_non_finite_colours_stay_in_their_pixel() -> None:
    ab = quarters(1, 2, 3, 50).cuda()
    ab[0, 1, 1, 17] = float("nan")
    index, weight = encode_ab(ab)
    assert weight.isnan().nonzero()[:, 2:].unique(dim=0).tolist() == [[1, 17]]
    assert index.min() >= 0
    assert index.max() <= 312


def test_runs_on_the_current_stream() -> None:
    ab = quarters(4, 2, 256, 256).cuda()
    expected = encode_ab(ab)
    stream = torch.cuda.Stream()
    copy = torch.empty_like(ab)
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        # The copy waits behind this delay: a kernel on another stream would read before it.
        torch.cuda._sleep(50_000_000)
        copy.copy_(ab)
        result = encode_ab(copy)
    stream.synchronize()
    assert all(torch.equal(a, b) for a, b in zip(result, expected, strict=True))


def test_runs_on_the_tensors_device() -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("one device only")
    ab = quarters(1, 2, 33, 65)
    result, expected = encode_ab(ab.to("cuda:1")), encode_ab(ab.to("cuda:0"))
    assert result[0].device == torch.device("cuda:1")
    assert all(torch.equal(a.cpu(), b.cpu()) for a, b in zip(result, expected, strict=True))


def test_many_tiny_images_exceed_the_grid() -> None:
    ab = quarters(70_000, 2, 1, 2).cuda()
    assert torch.equal(encode_ab(ab)[0][-1], encode_ab(ab[-1:].clone())[0][0])


@pytest.mark.slow
def test_more_than_2_to_the_31_elements() -> None:
    ab = quarters(1, 2, 16, 1).half().cuda().expand(1, 2, 16, 2**25)
    index, _ = encode_ab(ab)
    assert index.numel() > 2**31
    assert torch.equal(index[..., -1:, -1:], encode_ab(ab[..., -1:, -1:].contiguous())[0])
