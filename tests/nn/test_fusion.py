"""The whole picture joined with each place of it."""

import torch
import torch.nn.functional as F

from nirtrans.nn.decoders import UNetDecoder
from nirtrans.nn.fusion import FusionDecoder, GlobalFeatures, VectorNorm, dense, resize_to, tile_concat


def test_every_place_gets_the_vector() -> None:
    local, vector = torch.rand(2, 3, 4, 5), torch.rand(2, 6, 1, 1)
    joined = tile_concat(local, vector)
    assert torch.equal(joined[:, :3], local)
    assert torch.equal(joined[..., 2, 4], torch.cat([local[..., 2, 4], vector[..., 0, 0]], 1))


def test_resizing_smooths_and_leaves_what_fits() -> None:
    fine = torch.rand(1, 1, 16, 16)
    assert resize_to(fine, 16) is fine
    checks = (torch.arange(64)[:, None] + torch.arange(32)) % 2
    assert (resize_to(checks[None, None].float(), 8)[..., 1:-1, 1:-1] - 0.5).abs().max() < 0.05


def test_a_dense_layer_is_a_product_over_all_values() -> None:
    layer = dense(3, 5, side=2, norm="none")
    x = torch.rand(4, 3, 2, 2)
    expected = F.relu(F.linear(x.flatten(1), layer[0].weight.flatten(1), layer[0].bias))
    torch.testing.assert_close(layer(x).flatten(1), expected)


def test_a_single_picture_is_normalised_by_the_running_statistics() -> None:
    norm = VectorNorm(2).train()
    several = torch.randn(8, 2, 1, 1) * 3 + 1
    assert norm(several).mean().abs() < 1e-5
    mean = norm.running_mean.clone()
    one = torch.ones(1, 2, 1, 1)
    torch.testing.assert_close(norm(one), norm.eval()(one))
    assert torch.equal(norm.running_mean, mean)


def test_averaged_features_are_of_any_size() -> None:
    for average, size in ((True, (1, 1)), (False, (2, 3))):
        features = GlobalFeatures(4, 6, norm="none", average=average)
        assert features(torch.rand(2, 4, 8, 12)).shape == (2, 6, *size)


def test_the_decoder_quadruples_the_size() -> None:
    decoder = FusionDecoder(4, 3, width=4, norm="batch")
    assert decoder(torch.rand(2, 4, 3, 5), torch.rand(2, 3, 1, 1)).shape == (2, 2, 12, 20)


def test_a_unet_decoder_joins_the_features_of_each_size() -> None:
    features = [torch.rand(1, 2 + level, 16 >> level, 8 >> level, requires_grad=True) for level in range(3)]
    decoder = UNetDecoder([2, 3, 4], [6, 5, 4], norm="none")
    result = decoder(features)
    assert result.shape == (1, 4, 32, 16)
    assert all(gradient.any() for gradient in torch.autograd.grad(result.sum(), features))
