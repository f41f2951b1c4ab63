"""What a user or a simulation says of the colours of a picture, as tensors that a network takes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Guidance:
    """Colours that are known of some pixels, and what is known of the picture as a whole.

    Attributes:
        ab: Chroma in CIE units where `mask` is 1, else 0: [N, 2, H, W].
        mask: 1 where a colour is given, else 0: [N, 1, H, W], float.
        histogram: Share of each of the 313 ab bins in the picture, [N, 313], sum 1; None if nobody said.
        saturation: Mean saturation of HSV, [N, 1] in [0, 1]; None if nobody said.
    """

    ab: Tensor
    mask: Tensor
    histogram: Tensor | None = None
    saturation: Tensor | None = None

    def to(self, device: torch.device | str) -> "Guidance":
        """Return the guidance on `device`."""
        histogram, saturation = (None if x is None else x.to(device) for x in (self.histogram, self.saturation))
        return Guidance(self.ab.to(device), self.mask.to(device), histogram, saturation)


def no_guidance(like: Tensor) -> Guidance:
    """Return the guidance that says nothing about [N, C, H, W]."""
    count, _, height, width = like.shape
    return Guidance(like.new_zeros(count, 2, height, width), like.new_zeros(count, 1, height, width))


def resize_guidance(guidance: Guidance, size: tuple[int, int]) -> Guidance:
    """Bring hints to another size: a pixel is given where any that it covers is, in the mean of their colours.

    Where the size grows, a hint covers all pixels that lie within it.
    """
    if guidance.mask.shape[2:] == size:
        return guidance
    share, total = (F.adaptive_avg_pool2d(x, size) for x in (guidance.mask, guidance.ab * guidance.mask))
    given = share > 0
    return Guidance(total / share.where(given, 1), given.to(share.dtype), guidance.histogram, guidance.saturation)


def paint_boxes(ab: Tensor, boxes: Tensor, size: tuple[int, int]) -> Guidance:
    """Give the pixels of each box its colour; where boxes overlap, the mean of their colours.

    Args:
        ab: Colours in CIE units, [N, K, 2].
        boxes: Top, left, bottom and right, [N, K, 4], int64, inside the picture; bottom and right are outside the box,
            so that a box whose bottom is its top is none.
        size: Height and width of the picture.

    Returns:
        Guidance of that size, float32.

    Example:
        >>> paint_boxes(torch.tensor([[[9.0, 5.0]]]), torch.tensor([[[0, 0, 2, 1]]]), (2, 2)).mask.flatten().tolist()
        [1.0, 0.0, 1.0, 0.0]
    """
    n, (height, width) = len(ab), size
    painted = torch.cat([ab, torch.ones_like(ab[..., :1])], dim=2).double().transpose(1, 2)  # [N, 3, K]
    top, left, bottom, right = boxes.unbind(2)
    steps = painted.new_zeros(n, 3, (height + 1) * (width + 1))  # sums over them from the upper left are the picture
    for sign, row, column in ((1, top, left), (-1, bottom, left), (-1, top, right), (1, bottom, right)):
        place = (row * (width + 1) + column)[:, None].expand(-1, 3, -1)
        steps.scatter_add_(2, place, sign * painted)
    sums = steps.view(n, 3, height + 1, width + 1).cumsum(2).cumsum(3)[..., :height, :width]
    count = sums[:, 2:].round()  # boxes over each pixel
    colours = (sums[:, :2] / count.clamp(min=1)).where(count > 0, 0.0)
    return Guidance(colours.float(), (count > 0).float())
