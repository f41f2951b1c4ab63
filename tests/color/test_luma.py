"""Luma: the weights of BT.601, and the same in both ranges."""

import pytest
import torch

from nirtrans.color.luma import luma
from nirtrans.color.ranges import to_signed, to_unit


def test_primaries_weigh_as_in_bt601() -> None:
    primaries = torch.eye(3).view(3, 3, 1, 1)
    assert luma(primaries).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])


def test_grey_is_its_own_luma_in_either_range() -> None:
    grey = torch.rand(2, 1, 4, 5)
    torch.testing.assert_close(luma(grey.expand(-1, 3, -1, -1)), grey)
    rgb = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(to_unit(luma(to_signed(rgb))), luma(rgb))


def test_autocast_does_not_round_it() -> None:
    rgb = torch.rand(1, 3, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = luma(rgb)
    assert torch.equal(found, luma(rgb))
