"""How a generated picture is held to the true one: the terms that a model may mix, with one set of weights."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field
from torch import Tensor

from nirtrans.color.ranges import to_unit
from nirtrans.config import Settings
from nirtrans.losses.alignment import blur_l1, shift_min_l1
from nirtrans.losses.color import angular_loss, histogram_loss
from nirtrans.losses.indices import ndvi_loss
from nirtrans.losses.masked import masked_l1, masked_mse
from nirtrans.losses.structural import ms_ssim_loss, sobel_loss, ssim_loss

Weight = Annotated[float, Field(ge=0)]
UNPAIRED = ("histogram",)  # terms that compare no pixel with another


class Fidelity(Settings):
    """Weights of the terms that hold a generated picture to the true one; 0 leaves a term out."""

    l1: Weight = 0.0
    """Mean absolute difference, colours in [-1, 1]."""
    mse: Weight = 0.0
    """Mean squared difference, colours in [-1, 1]."""
    blur_l1: Weight = 0.0
    """L1 after a Gaussian blur, for pairs that do not quite lie on each other."""
    blur_px: Annotated[float, Field(ge=0, le=64)] = 2.0
    """Its standard deviation."""
    shift_l1: Weight = 0.0
    """L1 at the best shift of the truth, for the same pairs."""
    shift_px: Annotated[int, Field(ge=0, le=8)] = 2
    """Largest shift that it tries, in rows and in columns."""
    shift_block_px: Annotated[int, Field(ge=0, le=4096)] = 0
    """Side of the blocks that choose a shift each; 0: the picture chooses one."""
    ssim: Weight = 0.0
    """1 - SSIM."""
    ms_ssim: Weight = 0.0
    """1 - MS-SSIM, with as many of its five levels as the crops hold."""
    sobel: Weight = 0.0
    """Mean absolute difference of the Sobel derivatives, colours in [-1, 1] per pixel."""
    angular: Weight = 0.0
    """Angle between generated and true colour in radians."""
    histogram: Weight = 0.0
    """Distance of the distributions of L, a and b; the only term for batches that are not aligned."""
    ndvi: Weight = 0.0
    """Mean absolute difference of the vegetation index; for rasters whose bands share a unit."""


def fidelity_terms(
    settings: Fidelity,
    fake: Tensor,
    real: Tensor,
    *,
    source: Tensor | None = None,
    valid: Tensor | None = None,
    paired: bool = True,
) -> dict[str, Tensor]:
    """Return the terms whose weight is not 0, weighted, by the names of their weights.

    Args:
        settings: Weights.
        fake: Generated, [N, 3, H, W], [-1, 1].
        real: True, [N, 3, H, W], [-1, 1].
        source: [N, C, H, W], [-1, 1], near infrared first; for ndvi alone.
        valid: [N, 1, H, W], bool; None means everywhere. What stands elsewhere has no influence and no gradient.
        paired: Whether fake and real show the same place; if not, only the histogram is compared.

    Raises:
        InputError: If pictures are smaller than the window of SSIM.
    """
    weights = {name: getattr(settings, name) for name in _TERMS if paired or name in UNPAIRED}
    return {
        name: weight * _TERMS[name](settings, fake, real, source, valid) for name, weight in weights.items() if weight
    }


def paired_terms(settings: Fidelity) -> list[str]:
    """Return the names of the terms that have a weight and take part in aligned batches alone."""
    return [name for name in _TERMS if name not in UNPAIRED and getattr(settings, name)]


def _ndvi(_: Fidelity, fake: Tensor, real: Tensor, source: Tensor | None, valid: Tensor | None) -> Tensor:
    if source is None:
        raise ValueError("fidelity_terms: expected the source for ndvi, got None; pass source=")
    return ndvi_loss(to_unit(fake), to_unit(real), to_unit(source), valid)


Term = Callable[[Fidelity, Tensor, Tensor, Tensor | None, Tensor | None], Tensor]


def _signed(loss: Callable[..., Tensor], **options: str) -> Term:
    """Compare in [-1, 1], as the papers weigh it; options map arguments of the loss to settings."""

    def term(settings: Fidelity, fake: Tensor, real: Tensor, _: Tensor | None, valid: Tensor | None) -> Tensor:
        return loss(fake, real, valid, **{name: getattr(settings, key) for name, key in options.items()})

    return term


def _unit(loss: Callable[..., Tensor]) -> Term:
    """Compare in [0, 1]."""

    def term(_: Fidelity, fake: Tensor, real: Tensor, __: Tensor | None, valid: Tensor | None) -> Tensor:
        return loss(to_unit(fake), to_unit(real), valid)

    return term


_TERMS: dict[str, Term] = {
    "l1": _signed(masked_l1),
    "mse": _signed(masked_mse),
    "blur_l1": _signed(blur_l1, sigma_px="blur_px"),
    "shift_l1": _signed(shift_min_l1, radius_px="shift_px", block_px="shift_block_px"),
    "ssim": _unit(ssim_loss),
    "ms_ssim": _unit(ms_ssim_loss),
    "sobel": _signed(sobel_loss),
    "angular": _unit(angular_loss),
    "histogram": _unit(histogram_loss),
    "ndvi": _ndvi,
}
