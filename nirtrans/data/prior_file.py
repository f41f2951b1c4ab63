"""The colour prior in a file: how often each of the 313 ab bins occurs in a set of pictures."""

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from nirtrans import __version__
from nirtrans.color.bins import AB313
from nirtrans.config import Settings
from nirtrans.config_files import MAX_BYTES, validate
from nirtrans.errors import DataError, UserError
from nirtrans.io.atomic import write_text

TOLERANCE = 1e-6
"""Of the sum of frequencies."""
Count = Annotated[int, Field(ge=0)]


class Prior(Settings):
    """What a prior file holds, one entry of `bins`, `frequencies` and `counts` per bin."""

    format: Literal[1] = 1
    """Version of the file."""
    bins: tuple[tuple[float, float], ...]
    """a and b, CIE units."""
    frequencies: tuple[float, ...]
    """Shares of the pixels, smoothed; sum 1."""
    counts: tuple[Count, ...]
    """Pixels nearest to each bin."""
    smoothing: Annotated[float, Field(ge=0)]
    """Width of the Gaussian over the ab plane, CIE units."""
    pictures: Count
    """How many were counted."""
    source: str
    """What was counted."""
    version: str = __version__
    """Version of nirtrans that wrote the file."""

    def tensor(self) -> Tensor:
        """Return the frequencies, [313], float64."""
        return torch.tensor(self.frequencies, dtype=torch.float64)


def write_prior(path: Path, prior: Prior) -> None:
    """Write a prior as JSON, atomically.

    Raises:
        InputError: If the target cannot be written.
        IOFailure: If writing breaks off.
    """
    write_text(path, json.dumps(prior.model_dump(mode="json")) + "\n")


def read_prior(path: Path) -> Prior:
    """Read a prior.

    Raises:
        DataError: If the file is absent, no prior, of other bins, or its frequencies are no distribution.
    """
    try:
        prior = validate(Prior, _read_json(path), origin=str(path))
    except UserError as error:
        raise DataError(f"{error}; write a prior with `nirtrans data prior DIR --out FILE`") from None
    for name in ("frequencies", "bins", "counts"):
        if len(getattr(prior, name)) != len(AB313):
            raise DataError(f"{path}: expected {len(AB313)} {name}, one per ab bin, got {len(getattr(prior, name))}")
    if not torch.equal(torch.tensor(prior.bins), AB313.centres):
        raise DataError(
            f"{path}: its bins are not the {len(AB313)} of nirtrans in their order; count the pictures again"
        )
    if min(prior.frequencies) < 0:
        raise DataError(f"{path}: expected frequencies that are not negative, got {min(prior.frequencies):g}")
    total = math.fsum(prior.frequencies)
    if abs(total - 1) > TOLERANCE:
        raise DataError(f"{path}: expected frequencies that sum to 1, got {total:.9g}; divide them by their sum")
    return prior


def _read_json(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        content = json.loads(path.read_text(encoding="utf-8")) if size <= MAX_BYTES else None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise DataError(f"{path}: no JSON text") from None
    if size > MAX_BYTES:
        raise DataError(f"{path}: expected at most 1 MB, got {size / 1e6:.1f} MB")
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a mapping, got a {type(content).__name__}")
    return content
