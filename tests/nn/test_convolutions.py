"""The short ways give what torch's own convolutions give, forward and backward."""

import pytest
import torch
from torch import Tensor, nn

from nirtrans.nn.convolutions import ReflectConv2d, ResizeConv2d

SIZES = [(1, 1), (1, 3), (4, 4), (5, 8)]


def assert_same(layer: nn.Conv2d, plain: nn.Conv2d, before: nn.Module, x: Tensor) -> None:
    """Compare results and gradients."""
    plain.load_state_dict(layer.state_dict())
    outcomes = []
    for way in (layer, lambda image: plain(before(image))):
        image = x.clone().requires_grad_()
        result = way(image)
        upstream = torch.randn(result.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
        parameters = list((layer if way is layer else plain).parameters())
        outcomes.append([result, *torch.autograd.grad((result * upstream).sum(), [image, *parameters])])
    torch.testing.assert_close(*outcomes)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bias", [False, True])
def test_resize_conv(size: tuple[int, int], bias: bool) -> None:
    layer = ResizeConv2d(3, 2, bias=bias).double()
    plain = nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect", bias=bias).double()
    assert_same(layer, plain, nn.Upsample(scale_factor=2), torch.randn(2, 3, *size, dtype=torch.float64))


@pytest.mark.parametrize(("kernel", "size"), [(5, (4, 6)), (7, (4, 4)), (7, (9, 5))])
@pytest.mark.parametrize("bias", [False, True])
def test_reflect_conv(kernel: int, size: tuple[int, int], bias: bool) -> None:
    layer = ReflectConv2d(2, 3, kernel, bias=bias)
    plain = nn.Conv2d(2, 3, kernel, padding=kernel // 2, padding_mode="reflect", bias=bias)
    assert_same(layer, plain, nn.Identity(), torch.randn(2, 2, *size))


@pytest.mark.parametrize("layer", [ResizeConv2d(3, 2, bias=True), ReflectConv2d(3, 2, 7, bias=True)])
def test_bfloat16_in_bfloat16_out(layer: nn.Conv2d) -> None:
    x = torch.randn(1, 3, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        narrow = layer(x)
    assert narrow.dtype == torch.bfloat16
    torch.testing.assert_close(narrow.float(), layer(x), rtol=0.05, atol=0.02)


def test_a_size_of_one_row_is_refused_as_torch_does() -> None:
    with pytest.raises(RuntimeError, match="Padding size should be less"):
        ReflectConv2d(1, 1, 7, bias=False)(torch.zeros(1, 1, 3, 8))
