"""ipcv: its size, what pyramid pooling sees, and its losses."""

import pytest
import torch

from nirtrans.color.chroma import chroma
from nirtrans.config import Run
from nirtrans.errors import InputError
from nirtrans.models import build_system, count_parameters
from nirtrans.nn.dense import DenseBlock, PyramidPooling
from tests.models.tiny import tiny_batch, tiny_run


def test_the_full_network_has_11_million_parameters() -> None:
    with torch.device("meta"):
        assert count_parameters(build_system(Run(model="ipcv", domain="gray"))) == 10_767_570


def test_a_dense_block_keeps_what_it_was_given() -> None:
    x = torch.randn(1, 3, 8, 8)
    found = DenseBlock(3, layers=2, growth=4).eval()(x)
    assert found.shape == (1, 3 + 2 * 4, 8, 8)
    assert torch.equal(found[:, :3], x)


def test_pyramid_pooling_adds_means_of_four_sizes() -> None:
    pooling, x = PyramidPooling(2), torch.randn(1, 2, 64, 64)
    found = pooling(x)
    assert found.shape[1] == pooling.outputs == 2 + 4 * 4
    assert torch.equal(found[:, :2], x)
    corner = x[..., :32, :32].mean((2, 3))  # what a pixel in the corner gets of the widest squares
    torch.testing.assert_close(found[:, -4:, 0, 0], pooling.shares[3](corner[..., None, None])[..., 0, 0])


def test_losses_are_those_of_scaled_chroma() -> None:
    system, batch = build_system(tiny_run("ipcv", l1=2.0, mse=3.0)), tiny_batch(1, masked=True)
    terms = system.losses("generator", batch, {"fake": chroma(batch.target) / 110 + 0.5})
    assert {name: term.item() for name, term in terms.items()} == pytest.approx({"l1": 1.0, "mse": 0.75}, rel=1e-5)
    assert list(build_system(tiny_run("ipcv", mse=0)).losses("generator", batch, system.forward_train(batch))) == ["l1"]


def test_a_size_that_cannot_be_halved_is_named() -> None:
    with pytest.raises(InputError, match="multiples of 32: 64x96"):
        build_system(tiny_run("ipcv")).predict(torch.zeros(1, 1, 40, 70))
