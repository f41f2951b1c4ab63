"""A memory of generated pictures, so that a discriminator does not chase only the newest ones."""

import random
from typing import Any

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Return, for half of the pictures, an older one from the pool in exchange.

    What it returns depends on the seed, the number of pictures seen and the content alone, and number and content are
    in its `state_dict`: a resumed run continues exactly.

    Args:
        capacity: Pictures kept; 0 switches the pool off. `build_system` sets it to `train.pool`.
        seed: Decides which pictures are exchanged.

    Source: Shrivastava et al. 2017, section 2.3; CycleGAN's variant for single pictures.
    """

    images: Tensor
    seen: Tensor

    def __init__(self, capacity: int = 50, *, seed: int = 0) -> None:
        super().__init__()
        self.capacity, self.seed = capacity, seed
        self.register_buffer("images", torch.empty(0))  # [K, C, H, W] once a picture came
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Exchange some of the detached [N, C, H, W]; same shape comes back."""
        if self.capacity == 0:
            return images
        if self.images.shape[1:] != images.shape[1:]:
            self.images = images[:0].clone()  # the first pictures, or a crop of another size
        first = int(self.seen)
        self.seen += len(images)
        return torch.stack([self._exchange(image, first + number) for number, image in enumerate(images)])

    def _exchange(self, image: Tensor, number: int) -> Tensor:
        if len(self.images) < self.capacity:
            self.images = torch.cat([self.images, image[None].to(self.images.dtype)])
            return image
        chance = random.Random(f"pool {self.seed} {number}")  # counter-based: no generator state to keep
        if chance.random() < 0.5:
            return image
        slot = chance.randrange(self.capacity)
        older = self.images[slot].to(image.dtype, copy=True)
        self.images[slot] = image
        return older

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Accept a content of any length."""
        if f"{prefix}images" in state_dict:
            self.images = torch.empty_like(state_dict[f"{prefix}images"], device=self.images.device)
        super()._load_from_state_dict(state_dict, prefix, *args)
