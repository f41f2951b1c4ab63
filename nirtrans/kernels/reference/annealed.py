"""The annealed mean in plain torch."""

import torch
from torch import Tensor


def annealed_mean(logits: Tensor, *, bins: Tensor, temperature: float = 0.38) -> Tensor:
    """Decode a distribution over bins to a colour; see `nirtrans.kernels.annealed_mean`.

    Args:
        logits: (N, Q, H, W).
        bins: (Q, 2).
        temperature: T > 0.

    Returns:
        a and b in CIE units, (N, 2, H, W), float32 or float64.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, equation 5.
    """
    wide = logits if logits.dtype == torch.float64 else logits.float()
    # The largest logit goes first: division by a small temperature must not overflow the others' exponents.
    shifted = (wide - wide.amax(dim=1, keepdim=True).detach()) / temperature
    return torch.einsum("nqhw,qc->nchw", shifted.softmax(dim=1), bins.to(wide))
