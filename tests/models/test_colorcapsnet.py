"""colorcapsnet: its published size, capsules by hand, and patches that cover every pixel."""

import pytest
import torch

from nirtrans.color.ranges import lab_to_unit, unit_to_ab
from nirtrans.config import Run
from nirtrans.kernels import rgb_to_lab
from nirtrans.models import build_system, count_parameters
from nirtrans.models.halo import probe
from nirtrans.nn.capsules import CapsuleLayer, PatchColorizer, squash
from tests.models.tiny import tiny_batch, tiny_run


def test_parameters_as_published() -> None:
    with torch.device("meta"):
        assert count_parameters(build_system(Run(model="colorcapsnet", domain="gray"))) == 2_215_475


def test_squash_keeps_directions_and_bounds_lengths() -> None:
    poses = torch.tensor([[3.0, 4.0], [0.3, -0.4], [0.0, 0.0]], requires_grad=True)
    found = squash(poses)
    expected = torch.tensor([[3.0, 4.0], [0.3, -0.4], [0.0, 0.0]])
    expected[0] *= 25 / 26 / 5
    expected[1] *= 0.25 / 1.25 / 0.5
    torch.testing.assert_close(found, expected)
    found.sum().backward()
    assert poses.grad is not None
    assert poses.grad.isfinite().all()  # at 0 too


def test_routing_moves_weight_to_votes_that_agree() -> None:
    torch.manual_seed(0)
    poses = squash(torch.randn(5, 4, 8))
    layers = [CapsuleLayer(4, routing=routing) for routing in (1, 3)]
    layers[1].load_state_dict(layers[0].state_dict())
    even, routed = (layer(poses) for layer in layers)
    votes = torch.einsum("pid,ijde->pije", poses, layers[0].weight)
    torch.testing.assert_close(even, squash(votes.sum(1) / 6))
    assert not torch.allclose(even, routed)
    assert routed.norm(dim=-1).max() < 1


@pytest.mark.parametrize("size", [(9, 9), (5, 31), (32, 64), (10, 20)])
@pytest.mark.parametrize("stride", [1, 4, 9])
def test_patches_cover_every_pixel(size: tuple[int, int], stride: int) -> None:
    network = PatchColorizer(width=2, stride=stride)
    network.patches.forward = lambda patches: patches  # type: ignore[method-assign]
    gray = torch.rand(2, 1, *size)
    for mode in (True, False):
        torch.testing.assert_close(network.train(mode)(gray), gray.expand(-1, 3, -1, -1))


def test_patches_side_by_side_do_not_know_each_other() -> None:
    network = PatchColorizer(width=2, stride=9).eval()
    gray = torch.rand(1, 1, 18, 18)
    with torch.no_grad():
        whole = network(gray)
        torch.testing.assert_close(network(gray[..., 9:, 9:]), whole[..., 9:, 9:])


@pytest.mark.parametrize(("stride", "halo"), [(9, 0), (3, 6), (1, 8)])
def test_the_halo_is_that_of_the_patches(stride: int, halo: int) -> None:
    reach = probe(build_system(tiny_run("colorcapsnet", stride=stride)))
    assert (reach.stride_px, reach.halo_px, reach.bounded) == (stride, halo, True)


def test_a_tile_with_its_halo_equals_the_whole() -> None:
    system = build_system(tiny_run("colorcapsnet", stride=3)).eval()
    source = torch.rand(1, 1, 36, 30)
    with torch.no_grad():
        whole, tile = system.predict(source), system.predict(source[..., 6:21, 3:30])
    torch.testing.assert_close(tile[..., 6:9, 6:-6], whole[..., 12:15, 9:24], rtol=0, atol=1e-3)


def test_the_loss_is_that_of_eight_bit_lab() -> None:
    system, batch = build_system(tiny_run("colorcapsnet")), tiny_batch(1, masked=True)
    lab = rgb_to_lab(batch.target)
    real = lab_to_unit(lab)
    torch.testing.assert_close(unit_to_ab(real[:, 1:]), lab[:, 1:], rtol=0, atol=1e-4)
    assert 0 <= real.min() <= real.max() <= 1
    (loss,) = system.losses("generator", batch, {"lab": real + 0.2}).values()
    assert loss.item() == pytest.approx(0.04, rel=1e-5)
