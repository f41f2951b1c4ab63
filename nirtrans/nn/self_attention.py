"""Attention of every place of a feature map to every other."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.nn.spectral import SpectralConv2d

REDUCTION = 8  # channels of the map per channel of what is compared: section 3
AT_ONCE = 4096  # places that ask at a time, which bounds memory on large pictures


class SelfAttention(nn.Module):
    """x + gamma * what each place gathers from the places that resemble it; gamma starts at 0.

    Source: Zhang et al. 2019, "Self-attention generative adversarial networks", section 3.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        compared = max(channels // REDUCTION, 1)
        self.query = SpectralConv2d(channels, compared, 1)
        self.key = SpectralConv2d(channels, compared, 1)
        self.value = SpectralConv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        query, key, value = (layer(x).flatten(2).transpose(1, 2) for layer in (self.query, self.key, self.value))
        asked = query.split(AT_ONCE, dim=1)  # [N, AT_ONCE, C / 8] each
        found = torch.cat([F.scaled_dot_product_attention(part, key, value, scale=1.0) for part in asked], dim=1)
        return x + self.gamma * found.transpose(1, 2).reshape(x.shape)
