"""Latent codes of variational autoencoders."""

from torch import Tensor

from nirtrans.losses.masked import masked_mean, valid_cells


def code_divergence(code: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean square of a code, twice the divergence of N(code, 1) from N(0, 1) per element.

    Args:
        code: Means of the latent distribution, [N, C, h, w]; its variance is 1.
        valid: [N, 1, H, W], bool; None means everywhere. A place counts if all of its pixels are valid.

    Source: Liu et al. 2017 (UNIT), section 3, without the factor 1/2, which public implementations leave to the weight.
    """
    places = None if valid is None else valid_cells(valid, (code.shape[2], code.shape[3]))
    return masked_mean(code.float().square().mean(1, keepdim=True), places)
