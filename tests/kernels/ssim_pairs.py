"""Pairs of images on which SSIM is judged."""

import torch
from torch import Tensor


def noisy_pair(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[Tensor, Tensor]:
    """An image of noise and the same with more noise, in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(shape, generator=generator, dtype=torch.float64)
    y = (x + 0.1 * torch.randn(shape, generator=generator, dtype=torch.float64)).clamp(0, 1)
    return x.to(dtype), y.to(dtype)


def holes(count: int, height: int, width: int) -> Tensor:
    """A mask [count, 1, height, width] with about a third of the pixels invalid."""
    return torch.rand(count, 1, height, width, generator=torch.Generator().manual_seed(7)) > 0.3


def chequerboard(side: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Zeros and ones, [1, 1, side, side]."""
    line = torch.arange(side)
    return ((line[:, None] + line) % 2).to(dtype)[None, None]
