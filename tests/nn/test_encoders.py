"""Encoders: published sizes, sizes of what they return, and weights that a user brings."""

import pytest
import torch
from torch import nn

from nirtrans.errors import CheckpointError
from nirtrans.nn.encoders import ResNetEncoder, VGGEncoder, load_external, small_strided


def count(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


@pytest.mark.parametrize(  # torchvision's networks without their last layer, which has (features + 1) * 1000
    ("kind", "parameters"),
    [
        ("resnet18", 11_689_512 - 513 * 1000),
        ("resnet34", 21_797_672 - 513 * 1000),
        ("resnet50", 25_557_032 - 2049 * 1000),
    ],
)
def test_resnet_has_the_published_parameters(kind: str, parameters: int) -> None:
    with torch.device("meta"):
        assert count(ResNetEncoder(kind, 3)) == parameters
        assert count(ResNetEncoder(kind, 1)) == parameters - 2 * 64 * 7 * 7


def test_vgg_has_the_published_parameters() -> None:
    with torch.device("meta"):
        assert count(VGGEncoder(3)) == 7_635_264
        assert list(VGGEncoder(3).state_dict())[-2:] == ["features.21.weight", "features.21.bias"]


@pytest.mark.parametrize("kind", ["resnet18", "resnet50"])
def test_resnet_halves_five_times(kind: str) -> None:
    encoder = ResNetEncoder(kind, width=4)
    features = encoder(torch.rand(2, 1, 32, 64))
    assert [tuple(x.shape) for x in features] == [
        (2, channels, 16 >> level, 32 >> level) for level, channels in enumerate(encoder.channels)
    ]


def test_the_others_end_at_an_eighth() -> None:
    gray = torch.rand(2, 1, 16, 24)
    assert VGGEncoder(3, width=2)(gray).shape == (2, 16, 2, 3)
    assert small_strided(1, width=2, norm="none")(gray).shape == (2, 16, 2, 3)


def test_gray_by_summed_weights_equals_gray_shown_three_times() -> None:
    three, one = VGGEncoder(3, width=2).eval(), VGGEncoder(1, width=2).eval()
    load_external(one, three.state_dict() | {"classifier.0.weight": torch.zeros(1)})
    gray = torch.rand(1, 1, 16, 16)
    torch.testing.assert_close(one(gray), three(gray))


def test_resnet_takes_statistics_too() -> None:
    one, other = (ResNetEncoder("resnet18", 3, width=4).eval() for _ in range(2))
    one.bn1.running_mean.fill_(0.5)
    tensors = {name: value for name, value in one.state_dict().items() if "num_batches" not in name}
    load_external(other, tensors)
    gray = torch.rand(1, 1, 32, 32)
    assert torch.equal(one(gray)[-1], other(gray)[-1])


def test_weights_that_do_not_fit_change_nothing() -> None:
    encoder = VGGEncoder(1, width=2)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    tensors = VGGEncoder(3, width=2).state_dict()
    for wrong, message in (
        ({}, r"features.0.weight: expected \[2, 1, 3, 3\], got none; give the state dict"),
        (tensors | {"features.21.bias": torch.zeros(3)}, r"features.21.bias: expected \[16\], got \[3\]"),
    ):
        with pytest.raises(CheckpointError, match=message):
            load_external(encoder, wrong)
    with pytest.raises(CheckpointError, match=r"expected \[2, 1, 3, 3\], got \[2, 3, 3, 3\]"):
        load_external(encoder, tensors, sum_rgb_to_gray=False)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
