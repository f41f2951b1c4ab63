"""What a picture shows as a whole: the class that a user has given it, learnt beside its colours."""

import torch.nn.functional as F
from torch import Tensor


def label_loss(logits: Tensor, label: Tensor | None) -> Tensor:
    """Return the cross-entropy of the class of each picture, averaged over the pictures.

    One without a class counts 0, as does one without valid pixels in `masked_l1`: the mean over a batch then does not
    depend on how the batch is divided among processes, and every weight has a gradient in every step.

    Args:
        logits: Before softmax, [N, K].
        label: Number of the class, [N], int64, -1 where nobody knows it; None: of none.

    Returns:
        A scalar, float32.

    Example:
        >>> import torch
        >>> label_loss(torch.zeros(2, 4), torch.tensor([3, -1])).exp().item()
        2.0
    """
    if label is None:
        return logits.float().sum() * 0
    return F.cross_entropy(logits.float(), label, ignore_index=-1, reduction="sum") / len(logits)
