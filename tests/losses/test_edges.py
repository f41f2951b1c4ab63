"""The edge target, by hand and with holes."""

import torch

from nirtrans.losses.edges import laplacian_edges


def test_values_by_hand() -> None:
    image = torch.zeros(1, 3, 5, 5)
    image[0, 0, 2, 2] = 0.1  # a faint red dot: 8 times its value there, below 0 around it
    image[0, 1] = torch.rand(5, 5)  # green and blue do not count
    edges, known = laplacian_edges(image)
    expected = torch.zeros(1, 1, 5, 5)
    expected[0, 0, 2, 2] = 0.8
    torch.testing.assert_close(edges, expected)
    assert known is None


def test_a_step_is_bright_on_its_bright_side_and_clipped() -> None:
    step = torch.zeros(1, 3, 4, 6)
    step[..., 3:] = 1.0
    edges, _ = laplacian_edges(step)
    assert torch.equal(edges[0, 0, 1], torch.tensor([0.0, 0, 0, 1, 0, 0]))  # 8 - 5 = 3 is cut to 1, -3 to 0
    faint, _ = laplacian_edges(0.2 * step)
    torch.testing.assert_close(faint[0, 0, 1], torch.tensor([0.0, 0, 0, 0.6, 0, 0]))
    assert torch.equal(faint[0, 0, 0], faint[0, 0, 1]), "the picture goes on beyond its border"


def test_pixels_without_data_reach_nothing() -> None:
    image, valid = torch.rand(2, 3, 8, 8), torch.ones(2, 1, 8, 8, dtype=torch.bool)
    valid[0, 0, 3, 4] = False
    whole, _ = laplacian_edges(image)
    clean, known = laplacian_edges(image, valid)
    image[0, :, 3, 4] = torch.nan
    hidden, _ = laplacian_edges(image, valid)
    assert torch.equal(clean, hidden)
    assert (~known).sum() == 9
    assert not known[0, 0, 2:5, 3:6].any()
    assert torch.equal(hidden[known], whole[known])
    assert not hidden[~known].any()
