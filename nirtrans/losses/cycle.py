"""Cycle consistency: there and back again must give the same picture."""

from torch import Tensor

from nirtrans.losses.masked import masked_l1


def cycle_loss(pairs: list[tuple[Tensor, Tensor]], valid: Tensor | None = None) -> Tensor:
    """Return the sum of the L1 distances between pictures and what came back of them.

    Args:
        pairs: (original, cycled), each [N, C, H, W].
        valid: [N, 1, H, W], bool; None means everywhere.

    Source: Zhu et al. 2017, equation 2.
    """
    first, *rest = [masked_l1(cycled, original, valid) for original, cycled in pairs]
    return sum(rest, start=first)
