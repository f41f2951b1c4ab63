"""Fused image operators with autograd: compiled for CPU and CUDA, with pure-torch twins where nothing is compiled."""

from nirtrans.kernels._library import build_info
from nirtrans.kernels.bins import ab_bins, class_weights, encode_ab
from nirtrans.kernels.lab import lab_to_rgb, rgb_to_lab

__all__ = ["ab_bins", "build_info", "class_weights", "encode_ab", "lab_to_rgb", "rgb_to_lab"]
