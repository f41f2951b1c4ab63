"""How colours differ: angles between them, distances in Lab, and colourfulness."""

import torch
from torch import Tensor

from nirtrans.evaluation.metrics.lab_difference import ciede2000
from nirtrans.evaluation.metrics.planes import Mask, Picture, mask, mean, pair, planes, quantile
from nirtrans.kernels import ab_bins, encode_ab, rgb_to_lab

DARKEST = 1 / 255  # shorter RGB vectors have no direction worth measuring
AUC_TOP = 150
"""Largest threshold of `auc` in ab, CIE units."""


def ae(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean angular error in degrees between RGB vectors; lower is better.

    Pixels whose vector is not longer than 1/255 in either picture are left out (`ae_excluded` says how many). Where
    that leaves none, equal pictures score 0 and others NaN.
    """
    a, b = pair(prediction, truth)
    held = mask(valid, a)
    if held.any() and torch.equal(a[:, held], b[:, held]):
        return 0.0
    return mean(_angles(a, b), held & _bright(a, b))


def ae_excluded(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the share of valid pixels that `ae` leaves out as too dark."""
    a, b = pair(prediction, truth)
    return mean((~_bright(a, b)).to(a.dtype), mask(valid, a))


def angle_map(prediction: Picture, truth: Picture) -> Tensor:
    """Return the angle of each pixel in degrees, [H, W]; NaN where `ae` leaves it out."""
    a, b = pair(prediction, truth)
    return torch.where(_bright(a, b), _angles(a, b), torch.nan)


def ae_vcip(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the angle by arccos(a.b / (|a||b| + 1e-6)) in float32 over all valid pixels, as VCIP 2020 was scored.

    For comparison with its papers only: the summand turns identical dark greys by up to 90 degrees.
    """
    a, b = (picture.float() for picture in pair(prediction, truth))
    cosine = (a * b).sum(dim=0) / (_length(a) * _length(b) + 1e-6)
    return mean(torch.rad2deg(torch.arccos(cosine.clamp(-1, 1))).double(), mask(valid, a))


def cos_pixel(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean cosine of the angle that `ae` measures, over the same pixels."""
    a, b = pair(prediction, truth)
    return mean(torch.cos(torch.deg2rad(_angles(a, b))), mask(valid, a) & _bright(a, b))


def rmse_ab(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the root of the mean squared distance in ab, CIE units."""
    a, b = pair(prediction, truth)
    return mean(_ab_distance(a, b) ** 2, mask(valid, a)) ** 0.5


def auc(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the area under the share of pixels within t of the true ab, t from 0 to 150, by the trapezoid rule.

    Source: Zhang, Isola, Efros 2016, section 3.1 (raw accuracy), here from 0 to 1.
    """
    shares = _shares_within(prediction, truth, valid)
    return (torch.trapezoid(shares) / AUC_TOP).item()


def auc_mean151(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the plain mean of the 151 shares that `auc` integrates; about 0.0025 off."""
    return _shares_within(prediction, truth, valid).mean().item()


def auc_balanced(prediction: Picture, truth: Picture, valid: Mask = None, *, prior: Tensor) -> float:
    """Return `auc` with each pixel weighted by 1 / prior of the bin of its true ab, so that rare colours count as much.

    Args:
        prediction: [3, H, W] in [0, 1].
        truth: As prediction.
        valid: [H, W].
        prior: Share of each of the 313 bins of `nirtrans.kernels.ab_bins`, all above 0.

    Raises:
        ValueError: If the prior is not 313 numbers above 0.

    Source: Zhang, Isola, Efros 2016, section 3.1 (class-balanced accuracy).
    """
    if prior.shape != ab_bins().shape[:1] or not bool((prior > 0).all()):
        raise ValueError(f"expected the shares of 313 bins, all above 0, got {tuple(prior.shape)}; smooth the prior")
    _, b = pair(prediction, truth)
    bins, _ = encode_ab(rgb_to_lab(b)[None, 1:], neighbors=1)
    shares = _shares_within(prediction, truth, valid, weights=1 / prior.double()[bins[0, 0]])
    return (torch.trapezoid(shares) / AUC_TOP).item()


def de2000(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the mean CIEDE2000 difference; about 1 is just visible. See `ciede2000`."""
    a, b = pair(prediction, truth)
    return mean(ciede2000(rgb_to_lab(a), rgb_to_lab(b)), mask(valid, a))


def de2000_p95(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the CIEDE2000 difference that 95 % of the pixels stay below."""
    a, b = pair(prediction, truth)
    return quantile(ciede2000(rgb_to_lab(a), rgb_to_lab(b)), mask(valid, a), 0.95)


def colourfulness(picture: Picture, valid: Mask = None) -> float:
    """Return the colourfulness M3 of Hasler and Suesstrunk 2003, on values 0..255; 0 for greys."""
    return _spread_and_shift(_opponents(picture, valid))


def shown_colourfulness(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the `colourfulness` of the prediction alone; the truth gives the shape."""
    a, _ = pair(prediction, truth)
    return colourfulness(a, valid)


def colourfulness_abs(picture: Picture, valid: Mask = None) -> float:
    """Return `colourfulness` with absolute opponents, as some published code has it: another quantity."""
    return _spread_and_shift(_opponents(picture, valid).abs())


def delta_cf(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the absolute difference in colourfulness."""
    return abs(colourfulness(prediction, valid) - colourfulness(truth, valid))


def delta_cf_abs(prediction: Picture, truth: Picture, valid: Mask = None) -> float:
    """Return the absolute difference in `colourfulness_abs`."""
    return abs(colourfulness_abs(prediction, valid) - colourfulness_abs(truth, valid))


def _angles(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle between RGB vectors in degrees, [H, W]; atan2 stays exact near 0 where arccos does not."""
    return torch.rad2deg(torch.atan2(_length(_cross(a, b)), (a * b).sum(dim=0)))


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """Return a x b of [3, H, W], plane by plane: several times faster than torch.linalg.cross over the first axis."""
    (red, green, blue), (other_red, other_green, other_blue) = a, b
    return torch.stack(
        [
            green * other_blue - blue * other_green,
            blue * other_red - red * other_blue,
            red * other_green - green * other_red,
        ]
    )


def _length(vectors: Tensor) -> Tensor:
    """Return the length of [C, H, W] along the first axis, where torch.norm is slow."""
    return (vectors * vectors).sum(dim=0).sqrt()


def _bright(a: Tensor, b: Tensor) -> Tensor:
    return ~((_length(a) <= DARKEST) | (_length(b) <= DARKEST))  # NaN is not dark but wrong


def _ab_distance(a: Tensor, b: Tensor) -> Tensor:
    """Return the distance in ab between sRGB pictures, [H, W], CIE units."""
    return _length(rgb_to_lab(a)[1:] - rgb_to_lab(b)[1:])


def _shares_within(prediction: Picture, truth: Picture, valid: Mask, weights: Tensor | None = None) -> Tensor:
    """Return the share of valid pixels whose ab is within 0, 1, ..., 150 of the truth, [151]; NaN if there are none.

    Args:
        prediction: [3, H, W].
        truth: [3, H, W].
        valid: [H, W].
        weights: How much a pixel counts, [H, W]; all the same if None.
    """
    a, b = pair(prediction, truth)
    held = mask(valid, a)
    distance = _ab_distance(a, b)[held]
    if distance.isnan().any():
        return torch.full((AUC_TOP + 1,), torch.nan, dtype=torch.float64)
    first = distance.ceil().clamp(max=AUC_TOP + 1).long()  # the first threshold that a pixel stays within
    counted = torch.ones_like(distance) if weights is None else weights[held]
    sums = torch.bincount(first, counted, minlength=AUC_TOP + 2)[: AUC_TOP + 1].cumsum(dim=0)
    return sums / counted.sum()


def _opponents(picture: Picture, valid: Mask) -> Tensor:
    """Return R - G and (R + G) / 2 - B of the valid pixels, [2, n], on values 0..255."""
    values = planes(picture)
    red, green, blue = 255 * values[:, mask(valid, values)]
    return torch.stack([red - green, (red + green) / 2 - blue])


def _spread_and_shift(opponents: Tensor) -> float:
    """Return the spread about the mean plus 0.3 times the mean's distance from grey."""
    middle = opponents.mean(dim=1, keepdim=True)
    spread = ((opponents - middle) ** 2).mean(dim=1).sqrt()
    return (spread.norm() + 0.3 * middle.norm()).item()
