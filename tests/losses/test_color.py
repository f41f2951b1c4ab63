"""The angular loss: the metric made differentiable."""

import math

import pytest
import torch

from nirtrans.evaluation.metrics import ae
from nirtrans.losses.color import angular_loss


def rgb(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)


def test_values_by_hand() -> None:
    assert angular_loss(rgb(1, 0, 0), rgb(0, 1, 0)).item() == pytest.approx(math.pi / 2, abs=2e-3)
    assert angular_loss(rgb(1, 1, 0), rgb(1, 0, 0)).item() == pytest.approx(math.pi / 4, abs=2e-3)


def test_brightness_is_free() -> None:
    assert angular_loss(rgb(0.2, 0.4, 0.1), rgb(0.4, 0.8, 0.2)).item() == pytest.approx(0, abs=1e-6)


def test_it_follows_the_metric() -> None:
    image, target = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    assert math.degrees(angular_loss(image, target)) == pytest.approx(ae(image[0], target[0]), abs=0.3)


def test_dark_and_equal_pixels_have_finite_gradients() -> None:
    image = torch.zeros(1, 3, 2, 2)
    image[..., 1] = 0.5
    image.requires_grad_(True)
    angular_loss(image, torch.full((1, 3, 2, 2), 0.5)).backward()
    assert torch.isfinite(image.grad).all()
    assert not image.grad[..., 0].any()


def test_nodata_has_no_say() -> None:
    image, target = torch.rand(1, 3, 4, 4, requires_grad=True), torch.rand(1, 3, 4, 4)
    valid = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    valid[..., :2] = True
    loss = angular_loss(image, target, valid)
    loss.backward()
    torch.testing.assert_close(loss, angular_loss(image[..., :2], target[..., :2]))
    assert not image.grad[..., 2:].any()


@pytest.mark.gradcheck
def test_gradient() -> None:
    image = (0.2 + 0.6 * torch.rand(1, 3, 3, 3, dtype=torch.float64)).requires_grad_(True)
    target = 0.2 + 0.6 * torch.rand(1, 3, 3, 3, dtype=torch.float64)
    # the loss is float32 inside, hence the wide step
    assert torch.autograd.gradcheck(lambda x: angular_loss(x, target), (image,), eps=1e-3, atol=1e-2, rtol=5e-2)
