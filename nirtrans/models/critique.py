"""What systems with critics share: pictures are shown to a critic, and its verdicts become the losses of both sides."""

import torch
from torch import Tensor, nn

from nirtrans.losses.adversarial import GanKind, critic_loss, feature_matching, generator_loss, gradient_penalty
from nirtrans.nn.augment import Augmentation

PENALTY = 10.0  # weight of the gradient penalty: Gulrajani et al. 2017, section 4


def critic_terms(
    critic: nn.Module, show: Augmentation, real: Tensor, fake: Tensor, *, gan: GanKind, name: str = "critic"
) -> dict[str, Tensor]:
    """Return the losses of a critic: of its verdicts and, for wgan-gp, of its slope.

    Args:
        critic: As the system calls it.
        show: What is done to both pictures first.
        real: [N, C, H, W] in [-1, 1], blank where there is no data.
        fake: As `real`, no gradient goes there.
        gan: Form of the adversarial loss.
        name: Of the term; the penalty is `NAME_penalty`.
    """
    fake = fake.detach()
    terms = {name: critic_loss(critic(show(real)), critic(show(fake)), kind=gan)}
    if gan == "wgan-gp":
        terms[f"{name}_penalty"] = PENALTY * gradient_penalty(lambda image: critic(show(image)), real, fake)
    return terms


def generator_terms(
    critic: nn.Module, show: Augmentation, real: Tensor, fake: Tensor, *, gan: GanKind, features: float = 0.0
) -> dict[str, Tensor]:
    """Return the losses of a generator whose pictures have a real one each: `gan` and, with a weight, `features`.

    Args:
        critic: As the system calls it.
        show: What is done to both pictures first.
        real: [N, C, H, W] in [-1, 1], blank where there is no data.
        fake: As `real`, generated for the same place.
        gan: Form of the adversarial loss.
        features: Weight of the distance between what the critic's layers find in both; 0 leaves it out.
    """
    if not features:
        return {"gan": generator_loss(critic(show(fake)), kind=gan)}
    logits, found = critic(show(fake), features=True)
    with torch.no_grad():
        _, wanted = critic(show(real), features=True)
    return {"gan": generator_loss(logits, kind=gan), "features": features * feature_matching(wanted, found)}
