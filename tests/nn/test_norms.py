"""Norms: the same as torch's until frozen; frozen, a fixed map pooled over tiles and valid pixels."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nirtrans.nn.generators import UResNet
from nirtrans.nn.norms import SpatialNorm, freeze_statistics, frozen_statistics, load_frozen, make_norm, thaw

KINDS = ["instance", "group"]


def network(norm: str) -> UResNet:
    return UResNet(1, 3, width=4, blocks=1, halvings=2, norm=norm).double().eval()


def picture(*shape: int) -> torch.Tensor:
    return torch.rand(shape, dtype=torch.float64) * 2 - 1


def test_instance_norm_is_torchs_with_a_shift() -> None:
    norm, x = make_norm("instance", 3), torch.randn(2, 3, 5, 7)
    nn.init.normal_(norm.bias)
    torch.testing.assert_close(norm(x), F.instance_norm(x) + norm.bias[:, None, None])


def test_group_norm_is_torchs() -> None:
    norm, x = make_norm("group", 64), torch.randn(2, 64, 5, 7)
    torch.testing.assert_close(norm(x), F.group_norm(x, 32))


def test_groups_divide_odd_widths() -> None:
    assert make_norm("group", 12).groups == 4
    assert make_norm("group", 12)(torch.randn(1, 12, 4, 4)).shape == (1, 12, 4, 4)


def test_kinds_without_statistics_of_their_own() -> None:
    assert isinstance(make_norm("none", 4), nn.Identity)
    assert isinstance(make_norm("batch", 4), nn.BatchNorm2d)


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_on_the_picture_itself_changes_nothing(kind: str) -> None:
    net, x = network(kind), picture(1, 1, 32, 48)
    free = net(x)
    freeze_statistics(net, x)
    torch.testing.assert_close(net(x), free, rtol=0, atol=1e-6)  # statistics are pooled in float32


@pytest.mark.parametrize("kind", KINDS)
def test_statistics_pool_tiles_as_one_picture(kind: str) -> None:
    norm, whole = make_norm(kind, 8), torch.randn(1, 8, 16, 32) * torch.arange(1.0, 9)[:, None, None]
    tiles = torch.cat([whole[..., :16], whole[..., 16:]])
    freeze_statistics(norm, tiles)
    pooled = frozen_statistics(norm)
    freeze_statistics(norm, whole)
    for name, value in frozen_statistics(norm).items():
        torch.testing.assert_close(pooled[name], value)


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_without_data_leave_the_statistics(kind: str) -> None:
    norm, x = make_norm(kind, 8), torch.randn(2, 8, 8, 8)
    freeze_statistics(norm, x[:, :, :, :4])
    clean = frozen_statistics(norm)
    valid = torch.ones(2, 1, 8, 8, dtype=torch.bool)
    valid[..., 4:], x[..., 4:] = False, 1e3
    freeze_statistics(norm, x, valid)
    for name, value in frozen_statistics(norm).items():
        torch.testing.assert_close(value, clean[name])


def test_a_deeper_layer_sees_what_it_will_see_when_frozen() -> None:
    net, tiles = network("instance"), picture(3, 1, 32, 32)
    freeze_statistics(net, tiles)
    pooled = frozen_statistics(net)
    freeze_statistics(net, tiles)  # a second pass through the frozen network must find the same
    for name, value in frozen_statistics(net).items():
        torch.testing.assert_close(value, pooled[name])


def test_validity_shrinks_with_the_levels() -> None:
    net, tiles = network("instance"), picture(2, 1, 32, 32)
    valid = torch.ones(2, 1, 32, 32, dtype=torch.bool)
    valid[1] = False
    freeze_statistics(net, tiles, valid)
    half = frozen_statistics(net)
    freeze_statistics(net, tiles[:1])
    for name, value in frozen_statistics(net).items():
        torch.testing.assert_close(half[name], value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_tile_equals_the_whole_picture_and_a_free_one_does_not(kind: str) -> None:
    net, x = network(kind), picture(1, 1, 128, 160)
    x[..., 80:] *= 0.2  # two halves that differ in contrast, as parts of scenes do
    halo = 36  # of this network: radius 34 px, stride 4
    window = (..., slice(64 - halo, 80 + halo), slice(64 - halo, 72 + halo))
    free = net(x)[..., 64:80, 64:72], net(x[window])[..., halo:-halo, halo:-halo]
    freeze_statistics(net, x)
    frozen = net(x)[..., 64:80, 64:72], net(x[window])[..., halo:-halo, halo:-halo]
    assert (frozen[0] - frozen[1]).abs().max() < 1e-12
    assert (free[0] - free[1]).abs().max() > 1e-3


def test_statistics_travel_by_name_and_thaw() -> None:
    net, x = network("instance"), picture(1, 1, 32, 32)
    free = net(x)
    freeze_statistics(net, picture(2, 1, 32, 32))
    frozen, statistics = net(x), frozen_statistics(net)
    assert not torch.allclose(free, frozen)
    thaw(net)
    assert torch.equal(net(x), free)
    assert not frozen_statistics(net)
    load_frozen(net, statistics)
    torch.testing.assert_close(net(x), frozen)


def test_wrong_statistics_are_named() -> None:
    net = nn.Sequential(make_norm("instance", 4))
    with pytest.raises(ValueError, match=r"statistics 0.mean: expected \(4,\), got None"):
        load_frozen(net, {})
    with pytest.raises(ValueError, match=r"statistics 0.var: expected \(4,\), got \(3,\)"):
        load_frozen(net, {"0.mean": torch.zeros(4), "0.var": torch.ones(3)})
    with pytest.raises(ValueError, match=r"statistics 1.mean: expected None, got \(4,\)"):
        load_frozen(net, {"0.mean": torch.zeros(4), "0.var": torch.ones(4), "1.mean": torch.zeros(4)})


def test_statistics_need_a_valid_pixel() -> None:
    with pytest.raises(ValueError, match="at least one valid pixel"):
        freeze_statistics(make_norm("instance", 2), torch.rand(1, 2, 4, 4), torch.zeros(1, 1, 4, 4, dtype=torch.bool))


def test_a_failing_pass_leaves_no_layer_pooling() -> None:
    norm = make_norm("instance", 2)
    with pytest.raises(RuntimeError):
        freeze_statistics(norm, torch.rand(1, 5, 4, 4))
    assert norm.pooling is None


def test_batch_norm_keeps_its_running_statistics() -> None:
    norm = make_norm("batch", 2).eval()
    freeze_statistics(norm, torch.rand(1, 2, 4, 4) + 5)
    assert not frozen_statistics(norm)
    assert torch.equal(norm.running_mean, torch.zeros(2))


def test_frozen_statistics_are_no_weights() -> None:
    norm = make_norm("instance", 2)
    freeze_statistics(norm, torch.rand(1, 2, 4, 4))
    assert set(norm.state_dict()) == {"bias"}
    assert isinstance(norm, SpatialNorm)


def test_a_single_value_is_its_own_mean_whatever_the_batch() -> None:
    norm = make_norm("instance", 3)
    norm.bias.data = torch.arange(3.0)
    for count in (1, 2):
        torch.testing.assert_close(
            norm(torch.rand(count, 3, 1, 1)), torch.arange(3.0).view(1, 3, 1, 1).expand(count, -1, -1, -1)
        )


@pytest.mark.parametrize("kind", ["instance", "group"])
def test_frozen_statistics_in_low_precision(kind: str) -> None:
    norm, x = make_norm(kind, 8), torch.randn(2, 8, 16, 16)
    freeze_statistics(norm, x)
    with torch.autocast("cpu", torch.bfloat16):
        low = norm(x.bfloat16())
    assert low.dtype == torch.bfloat16
    assert (low.float() - norm(x)).abs().max() < 0.05
