"""Shift-tolerant distances: shifts are free up to the radius, blurs do not darken borders."""

import pytest
import torch

from nirtrans.losses.alignment import blur_l1, shift_min_l1
from nirtrans.losses.masked import masked_l1


def moved(image: torch.Tensor, dy: int, dx: int) -> torch.Tensor:
    """Shift the content; what comes in at the border is noise, as it is in another crop of the scene."""
    result = torch.rand_like(image)
    height, width = image.shape[2:]
    rows, columns = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
    result[..., rows, columns] = image[..., max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)]
    return result


@pytest.mark.parametrize("shift", [(0, 0), (2, 2), (-2, 1), (0, -2)])
def test_shifts_within_the_radius_are_free(shift: tuple[int, int]) -> None:
    image = torch.rand(2, 3, 20, 24)
    valid = torch.rand(2, 1, 20, 24) > 0.02
    assert shift_min_l1(image, moved(image, *shift)).item() == 0
    assert shift_min_l1(image, moved(image, *shift), valid).item() == 0


def test_a_shift_beyond_the_radius_costs() -> None:
    image = torch.rand(1, 3, 24, 24)
    assert shift_min_l1(image, moved(image, 3, 0)).item() > 0.2
    assert shift_min_l1(image, moved(image, 3, 0), radius_px=3).item() == 0


def test_each_picture_and_each_block_has_its_own_shift() -> None:
    image = torch.rand(2, 3, 32, 32)
    target = torch.cat([moved(image[:1], 1, 2), moved(image[1:], -2, 0)])
    assert shift_min_l1(image, target).item() == 0
    left_moved = image.clone()
    left_moved[..., :16] = moved(image, 0, 2)[..., :16]
    # the first two columns of the moved half hold noise, two of the other's neighbours are not reached
    assert shift_min_l1(image, left_moved, block_px=16).item() < 0.2 * shift_min_l1(image, left_moved).item()


def test_it_is_the_least_of_all_shifts_on_their_common_area() -> None:
    image, target = torch.rand(2, 1, 3, 10, 12)
    costs = []
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            rows, columns = slice(max(-dy, 0), 10 - max(dy, 0)), slice(max(-dx, 0), 12 - max(dx, 0))
            there = target[:, :, rows.start + dy : rows.stop + dy, columns.start + dx : columns.stop + dx]
            costs.append((image[:, :, rows, columns] - there).abs().mean())
    torch.testing.assert_close(shift_min_l1(image, target, radius_px=1), torch.stack(costs).min())
    torch.testing.assert_close(shift_min_l1(image, target, radius_px=0), masked_l1(image, target))


def test_a_shift_cannot_win_by_leaving_the_data() -> None:
    image, target = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    target[..., 0, 1] = 0  # at the shift (0, 1) one pixel of four is left, and equal
    valid = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    valid[..., 0, [0, 1, 4, 7]] = True
    assert shift_min_l1(image, target, valid).item() == pytest.approx(3 / 4)


def test_blur_of_a_spike_by_hand() -> None:
    spike = torch.zeros(1, 1, 41, 41)
    spike[..., 20, 20] = 1
    expected = torch.exp(-(torch.arange(-20.0, 21) ** 2) / 8)
    expected = expected.outer(expected) / expected.sum() ** 2
    assert blur_l1(spike, torch.zeros_like(spike)).item() == pytest.approx(expected.mean().item(), rel=1e-3)


def test_blur_sees_flat_pictures_as_they_are() -> None:
    valid = torch.rand(1, 1, 16, 16) > 0.5
    for mask in (None, valid):
        flat = blur_l1(torch.full((1, 3, 16, 16), 0.7), torch.zeros(1, 3, 16, 16), mask, sigma_px=3)
        assert flat.item() == pytest.approx(0.7)


def test_blur_forgives_small_shifts() -> None:
    image = torch.rand(1, 3, 48, 48)
    assert blur_l1(image, moved(image, 1, 0)) < 0.15 * masked_l1(image, moved(image, 1, 0))
