"""Systems without networks: athi against brute force, levin2004 against its system, both as chroma systems."""

import pytest
import torch

from nirtrans.color.chroma import chroma, lightness
from nirtrans.color.guidance import Guidance, no_guidance
from nirtrans.color.luma import luma
from nirtrans.errors import InputError
from nirtrans.kernels import rgb_to_lab
from nirtrans.models.athi import Athi, from_cbcr, nearest_chroma, to_cbcr
from nirtrans.models.formulas import FORMULAS
from nirtrans.models.levin2004 import Levin2004


def hints_from(rgb: torch.Tensor, share: float) -> Guidance:
    mask = (torch.rand_like(rgb[:, :1]) < share).float()
    mask[..., 0, 0] = 1
    return Guidance(chroma(rgb) * mask, mask)


def pictures(count: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    rgb = 0.2 + 0.6 * torch.rand(count, 3, 12, 15)
    return luma(rgb), rgb


@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_the_table_equals_brute_force(count: int) -> None:
    levels = torch.randint(0, 256, (16, 16)) // 8 * 8  # many ties
    colours, hinted = torch.randn(2, 16, 16), torch.zeros(16, 16, dtype=torch.bool)
    hinted.view(-1)[torch.randperm(256)[:count]] = True
    places = hinted.flatten().nonzero()[:, 0].tolist()
    found = nearest_chroma(levels, colours, hinted).flatten(1)
    for pixel, level in enumerate(levels.flatten().tolist()):
        distances = [abs(levels.flatten()[place].item() - level) for place in places]
        first = places[distances.index(min(distances))]  # the lowest index
        assert torch.equal(found[:, pixel], colours.flatten(1)[:, first])


def test_cbcr_is_undone() -> None:
    _, rgb = pictures()
    torch.testing.assert_close(from_cbcr(luma(rgb), to_cbcr(rgb)), rgb, atol=2e-6, rtol=0)
    blue = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
    torch.testing.assert_close(to_cbcr(blue).flatten(), torch.tensor([0.5, -0.0813]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", FORMULAS.names())
def test_hinted_pixels_have_their_colour_and_lightness_stays(name: str) -> None:
    source, rgb = pictures()
    guidance = hints_from(rgb, 0.3)
    system = FORMULAS.find(name)().eval()
    ab = system.predict(source, guidance)
    assert ab.shape == (2, 2, 12, 15)
    if name == "levin2004":
        assert torch.equal(ab * guidance.mask, guidance.ab)
    coloured = system.colorize(source, guidance)
    torch.testing.assert_close(rgb_to_lab(coloured)[:, :1], lightness(source), atol=0.01, rtol=0)
    assert 0 <= coloured.min() <= coloured.max() <= 1


def test_athi_keeps_the_hue_of_a_single_hint() -> None:
    source = torch.linspace(0.3, 0.7, 25).view(1, 1, 5, 5)
    mask = torch.zeros(1, 1, 5, 5)
    mask[..., 2, 2] = 1
    ab = Athi().predict(source, Guidance(torch.tensor([20.0, 10.0]).view(1, 2, 1, 1) * mask, mask))
    torch.testing.assert_close(ab[0, :, 2, 2], torch.tensor([20.0, 10.0]), atol=0.1, rtol=0)
    assert (ab[:, 0] > 10).all()
    assert (ab[:, 1] > 3).all()


@pytest.mark.parametrize("name", FORMULAS.names())
def test_without_hints_there_is_no_picture(name: str) -> None:
    source, rgb = pictures()
    system = FORMULAS.find(name)()
    empty = no_guidance(source)
    one_empty = hints_from(rgb, 0.2)
    one_empty.mask[1] = 0
    for guidance in (None, empty, one_empty):
        with pytest.raises(InputError, match="by hints, got none; give --hints or --scribbles"):
            system.predict(source, guidance)


def test_formulas_say_what_they_are() -> None:
    assert FORMULAS.names() == ["athi", "levin2004"]
    for system in (Athi, Levin2004):
        assert system.__doc__
        assert system.paper
        assert system.needs_guidance
        assert not system.phases
        assert system.domains == {"gray"}
