"""Heads on patches of feature maps."""

import torch

from nirtrans.nn.projection import PatchHeads


def test_the_patches_at_the_places_are_projected_to_length_one() -> None:
    heads = PatchHeads([1, 6], width=8)
    features = [torch.randn(2, 1, 5, 4), torch.randn(2, 6, 3, 2)]
    places = [torch.randint(20, (2, 7)), torch.randint(6, (2, 5))]
    projected = heads(features, places)
    assert [tuple(one.shape) for one in projected] == [(2, 7, 8), (2, 5, 8)]
    torch.testing.assert_close(projected[1].norm(dim=2), torch.ones(2, 5))
    place = int(places[1][1, 3])
    alone = heads.heads[1](features[1][1, :, place // 2, place % 2])
    torch.testing.assert_close(projected[1][1, 3], alone / alone.norm())


def test_two_layers_of_width_256_unless_said() -> None:
    counts = sum(value.numel() for value in PatchHeads([64]).parameters())
    assert counts == (64 * 256 + 256) + (256 * 256 + 256)


def test_a_layer_of_one_channel_tells_more_than_two_brightnesses_apart() -> None:
    heads, shades = PatchHeads([1]), torch.linspace(-1, 1, 9).view(1, 1, 3, 3)
    (projected,) = heads([shades], [torch.arange(9)[None]])
    cosines = projected[0] @ projected[0].T - torch.eye(9)
    assert cosines.max() < 1 - 1e-4
