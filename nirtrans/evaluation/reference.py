"""What an evaluation knows beside the pictures that it judges: the colours of the training part, and what follows.

A bin that no training pixel falls into counts as if one had: without that a single pixel of such a colour would
outweigh a picture in `auc_balanced`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nirtrans.color.bins import AB313, BinSpec
from nirtrans.color.prior import count_bins, smooth_prior
from nirtrans.evaluation.baselines import (
    COPIES,
    ORACLES,
    Colours,
    Palette,
    PaletteSums,
    Predictor,
    grey_palette,
    source_copy,
)
from nirtrans.evaluation.chroma_baselines import CHROMA_ORACLES, GREY, ChromaBaselines, true_chroma
from nirtrans.evaluation.pairs import Pair

TRUTH = "truth"
ORACLE_NAMES = frozenset({*ORACLES, *CHROMA_ORACLES, TRUTH})
"""Whatever looks at the truth, in any domain."""


@dataclass(frozen=True)
class Reference:
    """What the training part says.

    Attributes:
        domain: What is colorized: nir, gray or lineart.
        palette: Mean colour by source level and overall: RGB, for gray ab in CIE units.
        counts: Training pixels in each bin, by the name of the set of bins; empty for near infrared.
    """

    domain: str
    palette: Palette
    counts: Mapping[str, Tensor]

    @property
    def prior(self) -> Tensor | None:
        """Share of each of the 313 bins, [313], all above 0; None for near infrared."""
        counts = self.counts.get(AB313.name)
        return None if counts is None else smooth_prior(counts + 1)

    def predictors(self, *, truth: bool = False) -> dict[str, Predictor]:
        """Return the predictions that a report shows beside models; the `truth` too if it is asked for."""
        copied: dict[str, Predictor] = {COPIES[self.domain]: source_copy}
        told: dict[str, Predictor] = {TRUTH: _show_truth} if truth else {}
        if self.domain == "gray" and self.prior is not None:
            return {**copied, **ChromaBaselines(self.palette, self.prior).predictors(), **CHROMA_ORACLES, **told}
        return {**copied, "lut": self.palette.lut, "mean-colour": self.palette.mean_colour, **ORACLES, **told}


def learn_reference(domain: str, pairs: Iterable[Pair], *, specs: Iterable[BinSpec] = ()) -> Reference:
    """Look at training pairs once.

    Args:
        domain: What is colorized.
        pairs: The training part; without any the palette is grey and all bins are equally frequent.
        specs: Bins to count beside the 313.
    """
    keeps_lightness, counted = domain == "gray", domain != "nir"
    sums = PaletteSums(2 if keeps_lightness else 3)
    wanted = {spec.name: spec for spec in (AB313, *specs)} if counted else {}
    counts = {name: torch.zeros(len(spec), dtype=torch.float64) for name, spec in wanted.items()}
    for pair in pairs:
        ab = true_chroma(pair) if counted else None
        sums.add(pair, ab if ab is not None and keeps_lightness else pair.truth)
        for name, spec in wanted.items():
            counts[name] += _count(ab, pair, spec)
    return Reference(domain, sums.palette(nothing=GREY if keeps_lightness else grey_palette()), counts)


def _count(ab: Colours | None, pair: Pair, spec: BinSpec) -> Tensor:
    valid = None if pair.valid is None else torch.from_numpy(pair.valid)[None, None]
    return count_bins(torch.from_numpy(ab)[None], spec=spec, valid=valid)


def _show_truth(pair: Pair) -> Colours:
    return pair.truth
