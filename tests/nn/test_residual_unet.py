"""The generator of nirtrans-base: sizes, parameters, and what its blocks leave alone."""

import pytest
import torch

from nirtrans.errors import InputError
from nirtrans.nn.residual_unet import ResidualUNet, WideningBlock


def count(network: torch.nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_it_keeps_size_and_range(depth: int) -> None:
    network = ResidualUNet(1, 3, width=4, depth=depth).eval()
    y = network(torch.rand(2, 1, 16, 24) * 2 - 1)
    assert y.shape == (2, 3, 16, 24)
    assert y.abs().max() < 0.5, "it begins near mid-grey"


def test_parameters_follow_the_layer_table() -> None:
    def conv(inputs: int, outputs: int, kernel: int) -> int:
        return inputs * outputs * kernel**2 + outputs

    def block(inputs: int, outputs: int) -> int:
        shortcut = 0 if inputs == outputs else conv(inputs, outputs, 1)
        return conv(inputs, outputs, 3) + conv(outputs, outputs, 3) + 4 * outputs + shortcut

    w = 8
    expected = conv(1, w, 3) + block(w, w) + conv(w, 2 * w, 4) + block(2 * w, 2 * w) + conv(2 * w, 4 * w, 4)
    expected += block(4 * w, 4 * w) + conv(4 * w, 2 * w, 3) + block(4 * w, 2 * w) + conv(2 * w, w, 3)
    expected += block(2 * w, w) + conv(w, 3, 1)
    assert count(ResidualUNet(1, 3, width=w, depth=2)) == expected


def test_levels_grow_no_wider_than_eight_times() -> None:
    network = ResidualUNet(1, 3, width=2, depth=5)
    assert network.encoder[-1][0].out_channels == 16


def test_without_body_a_block_passes_its_input_through() -> None:
    block = WideningBlock(3, 3, norm="none")
    for value in block.body.parameters():
        torch.nn.init.zeros_(value)
    x = torch.rand(1, 3, 4, 4)
    assert torch.equal(block(x), x)


def test_dropout_is_for_training_alone() -> None:
    network = ResidualUNet(1, 3, width=4, depth=1, dropout=0.5)
    x = torch.rand(1, 1, 8, 8)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_a_size_that_cannot_be_halved_names_one_that_can() -> None:
    with pytest.raises(InputError, match=r"size 12x8 does not fit ResidualUNet \(3 halvings\); .*: 16x8"):
        ResidualUNet(1, 3, width=2, depth=3)(torch.zeros(1, 1, 12, 8))
