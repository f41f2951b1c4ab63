"""Simulated hints: what the papers say of them, true colours, and no hint where there is no data."""

import pytest
import torch

from nirtrans.nn import conditioning
from nirtrans.nn.conditioning import HintInput, simulate_hints

KINDS = ("patches", "pixels", "strokes")


def truth(count: int = 8, side: int = 64) -> torch.Tensor:
    return 200 * torch.rand(count, 2, side, side) - 100


@pytest.mark.parametrize("kind", KINDS)
def test_hints_have_colours_where_the_mask_is_and_depend_on_the_seed_alone(kind: str) -> None:
    ab = truth()
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(simulate_hints(kind, ab))
    first, same, other = drawn
    assert first.ab.shape == ab.shape
    assert set(first.mask.unique().tolist()) == {0, 1}
    assert (first.ab * (1 - first.mask) == 0).all()
    assert torch.equal(first.ab, same.ab)
    assert not torch.equal(first.mask, other.mask)


@pytest.mark.parametrize("kind", KINDS)
def test_flat_pictures_give_their_colour(kind: str) -> None:
    ab = torch.tensor([30.0, -40.0]).view(1, 2, 1, 1).repeat(8, 1, 40, 50)
    hints = simulate_hints(kind, ab)
    torch.testing.assert_close(hints.ab, ab * hints.mask)


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_without_data_are_no_hints_and_tint_none(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioning, "FULL", 0.2)
    ab = torch.full((32, 2, 32, 32), 50.0)
    valid = torch.rand(32, 1, 32, 32) < 0.5
    valid[0] = False
    ab = ab.where(valid, torch.nan)
    hints = simulate_hints(kind, ab, valid)
    assert not hints.mask[~valid].any()
    assert hints.mask[valid].any()
    torch.testing.assert_close(hints.ab, 50 * hints.mask.expand(-1, 2, -1, -1))


def test_patches_are_as_the_paper_says() -> None:
    torch.manual_seed(0)
    boxes = conditioning._patches(4000, 100, 60)
    side = boxes[..., 2] - boxes[..., 0]
    given = side > 0
    count = given.sum(1).float()
    assert count.mean().item() == pytest.approx(7, abs=0.4)  # (1 - p) / p
    assert (count == 0).float().mean().item() == pytest.approx(1 / 8, abs=0.02)
    assert torch.equal(side[given].unique(), torch.arange(1, 10))
    assert torch.equal(side, boxes[..., 3] - boxes[..., 1])
    assert boxes.min() >= 0
    assert boxes[..., 2].max() <= 100
    assert boxes[..., 3].max() <= 60
    centre = (boxes[..., 0] + boxes[..., 2])[given] / 200
    assert centre.mean().item() == pytest.approx(0.5, abs=0.01)
    assert 0.2 < centre.std().item() < 0.25  # of what is clipped


def test_a_patch_has_the_mean_of_what_it_covers() -> None:
    ab = truth(1, 8)
    shown = conditioning._reveal(ab, torch.ones(1, 1, 8, 8, dtype=torch.bool), torch.tensor([[[1, 2, 4, 7]]]))
    mean = ab[..., 1:4, 2:7].mean((2, 3), keepdim=True).expand(-1, -1, 3, 5)
    torch.testing.assert_close(shown.ab[..., 1:4, 2:7], mean)
    assert shown.mask.sum() == 15


def test_seeds_are_5_to_15_true_pixels() -> None:
    ab = truth(400, 64)
    hints = simulate_hints("pixels", ab)
    count = hints.mask.sum((1, 2, 3))
    assert 4 <= count.min() <= 6  # two of them may fall together
    assert count.max() == 15
    torch.testing.assert_close(hints.ab, ab * hints.mask)


def test_the_whole_truth_is_shown_now_and_then() -> None:
    torch.manual_seed(0)
    ab = truth(3000, 8)
    full = simulate_hints("patches", ab).mask.flatten(1).all(1)
    small = conditioning._patches(3000, 8, 8)
    covering = ((small[..., 2] - small[..., 0]) == 8).any(1).float().mean().item()
    assert full.float().mean().item() > covering
    shown = simulate_hints("patches", truth(1000, 32))
    assert shown.mask.flatten(1).all(1).float().mean().item() == pytest.approx(0.01, abs=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (3, 5)])
@pytest.mark.parametrize("kind", KINDS)
def test_small_pictures(kind: str, size: tuple[int, int]) -> None:
    ab = torch.randn(20, 2, *size)
    assert simulate_hints(kind, ab).mask.shape == (20, 1, *size)


def test_hints_join_the_lightness() -> None:
    light, hints = torch.rand(1, 1, 2, 2), torch.rand(1, 3, 2, 2)
    joined = HintInput()(light, hints)
    assert torch.equal(joined[:, :3], torch.cat([light, hints[:, :2]], 1))
    assert torch.equal(joined[:, 3:], hints[:, 2:] - 0.5)
