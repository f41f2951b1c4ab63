"""Metrics of a prediction against its ground truth, one picture at a time, in float64.

Pictures are gamma-encoded sRGB in [0, 1], torch [3, H, W] or NumPy [H, W, 3], and are scored as they are: nothing is
clipped, rounded or rescaled unless a name says so. `valid` is [H, W], False where a pixel must leave every sum; window
metrics drop each window that touches such a pixel. A variant of a metric has a name of its own.

A metric without a single pixel to stand on is NaN.
"""

from nirtrans.evaluation.metrics.colour import (
    ae,
    ae_excluded,
    ae_vcip,
    auc,
    auc_mean151,
    colourfulness,
    colourfulness_abs,
    cos_pixel,
    de2000,
    de2000_p95,
    delta_cf,
    delta_cf_abs,
    rmse_ab,
)
from nirtrans.evaluation.metrics.fidelity import cos_rows, mae, mse, psnr, psnr_u8, psnr_y
from nirtrans.evaluation.metrics.lab_difference import ciede2000
from nirtrans.evaluation.metrics.planes import LUMA, excluded
from nirtrans.evaluation.metrics.structure import ms_ssim, ssim, ssim_u7, ssim_vcip, ssim_y
from nirtrans.evaluation.metrics.table import DEFAULT, METRICS, Metric, score

__all__ = [
    "DEFAULT",
    "LUMA",
    "METRICS",
    "Metric",
    "ae",
    "ae_excluded",
    "ae_vcip",
    "auc",
    "auc_mean151",
    "ciede2000",
    "colourfulness",
    "colourfulness_abs",
    "cos_pixel",
    "cos_rows",
    "de2000",
    "de2000_p95",
    "delta_cf",
    "delta_cf_abs",
    "excluded",
    "mae",
    "ms_ssim",
    "mse",
    "psnr",
    "psnr_u8",
    "psnr_y",
    "rmse_ab",
    "score",
    "ssim",
    "ssim_u7",
    "ssim_vcip",
    "ssim_y",
]
