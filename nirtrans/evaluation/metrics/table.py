"""The one list of metrics: what they are called, how they are read, and which are reported without being asked for."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from nirtrans.color.bins import AB313, AB529, AB625
from nirtrans.errors import UnknownNameError
from nirtrans.evaluation.metrics import bands, colour, fidelity, structure
from nirtrans.evaluation.metrics.planes import Mask, Picture, excluded, mask, pair
from nirtrans.registry import did_you_mean

Better = Literal["higher", "lower"]
Scope = Literal["default", "variant", "reflectance", "context"]
COLOURS = ("red", "green", "blue")
SPECS = (AB313, AB529, AB625)
TOP = (1, 5)
"""Guesses that accuracies allow."""


@dataclass(frozen=True)
class Metric:
    """One number of a pair.

    Attributes:
        function: Takes prediction, truth and mask; None if these are not enough to know it.
        title: As tables head it.
        unit: "" for plain numbers.
        digits: After the point, as far as tables show it.
        better: Direction; None for what tells about the pictures and judges nothing.
        scope: When it is computed: by default; only by request, as another convention for what a default metric says;
            where reflectance is known, in which it then takes both pictures; or where an evaluation knows more than the
            two pictures (`nirtrans.evaluation.judges`).
    """

    function: Callable[[Picture, Picture, Mask], float] | None
    title: str
    unit: str = ""
    digits: int = 3
    better: Better | None = "lower"
    scope: Scope = "default"

    @property
    def sign(self) -> int:
        """1 if higher is better, else -1."""
        return 1 if self.better == "higher" else -1


def _by_band(name: str, function: Callable[..., float], title: str, better: Better | None) -> dict[str, Metric]:
    """Return the metric once for each of red, green and blue."""
    return {
        f"{name}_{colour}": Metric(
            partial(function, band=band), f"{title} of {colour} reflectance", "", 4, better, scope="reflectance"
        )
        for band, colour in enumerate(COLOURS)
    }


def _of_context(title: str, digits: int) -> Metric:
    return Metric(None, title, "", digits, "higher", scope="context")


METRICS: dict[str, Metric] = {
    "psnr": Metric(fidelity.psnr, "PSNR", "dB", 2, "higher"),
    "ssim": Metric(structure.ssim, "SSIM", better="higher"),
    "ssim_y": Metric(structure.ssim_y, "SSIM of luma", better="higher"),
    "ae": Metric(colour.ae, "Angle", "deg", 2),
    "de2000": Metric(colour.de2000, "CIEDE2000", "", 2),
    "mae": Metric(fidelity.mae, "MAE", "", 4),
    "delta_cf": Metric(colour.delta_cf, "Colourfulness off by", "", 1),
    "psnr_u8": Metric(fidelity.psnr_u8, "PSNR of 8 bit", "dB", 2, "higher"),
    "psnr_y": Metric(fidelity.psnr_y, "PSNR of luma", "dB", 2, "higher"),
    "ssim_u7": Metric(structure.ssim_u7, "SSIM, uniform 7 x 7", better="higher"),
    "ms_ssim": Metric(structure.ms_ssim, "MS-SSIM", better="higher"),
    "mse": Metric(fidelity.mse, "MSE", "", 5),
    "rmse_ab": Metric(colour.rmse_ab, "RMSE of ab", "CIE", 2),
    "de2000_p95": Metric(colour.de2000_p95, "CIEDE2000, 95 %", "", 2),
    "auc": Metric(colour.auc, "AuC of ab", "", 4, "higher"),
    "colourfulness": Metric(colour.shown_colourfulness, "Colourfulness", "", 1, better=None),
    "ae_excluded": Metric(colour.ae_excluded, "Too dark for an angle", "", 4, better=None),
    "excluded": Metric(excluded, "Pixels without data", "", 4, better=None),
    "ssim_u8": Metric(structure.ssim_u8, "SSIM of 8 bit", better="higher", scope="variant"),
    "ssim_vcip": Metric(structure.ssim_vcip, "SSIM as VCIP 2020", better="higher", scope="variant"),
    "ae_vcip": Metric(colour.ae_vcip, "Angle as VCIP 2020", "deg", 2, scope="variant"),
    "cos_rows": Metric(fidelity.cos_rows, "Cosine of rows", better="higher", scope="variant"),
    "cos_pixel": Metric(colour.cos_pixel, "Cosine of colours", "", 4, "higher", scope="variant"),
    "delta_cf_abs": Metric(colour.delta_cf_abs, "Absolute colourfulness off by", "", 1, scope="variant"),
    "auc_mean151": Metric(colour.auc_mean151, "AuC of ab, plain mean", "", 4, "higher", scope="variant"),
    "rmse_refl": Metric(bands.rmse_refl, "RMSE of reflectance", "", 4, scope="reflectance"),
    "mae_refl": Metric(bands.mae_refl, "MAE of reflectance", "", 4, scope="reflectance"),
    "bias_refl": Metric(bands.bias_refl, "Bias of reflectance", "", 4, None, scope="reflectance"),
    "sam": Metric(bands.sam, "Spectral angle", "deg", 2, scope="reflectance"),
    "ergas": Metric(bands.ergas, "ERGAS", "%", 1, scope="reflectance"),
    **_by_band("rmse_refl", bands.rmse_refl, "RMSE", "lower"),
    **_by_band("mae_refl", bands.mae_refl, "MAE", "lower"),
    **_by_band("bias_refl", bands.bias_refl, "Bias", None),
    "auc_balanced": _of_context("AuC balanced", 4),
    **{f"acc@{k}_{spec.name}": _of_context(f"acc@{k} of {len(spec)} bins", 3) for spec in SPECS for k in TOP},
    **{f"top{k}": _of_context(f"Classifier top-{k}", 3) for k in TOP},
}
DEFAULT = tuple(name for name, metric in METRICS.items() if metric.scope == "default")
"""Names of the metrics that are computed unless others are asked for."""
VARIANTS = tuple(name for name, metric in METRICS.items() if metric.scope == "variant")
"""Names of the metrics that are computed only by request."""
REFLECTANCE = tuple(name for name, metric in METRICS.items() if metric.scope == "reflectance")
"""Names of the metrics that take reflectance."""
CONTEXT = tuple(name for name, metric in METRICS.items() if metric.scope == "context")
"""Names of the metrics that two pictures are not enough for."""
PAIRWISE = tuple(name for name in METRICS if name not in CONTEXT)
"""Names of the metrics that `score` knows."""


def find_variants(names: Collection[str]) -> tuple[str, ...]:
    """Return those of the names that are not computed anyway.

    Raises:
        UnknownNameError: If a name is no metric; proposes the nearest.
    """
    for name in names:
        if name not in PAIRWISE:
            raise UnknownNameError(f"unknown metric {name!r}{did_you_mean(name, list(PAIRWISE))}")
    return tuple(name for name in VARIANTS if name in names)


def score(
    prediction: Picture, truth: Picture, valid: Mask = None, *, names: Iterable[str] = DEFAULT
) -> dict[str, float]:
    """Return metrics of one pair by name.

    Args:
        prediction: In [0, 1], or in reflectance for `REFLECTANCE`.
        truth: As prediction.
        valid: False where a pixel must leave every sum.
        names: Of `PAIRWISE`.

    Raises:
        ValueError: If the pictures differ in shape or are no floats, or a metric needs more than them.
    """
    a, b = pair(prediction, truth)
    held = mask(valid, a)
    return {name: _function(name)(a, b, held) for name in names}


def _function(name: str) -> Callable[[Picture, Picture, Mask], float]:
    function = METRICS[name].function
    if function is None:
        raise ValueError(f"{name} needs more than two pictures; `nirtrans evaluate` computes it where it can")
    return function
