"""Fused image operators with autograd: compiled for CPU and CUDA, with pure-torch twins where nothing is compiled."""

from nirtrans.kernels._library import build_info
from nirtrans.kernels.lab import lab_to_rgb, rgb_to_lab

__all__ = ["build_info", "lab_to_rgb", "rgb_to_lab"]
