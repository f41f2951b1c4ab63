"""Fused image operators with autograd: compiled for CPU and CUDA, with pure-torch twins where nothing is compiled."""

from nirtrans.kernels._library import build_info
from nirtrans.kernels.annealed import annealed_mean
from nirtrans.kernels.bins import ab_bins, class_weights, encode_ab
from nirtrans.kernels.cross_entropy import soft_cross_entropy
from nirtrans.kernels.image import image_to_lab, lab_to_image
from nirtrans.kernels.lab import lab_to_rgb, rgb_to_lab
from nirtrans.kernels.modules import MSSSIMLoss, SSIMLoss
from nirtrans.kernels.ssim import l1_ssim_loss, ms_ssim, ssim

__all__ = [
    "MSSSIMLoss",
    "SSIMLoss",
    "ab_bins",
    "annealed_mean",
    "build_info",
    "class_weights",
    "encode_ab",
    "image_to_lab",
    "l1_ssim_loss",
    "lab_to_image",
    "lab_to_rgb",
    "ms_ssim",
    "rgb_to_lab",
    "soft_cross_entropy",
    "ssim",
]
