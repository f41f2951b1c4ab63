"""The kernels on NumPy arrays, without importing torch.

Bit for bit the same code as `nirtrans.kernels` on the CPU. There is no fallback: without the compiled module the
import fails and names the build command.
"""

from nirtrans.numpy_kernels.annealed import annealed_mean
from nirtrans.numpy_kernels.bins import ab_bins, class_weights, encode_ab
from nirtrans.numpy_kernels.color import lab_to_rgb, rgb_to_lab
from nirtrans.numpy_kernels.image import image_to_lab, lab_to_image
from nirtrans.numpy_kernels.ssim import ms_ssim, ssim

__all__ = [
    "ab_bins",
    "annealed_mean",
    "class_weights",
    "encode_ab",
    "image_to_lab",
    "lab_to_image",
    "lab_to_rgb",
    "ms_ssim",
    "rgb_to_lab",
    "ssim",
]
