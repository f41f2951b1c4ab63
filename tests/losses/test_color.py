"""Colour losses: the angle is the metric made differentiable, the histogram knows no places."""

import math

import pytest
import torch

from nirtrans.evaluation.metrics import ae
from nirtrans.kernels import lab_to_rgb
from nirtrans.losses.color import angular_loss, histogram_loss


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
    assert torch.autograd.gradcheck(lambda x: angular_loss(x, target), (image,))


def flat(lightness: float, a: float = 0, b: float = 0) -> torch.Tensor:
    return lab_to_rgb(torch.tensor([float(lightness), a, b]).view(1, 3, 1, 1).expand(1, 3, 4, 4), clip=False)


@pytest.mark.parametrize(
    ("colour", "distance"), [((70.0, 0.0, 0.0), 0.2), ((50.0, 30.0, 0.0), 0.3), ((40.0, 10.0, -20.0), 0.4)]
)
def test_histograms_of_flat_pictures_are_apart_by_their_difference(colour: tuple, distance: float) -> None:
    assert histogram_loss(flat(*colour), flat(50)).item() == pytest.approx(distance / 3, abs=2e-3)


def test_places_do_not_matter() -> None:
    image = torch.rand(1, 3, 8, 8)
    shuffled = image.flatten(2)[..., torch.randperm(64)].view_as(image)
    assert histogram_loss(image, shuffled).item() == pytest.approx(0, abs=1e-9)


def test_grey_of_the_right_brightness_is_pulled_to_the_chroma_of_random_targets() -> None:
    chroma = torch.tensor([[60.0, 30.0, 0.0], [60.0, -30.0, 0.0]])  # on average the targets are grey
    targets = lab_to_rgb(chroma.view(2, 3, 1, 1).expand(2, 3, 8, 8), clip=False)
    both = torch.cat([targets[:1, :, :4], targets[1:, :, 4:]], 2)
    grey = flat(60).repeat(1, 1, 2, 2)

    def expected(image: torch.Tensor) -> float:
        return sum(histogram_loss(image, target[None]).item() for target in targets) / 2

    assert expected(both) < 0.8 * expected(grey), "the mixture is the best answer, not the average colour"


def test_nodata_leaves_the_histogram() -> None:
    image, target = torch.rand(2, 1, 3, 4, 4)
    valid = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    valid[..., :2] = True
    torch.testing.assert_close(histogram_loss(image, target, valid), histogram_loss(image[..., :2], target[..., :2]))
