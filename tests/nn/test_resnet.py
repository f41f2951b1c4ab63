"""The residual generator: its table, its taps, its reach."""

import pytest
import torch

from nirtrans.errors import InputError
from nirtrans.nn.blocks import ResidualBlock
from nirtrans.nn.resnet import ResNetGenerator

TAPS = (0, 4, 8, 12, 16)


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("count", "channels", "settings"),
    [
        (11_371_907, (1, 3), {}),
        (11_371_905, (3, 1), {}),
        (11_371_907, (1, 3), {"up_kind": "convt3"}),
        (11_371_905, (3, 1), {"up_kind": "convt3"}),
        (11_371_907, (1, 3), {"norm": "none"}),
        (11_658_627, (1, 3), {"up_kind": "convt"}),
        (11_371_907 - 3 * 1_180_160, (1, 3), {"blocks": 6}),
    ],
)
def test_it_has_the_parameters_of_its_table(count: int, channels: tuple, settings: dict) -> None:
    with torch.device("meta"):
        assert parameters(ResNetGenerator(*channels, **settings)) == count


@pytest.mark.parametrize("norm", ["instance", "batch", "group", "none"])
@pytest.mark.parametrize("up_kind", ["resize-conv", "convt", "convt3"])
def test_it_keeps_the_size_and_uses_every_parameter(norm: str, up_kind: str) -> None:
    network = ResNetGenerator(2, 3, width=4, blocks=1, up_kind=up_kind, norm=norm)
    output = network(torch.rand(2, 2, 24, 40))
    assert output.shape == (2, 3, 24, 40)
    assert output.abs().max() <= 1
    output.square().sum().backward()
    assert not [name for name, value in network.named_parameters() if not value.grad.any()]


def test_taps_come_from_the_layers_of_the_paper() -> None:
    network, image = ResNetGenerator(1, 3, width=4), torch.rand(1, 1, 32, 32)
    output, features = network(image, taps=TAPS)
    assert torch.equal(output, network(image))
    assert torch.equal(features[0], image)
    assert [tuple(one.shape[1:]) for one in features] == [(1, 32, 32), (8, 16, 16), (16, 8, 8), (16, 8, 8), (16, 8, 8)]
    convolutions = [network.encoder[4], network.encoder[8]]
    assert [layer.stride for layer in convolutions] == [(2, 2), (2, 2)]
    blocks = [number for number, step in enumerate(network.encoder) if isinstance(step, ResidualBlock)]
    assert (blocks[0], blocks[4]) == (12, 16), "the first and the fifth"


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_channels_of_every_step(halvings: int) -> None:
    network = ResNetGenerator(1, 3, width=2, blocks=2, halvings=halvings)
    steps = range(len(network.encoder))
    _, features = network(torch.rand(1, 1, 32, 32), taps=steps, decode=False)
    assert [network.channels(step) for step in steps] == [feature.shape[1] for feature in features]


def test_features_alone_cost_no_further_layer() -> None:
    network, image = ResNetGenerator(1, 3, width=4, blocks=3), torch.rand(1, 1, 32, 32)
    ran = []
    for step in (network.encoder[13], network.decoder):
        step.register_forward_hook(lambda layer, *_: ran.append(layer))
    nothing, features = network(image, taps=(4, 12), decode=False)
    assert nothing is None
    assert not ran
    assert torch.equal(features[1], network(image, taps=[12])[1][0])
    assert network(image, taps=(14,), decode=False)[1][0].shape == (1, 16, 8, 8)


def test_a_tap_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"encoder steps from 0 to 14, got \[0, 15\]"):
        ResNetGenerator(1, 3, width=4, blocks=3)(torch.rand(1, 1, 32, 32), taps=(0, 15))


def test_a_size_that_does_not_fit_names_one_that_does() -> None:
    with pytest.raises(InputError, match=r"size 20x33 does not fit ResNetGenerator \(2 halvings\).*: 20x36"):
        ResNetGenerator(1, 3, width=2, blocks=0)(torch.rand(1, 1, 20, 33))
