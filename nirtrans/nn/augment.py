"""Random, differentiable changes of what a discriminator is shown, against overfitting on few pictures.

Real and generated pictures pass through the same changes and gradients pass through them, so that the generator learns
the unchanged pictures and the discriminator cannot learn the training set by heart.

Source: Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training", section 3 and appendix.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

AugmentKind = Literal["colour", "translation", "cutout"]
SHIFT = 1 / 8  # largest translation, as a share of the side: the paper's
HOLE = 1 / 2  # side of the cutout, as a share of the picture's: the paper's


class Augmentation:
    """One draw of random numbers, under which everything that a discriminator compares is shown to it.

    A conditional discriminator sees the source in front of each picture, moved and cut alike; its brightness is what it
    is conditioned on and stays. Pixels without data, which are exactly 0 in every channel, stay 0.

    Args:
        kinds: colour (brightness, saturation, contrast), translation, cutout; nothing at all if empty.
        like: Pictures as they will be shown, [N, C, H, W]; their number and size decide the draw.
        source: What the discriminator is conditioned on, [N, C', H, W]; None if it is not.

    The numbers come from torch's global generator of the CPU, which is part of the training state.

    Example:
        >>> source, rgb = torch.zeros(2, 1, 8, 8), torch.zeros(2, 3, 8, 8)
        >>> Augmentation(("translation", "cutout"), rgb, source)(rgb).shape
        torch.Size([2, 4, 8, 8])
    """

    def __init__(self, kinds: Sequence[AugmentKind], like: Tensor, source: Tensor | None = None) -> None:
        n, _, h, w = like.shape
        self.source = source
        self.colour = torch.rand(n, 3).to(like.device) if "colour" in kinds else None  # [N, 3], [0, 1)
        self.shifts = self.holes = None  # (down, right) in px; (top, left) in px
        if "translation" in kinds:
            self.shifts = _integers(n, (-int(h * SHIFT), -int(w * SHIFT)), (int(h * SHIFT), int(w * SHIFT)))
        self.hole = (int(h * HOLE), int(w * HOLE))
        if "cutout" in kinds:  # the centre lies anywhere, so the hole may reach over the rim
            low = (-(self.hole[0] // 2), -(self.hole[1] // 2))
            self.holes = _integers(n, low, (h - 1 + low[0], w - 1 + low[1]))

    def __call__(self, image: Tensor) -> Tensor:
        """Show [N, C, H, W] in [-1, 1], changed, behind its source if there is one."""
        if self.colour is not None:
            image = _recolour(image, self.colour)
        if self.source is not None:
            image = torch.cat([self.source, image], dim=1)
        if self.shifts is not None:
            image = torch.stack([_shift(one, *by) for one, by in zip(image, self.shifts, strict=True)])
        if self.holes is not None:
            image = image * self._uncut(image)
        return image

    def _uncut(self, image: Tensor) -> Tensor:
        """Return 0 inside the holes and 1 outside, [N, 1, H, W]."""
        mask = torch.ones_like(image[:, :1])
        for one, (top, left) in zip(mask, self.holes or (), strict=True):
            one[:, max(top, 0) : top + self.hole[0], max(left, 0) : left + self.hole[1]] = 0
        return mask


def _integers(count: int, low: tuple[int, int], high: tuple[int, int]) -> list[list[int]]:
    """Draw `count` pairs of integers, both bounds included."""
    sides = [torch.randint(low[axis], high[axis] + 1, (count,)) for axis in (0, 1)]
    return torch.stack(sides, dim=1).tolist()


def _recolour(image: Tensor, chance: Tensor) -> Tensor:
    """Change brightness by up to 0.5, saturation by a factor in [0, 2] and contrast by one in [0.5, 1.5]."""
    brightness, saturation, contrast = chance[:, :, None, None, None].to(image.dtype).unbind(1)  # [N, 1, 1, 1] each
    filled = (image != 0).any(1, keepdim=True)
    grey = image.mean(1, keepdim=True)
    changed = (image - grey) * (2 * saturation) + grey + (brightness - 0.5)
    pixels = filled.sum((2, 3), keepdim=True).clamp(min=1) * image.shape[1]
    mean = changed.where(filled, 0.0).sum((1, 2, 3), keepdim=True) / pixels
    return ((changed - mean) * (contrast + 0.5) + mean).where(filled, 0.0)


def _shift(image: Tensor, down: int, right: int) -> Tensor:
    """Move [C, H, W]; what comes in from outside is 0."""
    return F.pad(image, (right, -right, down, -down))
