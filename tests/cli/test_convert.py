"""Published weights under their own names become a weights file; others are refused by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nirtrans.color.bins import AB313
from nirtrans.color.chroma import lightness
from nirtrans.config import Run
from nirtrans.models import build_system
from nirtrans.models.weights import load_system

Command = Callable[..., Any]
WIDTHS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3), (512, 3), (512, 3))


def published_network() -> nn.ModuleDict:
    """Return the layers of the released network, built from its layer table without our blocks."""
    blocks, inputs = {}, 1
    for number, (width, count) in enumerate(WIDTHS, start=1):
        layers: list[nn.Module] = []
        for index in range(count):
            stride = 2 if index == count - 1 and number <= 3 else 1
            dilation = 2 if number in (5, 6) else 1
            layers += [nn.Conv2d(inputs, width, 3, stride, dilation, dilation), nn.ReLU()]
            inputs = width
        blocks[f"model{number}"] = nn.Sequential(*layers, nn.BatchNorm2d(width))
    up: list[nn.Module] = [nn.ConvTranspose2d(512, 256, 4, 2, 1), nn.ReLU()]
    up += [nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(), nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(), nn.Conv2d(256, 313, 1)]
    network = nn.ModuleDict(blocks | {"model8": nn.Sequential(*up), "model_out": nn.Conv2d(313, 2, 1, bias=False)})
    with torch.no_grad():
        network["model_out"].weight.copy_((AB313.centres / 110).T[..., None, None])
    return network


def published_ab(network: nn.ModuleDict, light: Tensor) -> Tensor:
    """Run it as released: (L - 50) / 100 in, softmax, plain mean, times 110."""
    x = (light - 50) / 100
    for number in range(1, 9):
        x = network[f"model{number}"](x)
    return 110 * network["model_out"](x.softmax(1))


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return published_network().state_dict()


def test_it_gives_the_colours_of_the_released_network(
    nirtrans: Command, tmp_path: Path, state: dict[str, Tensor]
) -> None:
    old = {name: value for name, value in state.items() if "num_batches" not in name}
    torch.save(old, tmp_path / "released.pth")
    done = nirtrans("convert", tmp_path / "released.pth", tmp_path / "ours.safetensors", "--model", "zhang2016")
    assert done.code == 0, done.err
    system, info = load_system(tmp_path / "ours.safetensors")
    assert info.run.network["temperature"] == 1.0
    network = published_network().eval()
    network.load_state_dict(state)
    source = torch.rand(1, 1, 32, 40)
    with torch.no_grad():
        torch.testing.assert_close(
            system.predict(source), published_ab(network, lightness(source)), rtol=1e-4, atol=1e-3
        )


def test_names_are_the_published_ones() -> None:
    with torch.device("meta"):
        ours = build_system(Run(model="zhang2016", domain="gray")).to_ab.state_dict()
    with torch.device("meta"):
        theirs = published_network().state_dict()
    mapped = {name.removeprefix("trunk."): tuple(value.shape) for name, value in ours.items()}
    expected = {name: tuple(value.shape) for name, value in theirs.items() if not name.startswith("model_out")}
    assert {name: shape for name, shape in mapped.items() if name != "prior.frequency"} == expected


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.pop("model3.2.weight"), "tensor to_ab.trunk.model3.2.weight: expected"),
        (lambda s: s.update(extra=torch.zeros(1)), "tensor to_ab.extra: expected none"),
        (lambda s: s.update({"model_out.weight": s["model_out.weight"].flip(1)}), "expected the 313 bins"),
        (lambda s: s.update({"model1.0.bias": torch.full((64,), torch.nan)}), "holds NaN"),
        (lambda s: s.update(name="a string"), "expected tensors by name"),
    ],
)
def test_what_does_not_fit_is_refused(
    nirtrans: Command, tmp_path: Path, state: dict[str, Tensor], spoil: Callable[[dict], Any], message: str
) -> None:
    spoilt = dict(state)
    spoil(spoilt)
    torch.save(spoilt, tmp_path / "released.pth")
    done = nirtrans("convert", tmp_path / "released.pth", tmp_path / "ours.safetensors", "--model", "zhang2016")
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "ours.safetensors").exists()


def test_files_that_are_no_weights(nirtrans: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.pth").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    for name, message in (("bad.pth", "no state dict"), ("absent.pth", "cannot be read")):
        done = nirtrans("convert", tmp_path / name, tmp_path / "ours.safetensors", "--model", "zhang2016")
        assert (done.code, message in done.err) == (2, True), done.err
    done = nirtrans("convert", tmp_path / "bad.pth", tmp_path / "ours.safetensors", "--model", "pix2pix")
    assert "no published weights are known for pix2pix" in done.err
