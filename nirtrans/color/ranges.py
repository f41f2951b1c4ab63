"""The only place where [0, 1] meets the [-1, 1] of networks."""

from torch import Tensor


def to_signed(unit: Tensor) -> Tensor:
    """Map [0, 1] to [-1, 1], any shape."""
    return unit * 2 - 1


def to_unit(signed: Tensor) -> Tensor:
    """Map [-1, 1] to [0, 1], any shape; values outside are kept."""
    return (signed + 1) / 2
