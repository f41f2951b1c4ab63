"""Hints at the size of the network: where points come to lie, what lies over what, palettes of any picture."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nirtrans.color.chroma import chroma
from nirtrans.errors import DataError
from nirtrans.inference.hints import HintFiles, _side, draw, guidance_from, read_palette
from nirtrans.io.hint_points import Hint, make_hints
from nirtrans.io.images import write_image
from nirtrans.io.scribbles import Scribbles

RED = (255, 0, 0)


def ab(*color: int) -> torch.Tensor:
    return chroma(torch.tensor(color).view(1, 3, 1, 1) / 255)[0, :, 0, 0]


@pytest.mark.parametrize(
    ("place", "radius", "scale", "length", "side"),
    [
        (5, 0, 1.0, 10, (5, 6)),
        (5.9, 2, 1.0, 10, (3, 8)),
        (0, 2, 1.0, 10, (0, 3)),
        (9, 2, 1.0, 10, (7, 10)),
        (5, 0, 0.25, 3, (1, 2)),
        (9, 0, 0.25, 2, (1, 2)),
        (6, 2, 0.5, 5, (2, 4)),
        (1, 0, 3.0, 9, (3, 6)),
        (0.5, 10_000, 0.5, 5, (0, 5)),
        (99, 0, 0.05, 5, (4, 5)),
        (9, None, 1.0, 20, (7, 12)),
        (0, None, 1.0, 20, (0, 3)),
        (3999, None, 0.05, 200, (197, 200)),
        (50, None, 2.0, 200, (98, 103)),
    ],
)
def test_squares_cover_at_least_a_pixel(
    place: float, radius: int | None, scale: float, length: int, side: tuple[int, int]
) -> None:
    assert _side(place, radius, scale, length) == side


def test_points_become_squares_of_their_colour() -> None:
    drawn = draw((6, 8), picture=(6, 8), points=make_hints([Hint(2, 3, RED, 1), Hint(7, 0, (0, 0, 255), 0)]))
    assert drawn.mask[0, 0].nonzero().tolist() == [[0, 7], *([y, x] for y in (2, 3, 4) for x in (1, 2, 3))]
    torch.testing.assert_close(drawn.ab[0, :, 3, 2], ab(*RED))
    torch.testing.assert_close(drawn.ab[0, :, 0, 7], ab(0, 0, 255))


def test_points_that_fall_together_are_mixed() -> None:
    drawn = draw((2, 2), picture=(8, 8), points=make_hints([Hint(0, 0, RED, 0), Hint(3, 3, (0, 0, 255), 0)]))
    assert drawn.mask.sum() == 1
    torch.testing.assert_close(drawn.ab[0, :, 0, 0], (ab(*RED) + ab(0, 0, 255)) / 2)


def test_points_lie_over_strokes_and_thin_strokes_survive() -> None:
    colours, drawn = np.zeros((40, 40, 3), np.float32), np.zeros((40, 40), bool)
    colours[...] = 1, 0, 0
    drawn[:, 20] = True
    found = draw(
        (8, 8), picture=(40, 40), points=make_hints([Hint(20, 0, (0, 0, 255), 0)]), strokes=Scribbles(colours, drawn)
    )
    assert found.mask[0, 0, :, 4].all()
    assert found.mask.sum() == 8
    torch.testing.assert_close(found.ab[0, :, 0, 4], ab(0, 0, 255))
    torch.testing.assert_close(found.ab[0, :, 5, 4], ab(*RED))


def test_points_at_hand() -> None:
    torch.testing.assert_close(guidance_from([(0, 0, 255, 0, 0)], (4, 4))((4, 4)).ab[0, :, 0, 0], ab(*RED))
    with pytest.raises(DataError, match="lies outside the picture of 4 x 4 px"):
        guidance_from([(4, 0, 255, 0, 0)], (4, 4))


def test_palettes_count_opaque_pixels(tmp_path: Path) -> None:
    pixels = np.full((600, 300, 3), 128, np.uint8)
    pixels[:300] = RED
    alpha = np.zeros((600, 300), np.uint8)
    alpha[:300] = 255
    write_image(tmp_path / "all.png", pixels)
    write_image(tmp_path / "red.png", pixels, alpha=alpha)
    histogram, saturation = read_palette(tmp_path / "all.png")
    assert histogram.shape == (1, 313)
    assert histogram.topk(2).values.tolist() == [[0.5, 0.5]]
    assert saturation.item() == pytest.approx(0.5)
    histogram, saturation = read_palette(tmp_path / "red.png")
    assert (histogram.max().item(), saturation.item()) == (1.0, 1.0)
    write_image(tmp_path / "clear.png", pixels, alpha=0 * alpha)
    with pytest.raises(DataError, match="nothing of it is opaque"):
        read_palette(tmp_path / "clear.png")


def test_without_files_there_are_no_hints() -> None:
    assert HintFiles().of(Path("x.png"), np.zeros((4, 4), np.uint8)) is None
    assert not HintFiles().flags()
