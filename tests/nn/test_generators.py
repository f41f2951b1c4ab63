"""Layer tables: parameter counts as computed from the tables, shapes, and sizes that do not fit."""

import pytest
import torch

from nirtrans.errors import InputError
from nirtrans.nn.generators import UNet, UResNet


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("count", "settings"),
    [
        (47_190_595, {"norm": "batch"}),
        (33_025_603, {"norm": "batch", "blocks": 6}),
        (48_681_539, {"norm": "batch", "up_kind": "convt"}),
        (34_516_547, {"norm": "batch", "up_kind": "convt", "blocks": 6}),
        (47_169_347, {"norm": "instance"}),
        (48_660_291, {"norm": "instance", "up_kind": "convt"}),
        (47_169_347, {"norm": "none"}),
        (11_752_259, {"norm": "batch", "halvings": 2}),
    ],
)
def test_uresnet_has_the_parameters_of_its_table(count: int, settings: dict) -> None:
    with torch.device("meta"):
        assert parameters(UResNet(1, 3, **settings)) == count


@pytest.mark.parametrize(
    ("count", "settings"),
    [(13_608_961, {"width": 32}), (10_461_697, {"width": 32, "depth": 7}), (54_415_361, {"width": 64, "dropout": 0.5})],
)
def test_unet_has_the_parameters_of_its_table(count: int, settings: dict) -> None:
    with torch.device("meta"):
        assert parameters(UNet(3, 1, norm="batch", **settings)) == count


def test_the_way_back_is_the_smaller_network() -> None:
    with torch.device("meta"):
        assert parameters(UNet(3, 1, width=32)) < parameters(UResNet(1, 3, blocks=6))


@pytest.mark.parametrize("norm", ["instance", "batch", "group", "none"])
@pytest.mark.parametrize("up_kind", ["resize-conv", "convt"])
def test_uresnet_keeps_the_size(norm: str, up_kind: str) -> None:
    network = UResNet(2, 3, width=4, blocks=1, up_kind=up_kind, norm=norm)
    output = network(torch.rand(2, 2, 24, 40))
    assert output.shape == (2, 3, 24, 40)
    assert output.abs().max() <= 1


@pytest.mark.parametrize("halvings", [1, 2, 4])
def test_uresnet_of_other_heights(halvings: int) -> None:
    assert UResNet(1, 3, width=2, blocks=1, halvings=halvings)(torch.rand(1, 1, 32, 32)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("depth", [2, 4, 5])
def test_unet_keeps_the_size_down_to_one_pixel(depth: int) -> None:
    assert UNet(3, 1, width=4, depth=depth)(torch.rand(1, 3, 32, 64)).shape == (1, 1, 32, 64)


def test_a_size_that_does_not_fit_names_one_that_does() -> None:
    with pytest.raises(InputError, match=r"size 20x33 does not fit UResNet \(3 halvings\); use multiples of 8: 24x40"):
        UResNet(1, 3, width=2, blocks=0)(torch.rand(1, 1, 20, 33))
    with pytest.raises(InputError, match=r"size 8x24 does not fit UResNet .*: 16x24"):
        UResNet(1, 3, width=2, blocks=0)(torch.rand(1, 1, 8, 24))
    with pytest.raises(InputError, match=r"size 8x32 does not fit UNet \(4 halvings\).*16x32"):
        UNet(3, 1, width=2, depth=4)(torch.rand(1, 3, 8, 32))


@pytest.mark.parametrize("build", [lambda: UResNet(1, 3, width=4, blocks=2), lambda: UNet(1, 3, width=4, depth=4)])
def test_every_parameter_matters(build: callable) -> None:
    network = build()
    network(torch.rand(2, 1, 32, 32)).square().sum().backward()
    dead = [name for name, parameter in network.named_parameters() if not parameter.grad.abs().max() > 1e-9]
    assert not dead


def test_unet_drops_values_of_the_three_innermost_blocks_in_training_only() -> None:
    network, image = UNet(1, 3, width=4, depth=5, dropout=0.5), torch.rand(1, 1, 32, 32)
    assert [isinstance(block[-1], torch.nn.Dropout) for block in network.decoder] == [True, True, True, False]
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))
    plain = UNet(1, 3, width=4, depth=5).eval()
    plain.load_state_dict(network.state_dict())
    assert torch.equal(plain(image), network(image))
