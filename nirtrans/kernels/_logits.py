"""What the kernels over the classes of a pixel accept, and in which precision they answer."""

import torch
from torch import Tensor

from nirtrans.kernels._checks import check_float, check_planes


def check_logits(operator: str, logits: Tensor, table: Tensor) -> None:
    """Raise unless `logits` are floats (N, Q, H, W) with one class for each of the Q bins.

    Raises:
        TypeError: If they are no floating-point tensor.
        ValueError: If they do not have four dimensions, or another number of classes.
    """
    check_float(logits, operator, "logits", "give the network's output before softmax")
    check_planes(logits, operator, "logits")
    if logits.shape[1] != len(table):
        raise ValueError(
            f"{operator}: expected one class for each of the {len(table)} bins, got logits {tuple(logits.shape)}; "
            "give the table that the network was trained with as bins"
        )


def compute_dtype(logits: Tensor) -> torch.dtype:
    """Return float64 for float64, else float32: the precision of softmax and of results."""
    return torch.float64 if logits.dtype == torch.float64 else torch.float32
