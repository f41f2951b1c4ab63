"""The numbers of one prediction: as a picture, and in reflectance where the truth has it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import DataError
from nirtrans.evaluation.baselines import Colours, common_area
from nirtrans.evaluation.metrics import DEFAULT, REFLECTANCE, score
from nirtrans.evaluation.pairs import Pair
from nirtrans.evaluation.reference import ORACLE_NAMES


def score_pair(name: str, colours: Colours, pair: Pair, *, variants: Sequence[str] = ()) -> dict[str, float]:
    """Score what a model or baseline shows for a pair.

    Args:
        name: Oracles may leave a border open, which then does not count.
        colours: [3, H, W] in [0, 1].
        pair: Source and truth.
        variants: Metrics beside the default ones, of `VARIANTS`.

    Raises:
        DataError: If the truth does not have three channels of the size of the colours.
    """
    if pair.truth.shape[0] != 3 or pair.truth.shape[1:] != colours.shape[1:]:
        raise DataError(f"{pair.id}: truth {pair.truth.shape} does not fit the source {colours.shape}")
    valid = judged_area(name, colours, pair)
    found = score(rows(colours), rows(pair.truth), valid, names=(*DEFAULT, *variants))
    if pair.stretch is None:
        return found
    values, truth = (pair.stretch.to_physical(shown) for shown in (colours, pair.truth))
    if values is None or truth is None:
        return found
    return found | score(rows(values), rows(truth), valid, names=REFLECTANCE)


def judged_area(name: str, colours: Colours, pair: Pair) -> NDArray[np.bool_] | None:
    """Return the pixels [H, W] that count, None for all: the valid ones, of an oracle those that it shows."""
    return common_area(colours, pair) if name in ORACLE_NAMES else pair.valid


def rows(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn [C, H, W] into [H, W, C]."""
    return np.moveaxis(channels, 0, -1)
