"""Reference twins of the compiled kernels in plain torch: the oracle of the tests and the fallback without a compiler.

Every twin accepts what its kernel accepts, is differentiable any number of times, and computes in float32
(float64 for float64 input).
"""

from nirtrans.kernels.reference.annealed import annealed_mean
from nirtrans.kernels.reference.bins import class_weights, encode_ab
from nirtrans.kernels.reference.color import is_interleaved, lab_to_rgb, rgb_to_lab
from nirtrans.kernels.reference.cross_entropy import soft_cross_entropy
from nirtrans.kernels.reference.image import image_to_lab, lab_to_image

__all__ = [
    "annealed_mean",
    "class_weights",
    "encode_ab",
    "image_to_lab",
    "is_interleaved",
    "lab_to_image",
    "lab_to_rgb",
    "rgb_to_lab",
    "soft_cross_entropy",
]
