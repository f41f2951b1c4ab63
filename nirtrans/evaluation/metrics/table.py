"""The one list of metrics: what they are called, how they are read, and which are reported without being asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from nirtrans.evaluation.metrics import colour, fidelity, structure
from nirtrans.evaluation.metrics.planes import Mask, Picture, excluded, mask, pair

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """One number of a pair.

    Attributes:
        function: Takes prediction, truth and mask.
        title: As tables head it.
        unit: "" for plain numbers.
        digits: After the point, as far as tables show it.
        better: Direction; None for what tells about the pictures and judges nothing.
        headline: Whether the report's table has a column for it.
        variant: Computed only by request: another convention for what a metric of the default set says.
    """

    function: Callable[[Picture, Picture, Mask], float]
    title: str
    unit: str = ""
    digits: int = 3
    better: Better | None = "lower"
    headline: bool = False
    variant: bool = False

    @property
    def sign(self) -> int:
        """1 if higher is better, else -1."""
        return 1 if self.better == "higher" else -1


METRICS: dict[str, Metric] = {
    "psnr": Metric(fidelity.psnr, "PSNR", "dB", 2, "higher", headline=True),
    "ssim": Metric(structure.ssim, "SSIM", better="higher", headline=True),
    "ssim_y": Metric(structure.ssim_y, "SSIM of luma", better="higher", headline=True),
    "ae": Metric(colour.ae, "Angle", "deg", 2, headline=True),
    "de2000": Metric(colour.de2000, "CIEDE2000", "", 2, headline=True),
    "mae": Metric(fidelity.mae, "MAE", "", 4, headline=True),
    "delta_cf": Metric(colour.delta_cf, "Colourfulness off by", "", 1, headline=True),
    "psnr_u8": Metric(fidelity.psnr_u8, "PSNR of 8 bit", "dB", 2, "higher"),
    "psnr_y": Metric(fidelity.psnr_y, "PSNR of luma", "dB", 2, "higher"),
    "ssim_u7": Metric(structure.ssim_u7, "SSIM, uniform 7 x 7", better="higher"),
    "ms_ssim": Metric(structure.ms_ssim, "MS-SSIM", better="higher"),
    "mse": Metric(fidelity.mse, "MSE", "", 5),
    "rmse_ab": Metric(colour.rmse_ab, "RMSE of ab", "CIE", 2),
    "de2000_p95": Metric(colour.de2000_p95, "CIEDE2000, 95 %", "", 2),
    "auc": Metric(colour.auc, "AuC of ab", "", 4, "higher"),
    "ae_excluded": Metric(colour.ae_excluded, "Too dark for an angle", "", 4, better=None),
    "excluded": Metric(excluded, "Pixels without data", "", 4, better=None),
    "ssim_vcip": Metric(structure.ssim_vcip, "SSIM as VCIP 2020", better="higher", variant=True),
    "ae_vcip": Metric(colour.ae_vcip, "Angle as VCIP 2020", "deg", 2, variant=True),
    "cos_rows": Metric(fidelity.cos_rows, "Cosine of rows", better="higher", variant=True),
    "cos_pixel": Metric(colour.cos_pixel, "Cosine of colours", "", 4, "higher", variant=True),
    "delta_cf_abs": Metric(colour.delta_cf_abs, "Absolute colourfulness off by", "", 1, variant=True),
    "auc_mean151": Metric(colour.auc_mean151, "AuC of ab, plain mean", "", 4, "higher", variant=True),
}
DEFAULT = tuple(name for name, metric in METRICS.items() if not metric.variant)
"""Names of the metrics that are computed unless others are asked for."""


def score(
    prediction: Picture, truth: Picture, valid: Mask = None, *, names: Iterable[str] = DEFAULT
) -> dict[str, float]:
    """Return metrics of one pair by name.

    Args:
        prediction: In [0, 1].
        truth: In [0, 1].
        valid: False where a pixel must leave every sum.
        names: Keys of `METRICS`.

    Raises:
        ValueError: If the pictures differ in shape or are no floats.
    """
    a, b = pair(prediction, truth)
    held = mask(valid, a)
    return {name: METRICS[name].function(a, b, held) for name in names}
