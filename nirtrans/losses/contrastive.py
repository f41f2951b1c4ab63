"""Contrast of patches: a generated patch shall tell its own place in the source from other places of that picture.

Source: Park et al. 2020 (CUT), section 3: PatchNCE.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.losses.masked import valid_cells

TEMPERATURE = 0.07  # the paper's


def draw_patches(features: Tensor, valid: Tensor | None, *, count: int = 256) -> tuple[Tensor, Tensor]:
    """Draw places of a feature map without repetition, each picture its own, from torch's global generator.

    Args:
        features: [N, C, h, w]; only shape and device matter.
        valid: [N, 1, H, W], bool; None means everywhere.
        count: Places per picture; a smaller map gives all of its own.

    Returns:
        places: Flat numbers within the map, [N, P], int64, P = min(count, h * w).
        counted: Whether a place is wholly valid, [N, P], bool; others are drawn only where too few are valid.
    """
    n, _, h, w = features.shape
    eligible = torch.ones(n, h * w, dtype=torch.bool, device=features.device)
    if valid is not None:
        eligible = valid_cells(valid, (h, w)).flatten(1)
    chance = torch.rand(n, h * w, device=features.device).where(eligible, -1.0)
    places = chance.topk(min(count, h * w), dim=1).indices
    return places, eligible.gather(1, places)


def patch_nce(query: Tensor, key: Tensor, counted: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """Return the cross-entropy of finding, among the keys of a picture, the one at the place of each query.

    Args:
        query: Generated patches, [N, P, D], of length 1.
        key: Source patches at the same places, [N, P, D], of length 1; no gradient reaches them.
        counted: Places that hold data, [N, P], bool; others are neither asked for nor offered as an answer.
        temperature: Divides the cosines.

    Returns:
        [N], float32: the mean over the counted places of each picture, 0 where there is none.

    Example:
        >>> same = torch.ones(1, 4, 1)
        >>> round(patch_nce(same, same, torch.ones(1, 4, dtype=torch.bool)).item(), 4)  # all alike: log 4
        1.3863
    """
    with torch.autocast(query.device.type, enabled=False):  # cosines / 0.07 in 8 bits would differ by 3 %
        logits = query.float() @ key.detach().float().transpose(1, 2) / temperature  # [N, P, P]
    own = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(~(counted[:, None, :] | own), -torch.inf)
    wanted = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    cost = F.cross_entropy(logits.transpose(1, 2), wanted, reduction="none")  # [N, P]
    return cost.where(counted, 0.0).sum(1) / counted.sum(1).clamp(min=1)


def contrastive_loss(
    queries: Sequence[Tensor],
    keys: Sequence[Tensor],
    counted: Sequence[Tensor],
    *,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """Return the PatchNCE of each picture, [N], averaged over layers; arguments as of `patch_nce`, one per layer."""
    layers = zip(queries, keys, counted, strict=True)
    return torch.stack([patch_nce(*layer, temperature=temperature) for layer in layers]).mean(0)
