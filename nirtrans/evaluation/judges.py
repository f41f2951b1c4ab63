"""Metrics that two pictures are not enough for: they know training colours, a network's distribution, or a classifier.

A judge is asked about every prediction of every picture and answers with what it can tell.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.color.bins import BinSpec
from nirtrans.evaluation.baselines import Colours
from nirtrans.evaluation.chroma_baselines import true_chroma
from nirtrans.evaluation.metrics import TOP, auc_balanced
from nirtrans.evaluation.pairs import Pair
from nirtrans.evaluation.scoring import judged_area, rows

Judge = Callable[[str, Colours, Pair], dict[str, float]]
"""Takes the name of a model or baseline, its colours [3, H, W] and the pair; returns metrics by name."""
Ranking = Callable[[Pair], NDArray[np.int64]]
"""Takes a pair and returns the likeliest bins of each pixel, best first: [max(TOP), H, W] or [max(TOP), 1, 1]."""


def balanced(prior: Tensor) -> Judge:
    """Judge by `auc_balanced` with the prior [313] of the training part."""

    def judge(name: str, colours: Colours, pair: Pair) -> dict[str, float]:
        area = judged_area(name, colours, pair)
        return {"auc_balanced": auc_balanced(rows(colours), rows(pair.truth), area, prior=prior)}

    return judge


class BinAccuracy:
    """Judge how often the true bin is the likeliest, or among the five likeliest.

    The true bin of a pixel is the one nearest to its ab.

    Args:
        rankings: By the name of a model: the bins that it chooses from and how it ranks them.
        counts: Training pixels in each bin, by the name of the set: `prior-mode` ranks by them.
    """

    def __init__(self, rankings: Mapping[str, tuple[BinSpec, Ranking]], counts: Mapping[str, Tensor]) -> None:
        self.rankings = rankings
        specs = {spec.name: spec for spec, _ in rankings.values()}
        self._by_prior = [(spec, _most_frequent(counts[name])) for name, spec in specs.items()]

    def __call__(self, name: str, colours: Colours, pair: Pair) -> dict[str, float]:
        """See `Judge`."""
        if name in self.rankings:
            spec, rank = self.rankings[name]
            return accuracy(rank(pair), pair, spec)
        if name == "prior-mode":
            return {k: v for spec, bins in self._by_prior for k, v in accuracy(bins, pair, spec).items()}
        return {}


def accuracy(ranked: NDArray[np.int64], pair: Pair, spec: BinSpec) -> dict[str, float]:
    """Return the share of valid pixels whose true bin is among the first k of `ranked`, [max(TOP), H, W], by metric."""
    true = spec.nearest(torch.from_numpy(true_chroma(pair))[None])[0].numpy()
    hits = ranked == true
    held = np.ones(true.shape, dtype=bool) if pair.valid is None else pair.valid
    shares = {k: hits[:k].any(axis=0)[held] for k in TOP}
    return {f"acc@{k}_{spec.name}": float(hit.mean()) if hit.size else float("nan") for k, hit in shares.items()}


def _most_frequent(counts: Tensor) -> NDArray[np.int64]:
    return counts.topk(max(TOP)).indices.view(-1, 1, 1).numpy()
