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
