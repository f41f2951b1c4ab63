"""The image kernels on a real device; under NIRTRANS_REQUIRE_CUDA=1 a missing device is a failure, not a skip."""

import pytest
import torch
from torch.library import opcheck

from nirtrans.kernels import image_to_lab, lab_to_image
from tests.kernels.test_image import LEVELS, TOLERANCE, all_colours, random_image

pytestmark = pytest.mark.cuda


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(3, 64, 128, 3), (3, 67, 129, 3), (2, 1, 1, 3)])
def test_agrees_with_the_cpu(levels: torch.dtype, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    image = random_image(*shape, dtype=levels)
    lab = image_to_lab(image.cuda(), dtype=dtype)
    step = torch.finfo(dtype).eps
    torch.testing.assert_close(lab.cpu(), image_to_lab(image, dtype=dtype), atol=max(4e-6, step), rtol=step)
    for color in (lab, lab.to(memory_format=torch.channels_last)):
        back = lab_to_image(color, dtype=levels).cpu()
        assert (back.int() - lab_to_image(color.cpu(), dtype=levels).int()).abs().max() <= 1


def test_every_colour_returns() -> None:
    image = all_colours(range(256)).cuda()
    assert torch.equal(lab_to_image(image_to_lab(image)), image)


def test_unaligned_images() -> None:
    levels = random_image(1 + 3 * 16 * 16).cuda()
    view = levels[1:].view(16, 16, 3)
    assert torch.equal(image_to_lab(view), image_to_lab(view.clone()))


def test_opcheck() -> None:
    image = random_image(2, 5, 7, 3).cuda()
    opcheck(torch.ops.nirtrans.image_to_lab.default, (image, 50.0, 50.0, 110.0, torch.float32))
    opcheck(torch.ops.nirtrans.lab_to_image.default, (image_to_lab(image), 50.0, 50.0, 110.0, torch.uint8))


def test_many_tiny_images_exceed_the_grid() -> None:
    image = random_image(70_000, 1, 2, 3).cuda()
    lab = image_to_lab(image)
    assert torch.equal(lab[-1:], image_to_lab(image[-1:].clone()))
    assert torch.equal(lab_to_image(lab), image)
