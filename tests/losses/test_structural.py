"""Structure: SSIM against the metric, edges by hand, small crops."""

import pytest
import torch

from nirtrans.errors import InputError
from nirtrans.kernels import ms_ssim, ssim
from nirtrans.losses.structural import ms_ssim_loss, sobel_loss, ssim_loss


def test_ssim_is_that_of_the_kernel() -> None:
    image, target = torch.rand(2, 2, 3, 24, 24)
    torch.testing.assert_close(ssim_loss(image, target), 1 - ssim(image, target))
    valid = torch.rand(1, 1, 24, 24) > 0.2
    torch.testing.assert_close(
        ssim_loss(image[:1], target[:1], valid), 1 - ssim(image[:1], target[:1], mask=valid), rtol=1e-5, atol=1e-6
    )


def test_flat_pictures_by_hand() -> None:
    dark, bright = torch.full((1, 1, 16, 16), 0.2), torch.full((1, 1, 16, 16), 0.8)
    luminance = (2 * 0.2 * 0.8 + 1e-4) / (0.2**2 + 0.8**2 + 1e-4)
    assert ssim_loss(dark, bright).item() == pytest.approx(1 - luminance, rel=1e-4)
    # one level at 16 px: (luminance + 1) / 2
    assert ms_ssim_loss(dark, bright).item() == pytest.approx(1 - (luminance + 1) / 2, rel=1e-4)


@pytest.mark.parametrize(("side", "levels"), [(160, 4), (161, 5), (41, 3), (40, 2), (11, 1)])
def test_as_many_levels_as_fit(side: int, levels: int) -> None:
    image, target = torch.rand(2, 1, 1, side, side)
    used = torch.tensor([0.0448, 0.2856, 0.3001, 0.2363, 0.1333][:levels])
    expected = ms_ssim(image, target, weights=(used / used.sum()).tolist(), normalize="simple")
    torch.testing.assert_close(ms_ssim_loss(image, target), 1 - expected)


def test_opposite_contrast_has_a_gradient() -> None:
    target = torch.rand(1, 3, 48, 48)
    image = (1 - target).requires_grad_(True)
    ms_ssim_loss(image, target).backward()
    assert image.grad.abs().max() > 1e-6


@pytest.mark.parametrize("loss", [ssim_loss, ms_ssim_loss])
def test_pictures_below_the_window_are_refused(loss: object) -> None:
    with pytest.raises(InputError, match="needs pictures of 11 px, got 10x40; use larger crops"):
        loss(torch.rand(1, 3, 10, 40), torch.rand(1, 3, 10, 40))


def test_slopes_by_hand() -> None:
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    plane = (0.5 * rows - 0.25 * columns).expand(1, 3, 8, 8)
    assert sobel_loss(plane, torch.zeros(1, 3, 8, 8)).item() == pytest.approx((0.5 + 0.25) / 2)
    assert sobel_loss(plane, -plane).item() == pytest.approx(0.5 + 0.25), "the sign of an edge counts"
    assert sobel_loss(plane + 3, plane).item() == pytest.approx(0, abs=1e-6), "brightness does not"


def test_an_edge_by_hand() -> None:
    step = torch.zeros(1, 1, 5, 6)
    step[..., 3:] = 1  # two of four inner columns have the slope 1/2
    assert sobel_loss(step, torch.zeros(1, 1, 5, 6)).item() == pytest.approx(0.5 * 0.5 / 2)


def test_neighbours_of_nodata_do_not_count() -> None:
    ramp = torch.arange(9.0).expand(1, 1, 9, 9)
    image, valid = ramp.clone(), torch.ones(1, 1, 9, 9, dtype=torch.bool)
    valid[..., 4, 4] = False
    image[..., 4, 4] = 99
    assert sobel_loss(image, ramp, valid).item() == 0
    assert sobel_loss(image, torch.zeros_like(ramp), valid).item() == pytest.approx(0.5), "nor does the hole"
