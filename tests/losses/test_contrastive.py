"""PatchNCE: values by hand, which places are drawn, and that nodata is neither asked for nor an answer."""

import math

import pytest
import torch
import torch.nn.functional as F

from nirtrans.losses.contrastive import contrastive_loss, draw_patches, patch_nce

EVERYWHERE = torch.ones(1, 2, dtype=torch.bool)


def test_value_by_hand() -> None:
    angle = math.pi / 3
    query = torch.tensor([[[1.0, 0.0], [math.cos(angle), math.sin(angle)]]])
    key = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    first = -math.log(math.exp(1 / 0.5) / (math.exp(1 / 0.5) + math.exp(0)))
    own, other = math.exp(math.sin(angle) / 0.5), math.exp(math.cos(angle) / 0.5)
    expected = (first - math.log(own / (own + other))) / 2
    assert patch_nce(query, key, EVERYWHERE, temperature=0.5).item() == pytest.approx(expected, rel=1e-6)


def test_the_temperature_of_the_paper() -> None:
    corners = torch.eye(2)[None]
    assert patch_nce(corners, corners, EVERYWHERE).item() == pytest.approx(math.log1p(math.exp(-1 / 0.07)), rel=0.1)
    assert patch_nce(corners, corners.flip(1), EVERYWHERE).item() == pytest.approx(1 / 0.07, rel=1e-6)


def test_negatives_come_from_the_same_picture() -> None:
    one, other = (F.normalize(torch.randn(1, 5, 3), dim=2) for _ in range(2))
    counted = torch.ones(2, 5, dtype=torch.bool)
    both = patch_nce(torch.cat([one, other]), torch.cat([one, one]), counted)
    assert both[0] == patch_nce(one, one, counted[:1])


def test_places_that_do_not_count_neither_ask_nor_answer() -> None:
    query, key = (F.normalize(torch.randn(2, 6, 4), dim=2).requires_grad_() for _ in range(2))
    counted = torch.tensor([[True, True, False, True, False, True], [False] * 6])
    loss = patch_nce(query, key, counted)
    kept = counted[0].nonzero()[:, 0]
    torch.testing.assert_close(loss[0], patch_nce(query[:1, kept], key[:1, kept], counted[:1, kept])[0])
    assert loss[1].item() == 0
    loss.sum().backward()
    assert key.grad is None, "the keys are what to reach, not what to move"
    assert query.grad.isfinite().all()
    assert torch.equal(query.grad.any(2), counted)


def test_layers_count_alike() -> None:
    features = [F.normalize(torch.randn(2, count, 3), dim=2) for count in (4, 7)]
    counted = [torch.ones(2, count, dtype=torch.bool) for count in (4, 7)]
    single = [patch_nce(feature, feature, mask) for feature, mask in zip(features, counted, strict=True)]
    torch.testing.assert_close(contrastive_loss(features, features, counted), (single[0] + single[1]) / 2)


def test_places_are_drawn_once_from_the_valid_pixels() -> None:
    valid = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    valid[0, :, :, :5] = True  # at half size the third column is not wholly valid
    places, counted = draw_patches(torch.empty(2, 3, 4, 4), valid, count=10)
    assert places.shape == counted.shape == (2, 10)
    assert set(places[0, counted[0]].tolist()) == {0, 1, 4, 5, 8, 9, 12, 13}
    assert not counted[1].any()
    assert all(len(set(row)) == 10 for row in places.tolist())


def test_a_small_map_gives_all_its_places_and_the_draw_follows_the_seed() -> None:
    places, counted = draw_patches(torch.empty(1, 1, 2, 3), None)
    assert sorted(places[0].tolist()) == list(range(6))
    assert counted.all()
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(draw_patches(torch.empty(1, 1, 32, 32), None, count=16)[0])
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
