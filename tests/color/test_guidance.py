"""Hints as pictures: boxes, overlaps, and what a picture says as a whole."""

import pytest
import torch

from nirtrans.color.bins import AB313
from nirtrans.color.chroma import chroma
from nirtrans.color.guidance import paint_boxes
from nirtrans.color.palette import ab_histogram, mean_saturation


def test_boxes_are_filled_and_overlaps_mixed() -> None:
    ab = torch.tensor([[[10.0, -6.0], [30.0, 2.0], [99.0, 99.0]]])
    boxes = torch.tensor([[[0, 0, 2, 3], [1, 2, 4, 4], [2, 0, 2, 3]]])  # the last is none
    painted = paint_boxes(ab, boxes, (4, 4))
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]).float()
    a = torch.tensor([[10, 10, 10, 0], [10, 10, 20, 30], [0, 0, 30, 30], [0, 0, 30, 30]]).float()
    assert torch.equal(painted.mask[0, 0], mask)
    assert torch.equal(painted.ab[0, 0], a)
    assert painted.ab[0, 1, 1].tolist() == [-6, -6, -2, 2]


def test_many_boxes_keep_their_colour_to_the_bit() -> None:
    places = torch.randperm(64 * 64)[:500]
    row, column = places // 64, places % 64
    ab = 200 * torch.rand(1, 500, 2) - 100
    painted = paint_boxes(ab, torch.stack([row, column, row + 1, column + 1], 1)[None], (64, 64))
    assert torch.equal(painted.ab[0, :, row, column].T, ab[0])
    assert painted.mask.sum() == 500


def test_pictures_of_a_batch_do_not_mix() -> None:
    ab = torch.tensor([[[1.0, 1.0]], [[5.0, 5.0]]])
    painted = paint_boxes(ab, torch.tensor([[[0, 0, 1, 1]], [[1, 1, 2, 2]]]), (2, 2))
    assert painted.ab[0, 0].tolist() == [[1, 0], [0, 0]]
    assert painted.ab[1, 0].tolist() == [[0, 0], [0, 5]]


def test_histogram_counts_valid_pixels_alone() -> None:
    ab = torch.zeros(1, 2, 2, 2)
    ab[0, 0] = torch.tensor([[0.0, 50.0], [50.0, torch.nan]])
    valid = torch.tensor([[True, True], [True, False]])[None, None]
    histogram = ab_histogram(ab, valid)
    bins = AB313.centres.tolist()
    assert histogram.shape == (1, 313)
    assert histogram[0, bins.index([0.0, 0.0])].item() == pytest.approx(1 / 3)
    assert histogram[0, bins.index([50.0, 0.0])].item() == pytest.approx(2 / 3)
    assert ab_histogram(ab, ~torch.ones_like(valid)).sum() == 0


def test_saturation_is_that_of_hsv() -> None:
    colorsys = pytest.importorskip("colorsys")
    rgb = torch.rand(1, 3, 4, 4)
    expected = sum(colorsys.rgb_to_hsv(*pixel)[1] for pixel in rgb[0].flatten(1).T.tolist()) / 16
    assert mean_saturation(rgb).item() == pytest.approx(expected, abs=1e-6)
    assert mean_saturation(torch.zeros(1, 3, 2, 2)).item() == 0
    assert chroma(torch.full((1, 3, 1, 1), 0.5)).abs().max() < 1e-4
