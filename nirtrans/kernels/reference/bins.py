"""Soft encoding by bins in plain torch, by comparing every colour with every bin."""

import torch
from torch import Tensor

CHUNK_PX = 16384


def encode_ab(ab: Tensor, *, bins: Tensor, neighbors: int = 5, sigma: float = 5.0) -> tuple[Tensor, Tensor]:
    """Encode colours as their nearest bins; see `nirtrans.kernels.encode_ab`.

    Args:
        ab: a and b in CIE units, (N, 2, H, W).
        bins: (Q, 2).
        neighbors: K, 1 to Q.
        sigma: Width of the Gaussian in units of ab.

    Returns:
        Bin numbers (N, K, H, W), int64, and weights (N, K, H, W), float32 or float64.
    """
    colors = ab.detach().movedim(1, -1)
    real = torch.float64 if ab.dtype == torch.float64 else torch.float32
    flat, table = colors.reshape(-1, 2).to(real), bins.to(ab.device, real)
    parts = [_nearest(chunk, table, neighbors) for chunk in flat.split(CHUNK_PX)]
    distance, index = (torch.cat(part) for part in zip(*parts, strict=True))
    weight = torch.exp((distance[:, :1] - distance) / (2 * sigma**2))
    weight = weight / weight.sum(dim=1, keepdim=True)
    shape = (*colors.shape[:-1], neighbors)
    return index.reshape(shape).movedim(-1, 1).contiguous(), weight.reshape(shape).movedim(-1, 1).contiguous()


def class_weights(prior: Tensor, *, mix: float = 0.5) -> Tensor:
    """Turn the frequencies of bins into weights; see `nirtrans.kernels.class_weights`.

    Args:
        prior: Frequency of each bin, (Q,), with sum 1.
        mix: Share of the uniform distribution, 0 to 1.

    Returns:
        Weights, (Q,).
    """
    exact = prior.double()
    occurs = exact > 0
    mixed = (1 - mix) * exact + mix * occurs / occurs.sum()
    weight = 1 / torch.where(occurs, mixed, 1.0)
    weight = weight / (exact * weight).sum()
    result = torch.where(occurs, weight, 1.0)
    return result.to(prior.dtype if prior.dtype in (torch.float32, torch.float64) else torch.float32)


def _nearest(colors: Tensor, table: Tensor, neighbors: int) -> tuple[Tensor, Tensor]:
    """Squared distances and numbers of the nearest bins, [P, K]; the stable sort breaks ties by number."""
    distance = (colors[:, None] - table).square().sum(dim=-1)
    # NaN sorts last already, but must not disturb the order of the numbers.
    order = distance.nan_to_num(nan=torch.inf, posinf=torch.inf)
    index = order.sort(dim=1, stable=True).indices[:, :neighbors]
    return order.gather(1, index), index
