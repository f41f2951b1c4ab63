"""Encoding colours by their nearest bins, beside search trees and all distances in torch."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from nirtrans.bench.case import Case, Setting, absent, calls, farthest, installed, with_compiled
from nirtrans.bench.timing import Contestant
from nirtrans.kernels import ab_bins, encode_ab, reference

NEIGHBORS = 5
SIGMA = 5.0
NEAR_TIE = 1e-3
PEERS = {"scikit-learn": "sklearn"}


def encoding(ab: Tensor, setting: Setting) -> Case:
    """Make the case of `encode_ab`."""
    bins = ab_bins().to(setting.device)
    # One image at a time: the reference keeps the distances to all bins.
    images = [reference.encode_ab(image.double(), bins=bins) for image in ab.split(1)]
    expected_index, expected_weight = (torch.cat(parts) for parts in zip(*images, strict=True))
    squares = _squares(ab, bins, expected_index)

    def deviation(result: tuple[Tensor, Tensor]) -> float:
        index, weight = result
        if not farthest(_squares(ab, bins, index), squares) < NEAR_TIE:
            return float("inf")
        return farthest(weight, expected_weight)

    distances = with_compiled({"cdist and topk": lambda ab: encode_by_distances(ab, bins)}, setting.compiled)
    on_cpu = setting.device == "cpu"
    return Case(
        operation="encode_ab, 5 neighbours",
        shape=tuple(ab.shape),
        dtype="float32",
        contestants=calls({"nirtrans": encode_ab} | distances, ab) + (_trees(ab) if on_cpu else []),
        deviation=deviation,
        gate=1e-6,
        unit="weight",
        moved_bytes=ab.nbytes + ab[:, 0].numel() * 5 * (8 + 4),
        device=setting.device,
        absent=absent(PEERS) if on_cpu else [],
    )


def _squares(ab: Tensor, bins: Tensor, index: Tensor) -> Tensor:
    """Return the squared distances to the chosen bins, [N, K, H, W], in float64: near-ties may change places."""
    chosen = bins.double()[index]  # [N, K, H, W, 2]
    return (chosen - ab.double().movedim(1, -1).unsqueeze(1)).square().sum(-1)


def _trees(ab: Tensor) -> list[Contestant]:
    if not installed("sklearn"):
        return []
    from sklearn.neighbors import NearestNeighbors

    n, _, h, w = ab.shape
    points = ab.movedim(1, -1).reshape(-1, 2).numpy()

    def encoder(algorithm: str) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
        tree = NearestNeighbors(n_neighbors=5, algorithm=algorithm).fit(ab_bins().numpy())

        def encode() -> tuple[np.ndarray, np.ndarray]:
            distance, index = tree.set_params(n_jobs=torch.get_num_threads()).kneighbors(points)
            weight = np.exp(-(distance**2) / (2 * SIGMA**2))
            return index, weight / weight.sum(axis=1, keepdims=True)

        return encode

    def planes(result: tuple[np.ndarray, np.ndarray]) -> tuple[Tensor, Tensor]:
        index, weight = (torch.from_numpy(array).view(n, h, w, 5).movedim(-1, 1) for array in result)
        return index, weight

    return [
        Contestant(f"scikit-learn {algorithm.replace('_', ' ')}", encoder(algorithm), planes)
        for algorithm in ("ball_tree", "kd_tree")
    ]


def encode_by_distances(ab: Tensor, bins: Tensor) -> tuple[Tensor, Tensor]:
    """Encode with all distances and topk: indices and weights, [N, K, H, W]."""
    square, index = torch.cdist(ab.movedim(1, -1).reshape(-1, 2), bins).square().topk(NEIGHBORS, largest=False)
    weight = torch.softmax(-square / (2 * SIGMA**2), dim=-1)
    n, _, h, w = ab.shape
    return index.view(n, h, w, -1).movedim(-1, 1), weight.view(n, h, w, -1).movedim(-1, 1)
