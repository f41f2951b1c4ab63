"""Predictions for gray pictures that anyone could make: their lightness, and chroma that no network found."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.color.bins import AB313
from nirtrans.color.chroma import chroma, with_chroma
from nirtrans.evaluation.baselines import ENTRIES, Colours, Palette, Predictor
from nirtrans.evaluation.pairs import Pair

GREY = Palette(np.zeros((2, ENTRIES), np.float32), np.zeros(2, np.float32))
"""Palette of ab, CIE units, that knows no colour."""


def true_chroma(pair: Pair) -> NDArray[np.float32]:
    """Return a and b of the truth, [2, H, W] in CIE units, 0 where a pixel has no data."""
    truth = torch.from_numpy(np.nan_to_num(pair.truth))[None]
    return chroma(truth)[0].numpy()


def coloured(pair: Pair, ab: NDArray[np.float32]) -> Colours:
    """Show the source in the chroma `ab`, [2, H, W] or [2, 1, 1] in CIE units."""
    source = torch.from_numpy(np.nan_to_num(pair.source.pixels))[None]
    spread = torch.from_numpy(np.array(np.broadcast_to(ab, (2, *pair.truth.shape[1:])), dtype=np.float32))[None]
    return with_chroma(source, spread)[0].numpy()


@dataclass(frozen=True)
class ChromaBaselines:
    """What training pictures say of the chroma of others.

    Attributes:
        palette: Mean ab by source level and overall, CIE units.
        prior: Share of each of the 313 bins, [313].
    """

    palette: Palette
    prior: Tensor

    def lut(self, pair: Pair) -> Colours:
        """Look chroma up by the level of the source."""
        return coloured(pair, self.palette.lut(pair))

    def mean_colour(self, pair: Pair) -> Colours:
        """Show the mean chroma everywhere."""
        return coloured(pair, self.palette.mean_colour(pair))

    def prior_mode(self, pair: Pair) -> Colours:
        """Show the most frequent bin everywhere."""
        return coloured(pair, AB313.centres[self.prior.argmax()].view(2, 1, 1).numpy())

    def predictors(self) -> dict[str, Predictor]:
        """Return the predictions by name."""
        return {"lut": self.lut, "mean-colour": self.mean_colour, "prior-mode": self.prior_mode}


def oracle_chroma(pair: Pair) -> Colours:
    """Show the true chroma at the lightness of the source: the most that a system that keeps lightness can reach."""
    return coloured(pair, true_chroma(pair))


def oracle_mean_chroma(pair: Pair) -> Colours:
    """Show the true mean chroma of this picture everywhere."""
    ab = true_chroma(pair)
    held = ab.reshape(2, -1) if pair.valid is None else ab[:, pair.valid]
    mean = held.mean(axis=1) if held.size else np.zeros(2, dtype=np.float32)
    return coloured(pair, mean[:, None, None])


CHROMA_ORACLES: dict[str, Predictor] = {"oracle-chroma": oracle_chroma, "oracle-mean": oracle_mean_chroma}
"""As `nirtrans.evaluation.baselines.ORACLES`, for sources whose lightness stays."""
