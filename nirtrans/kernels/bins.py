"""The bins of the ab plane that colorization networks classify: the table, soft encoding, weights of rare colours."""

import torch
from torch import Tensor
from torch.library import register_fake

from nirtrans.ab_bins import ab_table
from nirtrans.arguments import check_mix, check_neighbors
from nirtrans.kernels import _library, reference
from nirtrans.kernels._checks import check_float, check_planes

MOST_BINS = 4096
DEFAULT_BINS = torch.from_numpy(ab_table())


def ab_bins() -> Tensor:
    """Return the 313 bins of the ab plane in the published order.

    Returns:
        (a, b) in CIE units, [313, 2], float32 on the CPU, a fresh copy at each call.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016; `nirtrans.ab_bins` has the rule.

    Example:
        >>> ab_bins()[120].tolist()
        [0.0, 0.0]
    """
    return DEFAULT_BINS.clone()


def encode_ab(
    ab: Tensor, *, bins: Tensor | None = None, neighbors: int = 5, sigma: float = 5.0
) -> tuple[Tensor, Tensor]:
    """Encode colours as their nearest bins with Gaussian weights.

    With squared distances d_1 <= d_2 <= ..., ties by lower bin number, the weights are exp(-(d_k - d_1) / 2 sigma^2)
    divided by their sum. The paper says 5 neighbours; the training code published with it runs 10.

    Args:
        ab: a and b in CIE units, (N, 2, H, W).
        bins: Any table (Q, 2) of finite floats, 1 <= Q <= 4096; None: the 313 of `ab_bins`.
        neighbors: K, 1 to Q.
        sigma: Width of the Gaussian in units of ab, 1e-15 to 1e15.

    Returns:
        Bin numbers (N, K, H, W), int64, nearest first, and weights (N, K, H, W), float32 (float64 for float64 input),
        which sum to 1 over K. NaN or infinite colours get NaN weights. Neither carries a gradient.

    Raises:
        TypeError: If ab or bins are not floating-point tensors.
        ValueError: If a shape or a number is out of range.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, section 2.2.

    Example:
        >>> index, weight = encode_ab(torch.tensor([10.0, 0.0]).reshape(1, 2, 1, 1), neighbors=1)
        >>> ab_bins()[index.flatten()].tolist(), weight.flatten().tolist()
        ([[10.0, 0.0]], [1.0])
    """
    check_float(ab, "encode_ab", "ab", "give a and b in CIE units, as rgb_to_lab returns them")
    check_planes(ab, "encode_ab", "ab", channels=2)
    table = check_encoding("encode_ab", bins, neighbors, sigma)
    if _library.compiled_for(ab.device):
        return torch.ops.nirtrans.encode_ab(ab.detach(), table, neighbors, sigma)
    return reference.encode_ab(ab, bins=table, neighbors=neighbors, sigma=sigma)


def class_weights(prior: Tensor, *, mix: float = 0.5) -> Tensor:
    """Turn the frequencies of bins into weights that favour rare ones.

    w = 1 / ((1 - mix) prior + mix u), where u is uniform over the bins that occur, scaled so that sum(prior w) = 1.
    A bin that never occurs has the mean weight, 1.

    Args:
        prior: Frequency of each bin, (Q,), not negative, with sum 1.
        mix: Share of the uniform distribution, 0 to 1; the published value is 0.5.

    Returns:
        Weights, (Q,), in the dtype of `prior` (float32 for float16 and bfloat16).

    Raises:
        TypeError: If prior is not a floating-point tensor.
        ValueError: If prior is not a distribution, or mix is out of range.

    Source: Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016, equation 4.

    Example:
        >>> class_weights(torch.full((4,), 0.25)).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    check_float(prior, "class_weights", "prior", "divide counts by their sum")
    if prior.dim() != 1 or prior.numel() == 0:
        raise ValueError(
            f"class_weights: expected prior of shape (Q,), got {tuple(prior.shape)}; give one frequency per bin"
        )
    check_mix("class_weights", mix)
    exact = prior.detach().double()
    total = float(exact.sum())
    if not bool(exact.isfinite().all()) or float(exact.min()) < 0 or abs(total - 1) > 1e-4:
        raise ValueError(
            f"class_weights: expected finite frequencies >= 0 with sum 1, got sum {total:.6g} and minimum "
            f"{float(exact.min()):.6g}; divide counts by their sum"
        )
    return reference.class_weights(prior.detach(), mix=mix)


def check_encoding(operator: str, bins: Tensor | None, neighbors: int, sigma: float) -> Tensor:
    """Return the table of bins as float32 on the CPU, where operators want it; it and the rest are checked.

    Raises:
        TypeError: If bins are not a floating-point tensor or neighbors is no integer.
        ValueError: If bins are not (Q, 2) and finite, neighbors not in 1..Q or sigma out of range.
    """
    table = check_bins(operator, bins)
    check_neighbors(operator, neighbors, len(table), sigma)
    return table


def check_bins(operator: str, bins: Tensor | None) -> Tensor:
    """Return the table of bins as contiguous float32 on the CPU, (Q, 2); None stands for the 313.

    Raises:
        TypeError: If bins are not a floating-point tensor.
        ValueError: If bins are not (Q, 2) with 1 <= Q <= 4096, or not finite (seen in eager mode only).
    """
    if bins is None:
        return DEFAULT_BINS
    check_float(bins, operator, "bins", "give the bins as floats in CIE units")
    if bins.dim() != 2 or bins.shape[1] != 2 or not 1 <= bins.shape[0] <= MOST_BINS:
        raise ValueError(
            f"{operator}: expected bins of shape (Q, 2) with 1 <= Q <= {MOST_BINS}, got {tuple(bins.shape)}; "
            "give one (a, b) per row"
        )
    table = bins.detach().to("cpu", torch.float32).contiguous()
    if not torch.compiler.is_compiling() and not bool(table.isfinite().all()):
        raise ValueError(f"{operator}: expected finite bins, got NaN or infinity; remove those rows")
    return table


def _fake_encoding(ab: Tensor, bins: Tensor, neighbors: int, sigma: float) -> tuple[Tensor, Tensor]:
    count, _, height, width = ab.shape
    real = torch.float64 if ab.dtype == torch.float64 else torch.float32
    shape = (count, neighbors, height, width)
    return ab.new_empty(shape, dtype=torch.int64), ab.new_empty(shape, dtype=real)


if _library.REASON is None:
    register_fake("nirtrans::encode_ab", _fake_encoding)
