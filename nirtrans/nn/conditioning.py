"""Hints as a network takes them, and hints as a user might give them, drawn from the truth for training.

All random numbers come from torch's global generator of the CPU, which is part of the training state.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from nirtrans.color.guidance import Guidance, paint_boxes
from nirtrans.color.ranges import scale_ab

HINTS = 3
"""Channels of hints: a, b and mask."""
HintKind = Literal["patches", "pixels", "strokes"]
STOP = 1 / 8
"""Chance that no further patch follows: 7 on average. Source: Zhang et al. 2017, section 3.3."""
LARGEST_PX = 9
"""Side of the largest patch. Source: as above."""
SPREAD = 0.25
"""Standard deviation of the places of patches around the centre, as a share of the side. Source: as above."""
FULL = 0.01
"""Chance that the whole truth is shown, so that the network learns to keep what it is told. Source: as above."""
MOST_PATCHES = 96
"""Of a picture; one in 400,000 would have more."""
PIXELS = (5, 15)
"""Least and most seeds of a picture. Source: NTIRE 2019 challenge on colorization, track 2."""
STROKES, STAMPS = 4, 24
"""Most strokes of a picture, and patches that make one."""


class HintInput(nn.Module):
    """Join lightness, hints and mask to the input of a network.

    Args:
        centre: Subtracted from the mask.
    """

    def __init__(self, *, centre: float = 0.5) -> None:
        super().__init__()
        self.centre = centre

    def forward(self, light: Tensor, hints: Tensor) -> Tensor:
        """[N, 1, H, W] and [N, 3, H, W], a and b scaled, then the mask -> [N, 4, H, W]."""
        ab, mask = hints.split([2, 1], dim=1)
        return torch.cat([light, ab, mask - self.centre], dim=1)


def stack_hints(known: Guidance) -> Tensor:
    """Return scaled a and b of the hints and their mask, [N, 3, H, W], as `HintInput` takes them."""
    return torch.cat([scale_ab(known.ab), known.mask], dim=1)


def simulate_hints(kind: HintKind, ab: Tensor, valid: Tensor | None = None) -> Guidance:
    """Show some of the true colours of a batch, as a user would.

    Args:
        kind: patches: few squares of 1 to 9 px near the centre, each of one colour, or rarely all of the truth;
            pixels: 5 to 15 single ones anywhere; strokes: up to 4 lines whose colour follows the truth.
        ab: The truth in CIE units, [N, 2, H, W].
        valid: [N, 1, H, W], bool; other pixels are no hints and colour none.

    Returns:
        Guidance of the size of `ab`.
    """
    known = torch.ones_like(ab[:, :1], dtype=torch.bool) if valid is None else valid
    ab = ab.float().where(known, 0.0)
    draw = {"patches": _patches, "pixels": _pixels, "strokes": _strokes}[kind]
    boxes = draw(len(ab), ab.shape[2], ab.shape[3]).to(ab.device)
    shown = _reveal(ab, known, boxes)
    if kind == "patches":
        full = (torch.rand(len(ab)) < FULL).to(ab.device)[:, None, None, None]
        return Guidance(torch.where(full, ab, shown.ab), torch.where(full, known.float(), shown.mask))
    return shown


def _reveal(ab: Tensor, known: Tensor, boxes: Tensor) -> Guidance:
    """Paint each box with the mean of the true colours inside it; pixels that are not known stay free."""
    sums = _sums(torch.cat([ab, known.float()], dim=1), boxes)  # [N, K, 3]
    count = sums[..., 2:]
    boxes = torch.where(count > 0, boxes, 0)
    painted = paint_boxes(sums[..., :2] / count.clamp(min=1), boxes, (ab.shape[2], ab.shape[3]))
    return Guidance(painted.ab.where(known, 0.0), painted.mask.where(known, 0.0))


def _sums(picture: Tensor, boxes: Tensor) -> Tensor:
    """Return the sum of [N, C, H, W] over each box [N, K, 4], [N, K, C], float64, by a summed-area table."""
    n, channels, height, width = picture.shape
    table = picture.new_zeros(n, channels, height + 1, width + 1, dtype=torch.float64)
    table[..., 1:, 1:] = picture.double().cumsum(2).cumsum(3)
    flat = table.flatten(2)

    def corner(row: Tensor, column: Tensor) -> Tensor:
        return flat.gather(2, (row * (width + 1) + column)[:, None].expand(-1, channels, -1))

    top, left, bottom, right = boxes.unbind(2)
    total = corner(bottom, right) - corner(top, right) - corner(bottom, left) + corner(top, left)
    return total.transpose(1, 2)


def _patches(n: int, height: int, width: int) -> Tensor:
    """Draw squares near the centre, as many as a geometric distribution says: [N, K, 4]."""
    count = (torch.log1p(-torch.rand(n)) / math.log1p(-STOP)).floor().clamp(max=MOST_PATCHES).long()
    k = max(1, int(count.max()))
    side = torch.randint(1, LARGEST_PX + 1, (n, k)).clamp(max=min(height, width))
    top, left = (_near_centre(full - side) for full in (height, width))
    side = side.where(torch.arange(k) < count[:, None], 0)
    return torch.stack([top, left, top + side, left + side], dim=2)


def _near_centre(room: Tensor) -> Tensor:
    place = room * (0.5 + SPREAD * torch.randn(room.shape))
    return place.round().long().clamp(min=0).minimum(room)


def _pixels(n: int, height: int, width: int) -> Tensor:
    """Draw single pixels anywhere: [N, K, 4]."""
    least, most = PIXELS
    count = torch.randint(least, most + 1, (n, 1))
    top, left = torch.randint(height, (n, most)), torch.randint(width, (n, most))
    side = (torch.arange(most) < count).long()
    return torch.stack([top, left, top + side, left + side], dim=2)


def _strokes(n: int, height: int, width: int) -> Tensor:
    """Draw lines that bend a little, as rows of squares: [N, K, 4]."""
    count = torch.randint(0, STROKES + 1, (n, 1, 1))
    turn = 0.3 * torch.randn(n, STROKES, STAMPS)
    turn[..., 0] = 2 * math.pi * torch.rand(n, STROKES)
    angle, side = turn.cumsum(2), torch.randint(1, LARGEST_PX // 2 + 1, (n, STROKES, 1))
    side = side.expand(-1, -1, STAMPS).clamp(max=min(height, width))
    step = side.clamp(min=1)  # squares touch
    top = (height * torch.rand(n, STROKES, 1) + (step * angle.sin()).cumsum(2)).long()
    left = (width * torch.rand(n, STROKES, 1) + (step * angle.cos()).cumsum(2)).long()
    top, left = top.clamp(min=0).minimum(height - side), left.clamp(min=0).minimum(width - side)
    side = side.where(torch.arange(STROKES)[:, None] < count, 0)
    return torch.stack([top, left, top + side, left + side], dim=3).flatten(1, 2)
