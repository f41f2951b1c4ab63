"""The dilated trunk: shapes, sizes it refuses, and recomputing that changes nothing but memory."""

import copy

import pytest
import torch
from torch import Tensor

from nirtrans.errors import InputError
from nirtrans.nn.trunks import DilatedVGG


@pytest.mark.parametrize(("strided", "sizes"), [(True, [16, 8, 4, 4]), (False, [32, 16, 8, 4])])
def test_what_each_block_returns(strided: bool, sizes: list[int]) -> None:
    features = DilatedVGG(2, width=3, strided=strided)(torch.rand(1, 2, 32, 64))
    assert [tuple(f.shape[1:]) for f in features[:4]] == [
        (width, side, 2 * side) for width, side in zip((3, 6, 12, 24), sizes, strict=True)
    ]
    assert tuple(features[-1].shape) == (1, 24, 4, 8)


def test_the_context_is_added_after_the_fourth_block() -> None:
    trunk = DilatedVGG(1, width=2, norm="none").eval()
    x, context = torch.rand(1, 1, 16, 16), torch.rand(1, 16, 1, 1)
    plain, told = trunk(x), trunk(x, context=context)
    torch.testing.assert_close(told[3], plain[3] + context)
    assert not torch.equal(told[6], plain[6])


def test_sizes_that_do_not_fit() -> None:
    with pytest.raises(InputError, match=r"size 12x30 does not fit DilatedVGG \(stride 8\); use 16x32"):
        DilatedVGG(1, width=2)(torch.rand(1, 1, 12, 30))


@pytest.mark.parametrize("strided", [True, False])
def test_recomputing_changes_neither_gradients_nor_running_statistics(strided: bool) -> None:
    torch.manual_seed(0)
    trunk = DilatedVGG(1, width=4, strided=strided).double()
    twin = copy.deepcopy(trunk)
    twin.recompute = True
    x = torch.rand(3, 1, 16, 24, dtype=torch.float64)

    def gradients(network: DilatedVGG) -> list[Tensor]:
        network(x)[-1].square().sum().backward()
        return [value.grad for value in network.parameters() if value.grad is not None]

    for mine, other in zip(gradients(twin), gradients(trunk), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)
    for mine, other in zip(twin.buffers(), trunk.buffers(), strict=True):
        torch.testing.assert_close(mine, other)
