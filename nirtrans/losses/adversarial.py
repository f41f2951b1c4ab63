"""Losses between generators and discriminators, over one map of logits or a list of them."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

GanKind = Literal["lsgan", "bce", "hinge"]
Logits = Tensor | Sequence[Tensor]


def gan_loss(logits: Logits, real: bool, *, kind: GanKind = "lsgan") -> Tensor:
    """Return how far logits are from the verdict `real`, averaged over the maps; maps of any size count alike.

    Args:
        logits: One or several maps [N, 1, h, w], raw scores.
        real: The wanted verdict.
        kind: lsgan (Mao et al. 2017, equation 9 with a = 0, b = 1), bce (Goodfellow et al. 2014) or hinge (Lim and Ye
            2017).

    Returns:
        A scalar, float32 or wider.

    Example:
        >>> gan_loss(torch.ones(1, 1, 2, 2), True).item()
        0.0
    """
    maps = [logits] if isinstance(logits, Tensor) else logits
    return torch.stack([_map_loss(one.float(), real, kind) for one in maps]).mean()


def generator_loss(logits: Logits, *, kind: GanKind = "lsgan") -> Tensor:
    """Return the loss of a generator whose pictures got these logits; non-saturating, and linear for hinge."""
    if kind != "hinge":
        return gan_loss(logits, True, kind=kind)
    maps = [logits] if isinstance(logits, Tensor) else logits
    return torch.stack([-one.float().mean() for one in maps]).mean()


def critic_loss(real: Logits, fake: Logits, *, kind: GanKind = "lsgan") -> Tensor:
    """Return half the sum of a discriminator's losses on real and on generated pictures, as CycleGAN weighs them."""
    return 0.5 * (gan_loss(real, True, kind=kind) + gan_loss(fake, False, kind=kind))


def _map_loss(logits: Tensor, real: bool, kind: GanKind) -> Tensor:
    if kind == "lsgan":
        return (logits - float(real)).square().mean()
    if kind == "bce":
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))
    return F.relu(1 - logits if real else 1 + logits).mean()
