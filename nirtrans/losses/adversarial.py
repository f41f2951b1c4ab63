"""Losses between generators and discriminators, over one map of logits or a list of them."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

GanKind = Literal["lsgan", "bce", "hinge", "wgan-gp"]
Logits = Tensor | Sequence[Tensor]


def gan_loss(logits: Logits, real: bool, *, kind: GanKind = "lsgan") -> Tensor:
    """Return how far logits are from the verdict `real`, averaged over the maps; maps of any size count alike.

    Args:
        logits: One or several maps [N, 1, h, w], raw scores.
        real: The wanted verdict.
        kind: lsgan (Mao et al. 2017, equation 9 with a = 0, b = 1), bce (Goodfellow et al. 2014), hinge (Lim and Ye
            2017) or wgan-gp (Arjovsky et al. 2017, whose critic also needs `gradient_penalty`).

    Returns:
        A scalar, float32 or wider.

    Example:
        >>> gan_loss(torch.ones(1, 1, 2, 2), True).item()
        0.0
    """
    maps = [logits] if isinstance(logits, Tensor) else logits
    return torch.stack([_map_loss(one.float(), real, kind) for one in maps]).mean()


def generator_loss(logits: Logits, *, kind: GanKind = "lsgan") -> Tensor:
    """Return the loss of a generator whose pictures got these logits; non-saturating, linear for hinge and wgan-gp."""
    return gan_loss(logits, True, kind="wgan-gp" if kind == "hinge" else kind)


def critic_loss(real: Logits, fake: Logits, *, kind: GanKind = "lsgan") -> Tensor:
    """Return half the sum of a discriminator's losses on real and on generated pictures, as CycleGAN weighs them.

    For wgan-gp it is the whole difference, mean(fake) - mean(real), beside which the paper's penalty of 10 stands.
    """
    share = 1.0 if kind == "wgan-gp" else 0.5
    return share * (gan_loss(real, True, kind=kind) + gan_loss(fake, False, kind=kind))


def gradient_penalty(critic: Callable[[Tensor], Logits], real: Tensor, fake: Tensor) -> Tensor:
    """Return how far the slope of a critic is from 1 between real and generated pictures: mean of (|slope| - 1)^2.

    The verdict on a picture is the mean of its logits, maps of any size counting alike, as in `gan_loss`. Each picture
    counts alike. Computed in float32 whatever the precision, since a slope of slopes does not bear less.

    Args:
        critic: From pictures to logits; what it is conditioned on is its own affair and leaves the slope.
        real: [N, C, H, W]; its gradient is not followed.
        fake: [N, C, H, W]; its gradient is not followed.

    Source: Gulrajani et al. 2017, equation 3; the place between the two is drawn from torch's global generator.

    Example:
        >>> steep = lambda image: 3 * image.sum((1, 2, 3))[:, None, None, None]
        >>> gradient_penalty(steep, torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)).item()
        4.0
    """
    with torch.autocast(real.device.type, enabled=False):
        real, fake = real.detach().float(), fake.detach().float()
        place = torch.rand(len(real), 1, 1, 1).to(real.device)
        between = torch.lerp(real, fake, place).requires_grad_(True)
        logits = critic(between)
        maps = [logits] if isinstance(logits, Tensor) else logits
        verdicts = torch.stack([one.flatten(1).mean(1) for one in maps]).mean(0)  # [N]
        (slope,) = torch.autograd.grad(verdicts.sum(), between, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Return the L1 distance between what a critic found in real and in generated pictures, averaged over its layers.

    Args:
        real: Features of the real pictures, [N, C, h, w] each; only compared with, no gradient goes there.
        fake: Features of the generated ones, of the same shapes.

    Source: Wang et al. 2018 (pix2pixHD), equation 4.
    """
    pairs = zip(real, fake, strict=True)
    return torch.stack([F.l1_loss(found.float(), wanted.detach().float()) for wanted, found in pairs]).mean()


def _map_loss(logits: Tensor, real: bool, kind: GanKind) -> Tensor:
    if kind == "lsgan":
        return (logits - float(real)).square().mean()
    if kind == "bce":
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))
    if kind == "hinge":
        return F.relu(1 - logits if real else 1 + logits).mean()
    return -logits.mean() if real else logits.mean()
