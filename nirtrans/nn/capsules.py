"""Capsules: groups of numbers whose length says that something is there and whose direction how it looks.

Source: Sabour et al. 2017, "Dynamic routing between capsules", section 2, procedure 1 and equation 1; Ozbulak 2019,
"Image colorization by capsule networks", section 3, for the network of patches.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH_PX = 9
PRIMARY = 8  # numbers of a primary capsule
SECONDARY = (6, 16)  # capsules of the second layer and the numbers of each
SMALLEST = 1e-12  # of a squared length, for the slope of the root
SPREAD = 0.3  # first standard deviation of the capsules' matrices: lengths then begin near one half
TOGETHER = 4096  # patches that are coloured at a time in use


class PatchColorizer(nn.Module):
    """Colour a picture in patches of 9 x 9 px and average where they overlap.

    Args:
        width: Channels of the first layers; see `CapsulePatchNet`.
        routing: Iterations of routing.
        stride: Pixels between the patches in use, 1 to 9; in training they do not overlap.
    """

    def __init__(self, *, width: int = 64, routing: int = 1, stride: int = 3) -> None:
        super().__init__()
        self.stride = stride
        self.patches = CapsulePatchNet(width=width, routing=routing)

    def forward(self, gray: Tensor) -> Tensor:
        """[N, 1, H, W] in [0, 1] -> L, a and b of 8 bits in [0, 1], [N, 3, H, W]."""
        count, _, height, width = gray.shape
        stride = PATCH_PX if self.training else self.stride
        down, right = (max(PATCH_PX - side, (PATCH_PX - side) % stride) for side in (height, width))
        gray = F.pad(gray, (0, right, 0, down), mode="replicate")
        columns = F.unfold(gray, PATCH_PX, stride=stride)  # [N, 81, L]
        patches = columns.transpose(1, 2).reshape(-1, 1, PATCH_PX, PATCH_PX)
        parts = (patches,) if self.training else patches.split(TOGETHER)
        made = torch.cat([self.patches(part.expand(-1, 3, -1, -1)) for part in parts])
        made = made.reshape(count, -1, 3 * PATCH_PX**2).transpose(1, 2)  # [N, 243, L]
        size = gray.shape[2:]
        times = F.fold(torch.ones_like(columns[:1]), size, PATCH_PX, stride=stride)  # [1, 1, H', W']
        return (F.fold(made, size, PATCH_PX, stride=stride) / times)[..., :height, :width]


class CapsulePatchNet(nn.Module):
    """Gray patches to colours through two layers of capsules.

    Args:
        width: Channels of the two convolutions; the capsules, half as many, and the dense layers follow it.
        routing: Iterations of routing between the layers of capsules; 1 weighs all alike.

    Parameters at width 64: 2,215,475.
    """

    def __init__(self, *, width: int = 64, routing: int = 1) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()),
        )
        capsules = width // 2
        primary = nn.Conv2d(width, capsules * PRIMARY, PATCH_PX, stride=2)
        self.primary = nn.Sequential(primary, nn.BatchNorm2d(capsules * PRIMARY))
        self.capsules = CapsuleLayer(capsules, routing=routing)
        self.dense = nn.Sequential(
            *(nn.Linear(SECONDARY[0] * SECONDARY[1], 8 * width), nn.ReLU()),
            *(nn.Linear(8 * width, 16 * width), nn.ReLU()),
            *(nn.Linear(16 * width, 3 * PATCH_PX**2), nn.Sigmoid()),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """[P, 3, 9, 9] -> [P, 3, 9, 9] in [0, 1]."""
        found = self.primary(self.features(patches))  # [P, capsules * 8, 1, 1]
        poses = self.capsules(squash(found.reshape(len(patches), -1, PRIMARY)))
        return self.dense(poses.flatten(1)).view(-1, 3, PATCH_PX, PATCH_PX)


class CapsuleLayer(nn.Module):
    """Six capsules of 16 numbers that all capsules of 8 below them vote for.

    Args:
        inputs: Capsules below.
        routing: Iterations in which votes that agree gain weight.
    """

    def __init__(self, inputs: int, *, routing: int = 1) -> None:
        super().__init__()
        self.routing = routing
        self.weight = nn.Parameter(torch.empty(inputs, SECONDARY[0], PRIMARY, SECONDARY[1]))
        nn.init.normal_(self.weight, std=SPREAD)

    def forward(self, poses: Tensor) -> Tensor:
        """[P, inputs, 8] -> [P, 6, 16], lengths below 1."""
        votes = torch.einsum("pid,ijde->pije", poses, self.weight)  # [P, inputs, 6, 16]
        agreement = votes.new_zeros(votes.shape[:3])
        for _ in range(self.routing):
            share = agreement.softmax(2)[..., None]
            found = squash((share * votes).sum(1))  # [P, 6, 16]
            agreement = agreement + (votes * found[:, None]).sum(3)
        return found


def squash(poses: Tensor) -> Tensor:
    """Shorten vectors to a length below 1, keeping their direction: |v|^2 / (1 + |v|^2) * v / |v|, over the last axis.

    Example:
        >>> squash(torch.tensor([0.0, 2.0])).tolist()
        [0.0, 0.800000011920929]
    """
    square = poses.square().sum(-1, keepdim=True)
    return poses * square / ((1 + square) * (square + SMALLEST).sqrt())
