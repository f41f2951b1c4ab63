"""Masked L1 and blanking: nodata has no say."""

import pytest
import torch

from nirtrans.losses.cycle import cycle_loss
from nirtrans.losses.masked import blank, masked_l1, masked_mse, masked_rmse, valid_cells


def mask(columns: int) -> torch.Tensor:
    valid = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    valid[..., :columns] = True
    return valid


def test_value_by_hand() -> None:
    image, target = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    image[:, 0] = 3.0
    image[..., 2:] = 99.0
    assert masked_l1(image, target, mask(2)).item() == 1.0


def test_squares_by_hand() -> None:
    image = torch.zeros(1, 3, 4, 4)
    image[:, 0] = 3.0
    image[..., 2:] = torch.nan
    assert masked_mse(image, torch.zeros(1, 3, 4, 4), mask(2)).item() == 3.0


def test_without_a_mask_it_is_l1() -> None:
    image, target = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(masked_l1(image, target), (image - target).abs().mean())
    torch.testing.assert_close(masked_l1(image, target, mask(4).expand(2, -1, -1, -1)), masked_l1(image, target))


def test_each_picture_counts_alike() -> None:
    image, target = torch.ones(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    valid = torch.cat([mask(1), mask(4)])
    halves = [masked_l1(image[i : i + 1], target[i : i + 1], valid[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(masked_l1(image, target, valid), torch.stack(halves).mean())


def test_nothing_valid_is_nothing_lost() -> None:
    image = torch.ones(1, 3, 4, 4, requires_grad=True)
    loss = masked_l1(image, torch.zeros(1, 3, 4, 4), mask(0))
    loss.backward()
    assert loss.item() == 0
    assert not image.grad.any()


def test_gradients_stay_out_of_nodata() -> None:
    image = torch.rand(1, 3, 4, 4, requires_grad=True)
    (masked_l1(image, torch.zeros(1, 3, 4, 4), mask(2)) + blank(image, mask(2)).sum()).backward()
    assert not image.grad[..., 2:].any()
    assert image.grad[..., :2].all()


def test_blanking_is_mid_grey() -> None:
    image = torch.ones(1, 3, 4, 4)
    assert blank(image, None) is image
    assert blank(image, mask(1)).sum() == 12


def test_a_cycle_counts_both_ways() -> None:
    nir, rgb = torch.zeros(1, 1, 4, 4), torch.zeros(1, 3, 4, 4)
    assert cycle_loss([(nir, nir + 1), (rgb, rgb + 2)]).item() == 3
    assert cycle_loss([(nir, nir), (rgb, rgb)], mask(2)).item() == 0


def test_a_cell_is_valid_if_all_its_pixels_are() -> None:
    cells = valid_cells(mask(3), (2, 2))
    assert cells.dtype == torch.bool
    assert cells.tolist() == [[[[True, False], [True, False]]]]
    assert torch.equal(valid_cells(mask(3), (4, 4)), mask(3))


def test_root_mean_square_of_each_picture_with_a_finite_slope() -> None:
    target = torch.zeros(2, 3, 4, 4)
    image = torch.tensor([0.3, 0.5]).view(2, 1, 1, 1).expand_as(target).clone()
    image[1, :, 2:] = torch.nan
    valid = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    valid[1, :, 2:] = False
    assert masked_rmse(image, target, valid).item() == pytest.approx(0.4, abs=2e-4)
    equal = target.clone().requires_grad_()
    loss = masked_rmse(equal, target)
    loss.backward()
    assert abs(loss.item()) < 1e-9
    assert equal.grad is not None
    assert equal.grad.abs().max() == 0
