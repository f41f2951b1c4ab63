"""Small networks that compare patches of feature maps, one per layer."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


class PatchHeads(nn.Module):
    """Project patches of several feature maps onto unit spheres, where their cosine tells how alike they are.

    Weights keep torch's own start, whose biases are not 0: a layer fed with one channel and no bias could tell apart
    two directions only, above and below 0.

    Args:
        channels: Of each feature map.
        width: Length of a projected patch, and of the hidden layer before it.

    Source: Park et al. 2020 (CUT), section 3; Chen et al. 2020 (SimCLR).
    """

    def __init__(self, channels: Sequence[int], *, width: int = 256) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width)) for inputs in channels
        )

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Project the patches at `places` [N, P] of each map [N, C, h, w]; returns [N, P, width] of length 1."""
        layers = zip(self.heads, features, places, strict=True)
        return [F.normalize(head(_gather(feature, place)), dim=2) for head, feature, place in layers]


def _gather(feature: Tensor, places: Tensor) -> Tensor:
    """Return [N, P, C], the pixels of [N, C, h, w] at flat places [N, P]."""
    index = places[:, None, :].expand(-1, feature.shape[1], -1)
    return feature.flatten(2).gather(2, index).transpose(1, 2)
