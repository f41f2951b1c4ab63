"""Metrics of a prediction against its ground truth, one picture at a time, in float64.

Pictures are gamma-encoded sRGB in [0, 1], torch [3, H, W] or NumPy [H, W, 3], and are scored as they are: nothing is
clipped, rounded or rescaled unless a name says so. `valid` is [H, W], False where a pixel must leave every sum; window
metrics drop each window that touches such a pixel. A variant of a metric has a name of its own.

Metrics of bands (`sam`, `ergas`, `*_refl`) take physical values of any number of channels. A metric without a single
pixel to stand on is NaN, and so is every metric of a prediction that is NaN at a valid pixel.
"""

from nirtrans.evaluation.metrics.bands import bias_refl, ergas, mae_refl, rmse_refl, sam, sam_rad
from nirtrans.evaluation.metrics.colour import (
    ae,
    ae_excluded,
    ae_vcip,
    angle_map,
    auc,
    auc_balanced,
    auc_mean151,
    colourfulness,
    colourfulness_abs,
    cos_pixel,
    de2000,
    de2000_p95,
    delta_cf,
    delta_cf_abs,
    rmse_ab,
    shown_colourfulness,
)
from nirtrans.evaluation.metrics.fidelity import cos_rows, mae, mse, psnr, psnr_u8, psnr_y
from nirtrans.evaluation.metrics.lab_difference import ciede2000
from nirtrans.evaluation.metrics.planes import LUMA, excluded
from nirtrans.evaluation.metrics.seams import Seam, seam, seam_gradient
from nirtrans.evaluation.metrics.structure import ms_ssim, ssim, ssim_u7, ssim_u8, ssim_vcip, ssim_y
from nirtrans.evaluation.metrics.table import (
    CONTEXT,
    DEFAULT,
    METRICS,
    PAIRWISE,
    REFLECTANCE,
    TOP,
    VARIANTS,
    Metric,
    find_variants,
    score,
)

__all__ = [
    "CONTEXT",
    "DEFAULT",
    "LUMA",
    "METRICS",
    "PAIRWISE",
    "REFLECTANCE",
    "TOP",
    "VARIANTS",
    "Metric",
    "Seam",
    "ae",
    "ae_excluded",
    "ae_vcip",
    "angle_map",
    "auc",
    "auc_balanced",
    "auc_mean151",
    "bias_refl",
    "ciede2000",
    "colourfulness",
    "colourfulness_abs",
    "cos_pixel",
    "cos_rows",
    "de2000",
    "de2000_p95",
    "delta_cf",
    "delta_cf_abs",
    "ergas",
    "excluded",
    "find_variants",
    "mae",
    "mae_refl",
    "ms_ssim",
    "mse",
    "psnr",
    "psnr_u8",
    "psnr_y",
    "rmse_ab",
    "rmse_refl",
    "sam",
    "sam_rad",
    "score",
    "seam",
    "seam_gradient",
    "shown_colourfulness",
    "ssim",
    "ssim_u7",
    "ssim_u8",
    "ssim_vcip",
    "ssim_y",
]
