"""Differentiable augmentation: what moves, what stays, who shares the numbers, and that gradients pass."""

import pytest
import torch

from nirtrans.nn.augment import Augmentation

ALL = ("colour", "translation", "cutout")


def pictures(count: int = 2, channels: int = 3) -> torch.Tensor:
    return torch.rand(count, channels, 16, 16) * 2 - 1


def test_without_kinds_nothing_happens_and_no_number_is_drawn() -> None:
    image, source, state = pictures(), pictures(channels=1), torch.get_rng_state()
    assert Augmentation((), image)(image) is image
    assert torch.equal(Augmentation((), image, source)(image), torch.cat([source, image], 1))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_state_of_the_generator_decides() -> None:
    image = pictures()
    shown = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        shown.append(Augmentation(ALL, image)(image))
    assert torch.equal(shown[0], shown[1])
    assert not torch.equal(shown[0], shown[2])


@pytest.mark.parametrize("kinds", [(kind,) for kind in ALL] + [ALL])
def test_one_draw_serves_every_picture_that_is_compared(kinds: tuple) -> None:
    image = pictures(8)
    show = Augmentation(kinds, image)
    assert torch.equal(show(image), show(image.clone()))
    assert not torch.equal(show(image), image)
    assert not torch.equal(show(image[:1].expand(8, -1, -1, -1))[0], show(image[:1].expand(8, -1, -1, -1))[1])


def test_the_source_moves_along_and_keeps_its_brightness() -> None:
    image = pictures(8)
    moved = Augmentation(("translation", "cutout"), image, image[:, :1])(image)
    assert torch.equal(moved[:, 0], moved[:, 1])
    coloured = Augmentation(("colour",), image, image[:, :1])(image)
    assert torch.equal(coloured[:, 0], image[:, 0])
    assert not torch.equal(coloured[:, 1], image[:, 0])


def test_a_translation_is_a_shift_by_an_eighth_at_most() -> None:
    image = torch.zeros(256, 1, 16, 16)
    image[:, :, 8, 8] = 1
    places = Augmentation(("translation",), image)(image).flatten(1).argmax(1)
    offsets = torch.stack([places // 16 - 8, places % 16 - 8])
    assert offsets.min() == -2
    assert offsets.max() == 2
    assert len(places.unique()) == 25


def test_a_cutout_removes_at_most_a_quarter() -> None:
    image = torch.ones(256, 1, 16, 16)
    share = 1 - Augmentation(("cutout",), image)(image).mean((1, 2, 3))
    assert share.max() == 0.25
    assert 0 < share.min() <= 1 / 8, "holes may reach over the rim"


def test_colours_by_hand() -> None:
    image = torch.tensor([0.2, 0.4, 0.6]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    show = Augmentation(("colour",), image)
    show.colour = torch.tensor([[0.75, 0.25, 0.5]])  # brighter by 0.25, half the saturation, the same contrast
    torch.testing.assert_close(show(image)[0, :, 0, 0], torch.tensor([0.55, 0.65, 0.75]))
    show.colour = torch.tensor([[0.5, 0.5, 0.0]])  # half the contrast around the mean of 0.4
    torch.testing.assert_close(show(image)[0, :, 0, 0], torch.tensor([0.3, 0.4, 0.5]))


def test_what_is_blank_stays_blank_and_leaves_the_mean() -> None:
    image = pictures()
    image[..., 8:] = 0
    show = Augmentation(("colour",), image)
    assert not show(image)[..., 8:].any()
    torch.testing.assert_close(show(image)[..., :8], show(image[..., :8]))


def test_gradients_pass_what_is_shown_and_nothing_else() -> None:
    image = pictures().requires_grad_(True)
    show = Augmentation(ALL, image)
    show(image).square().sum().backward()
    assert image.grad.isfinite().all()
    assert image.grad.any()


@pytest.mark.gradcheck
def test_gradient() -> None:
    image = torch.rand(1, 3, 4, 4, dtype=torch.float64).requires_grad_(True)
    show = Augmentation(ALL, image)
    assert torch.autograd.gradcheck(show, (image,))
    assert torch.autograd.gradgradcheck(show, (image,))
