"""Reference twins of the compiled kernels in plain torch: the oracle of the tests and the fallback without a compiler.

Every twin accepts what its kernel accepts, is differentiable any number of times, and computes in float32
(float64 for float64 input).
"""

from nirtrans.kernels.reference.bins import class_weights, encode_ab
from nirtrans.kernels.reference.color import is_interleaved, lab_to_rgb, rgb_to_lab

__all__ = ["class_weights", "encode_ab", "is_interleaved", "lab_to_rgb", "rgb_to_lab"]
