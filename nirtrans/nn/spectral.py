"""Convolutions whose largest singular value is 1, so that a network cannot change its mind abruptly."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SpectralConv2d(nn.Conv2d):
    """Convolve with the weight divided by its largest singular value; the size stays at stride 1.

    The left singular vector is a buffer that one power iteration per use brings nearer, and that training keeps. Unlike
    torch's parametrization it can be built without memory for its weights, as weights files are read, and adapts to
    averaged weights.

    Source: Miyato et al. 2018, section 2.1 and appendix A.
    """

    left: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        self.normalised = True
        empty = torch.empty(outputs)
        self.register_buffer("left", empty if empty.is_meta else F.normalize(empty.normal_(), dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W]."""
        weight = self.weight / self._largest() if self.normalised else self.weight
        return self._conv_forward(x, weight, self.bias)

    def _largest(self) -> Tensor:
        """Return the largest singular value of the weight as a matrix [outputs, inputs * kernel ** 2]."""
        matrix = self.weight.flatten(1)  # sums of products, not matrix products, which autocast would round
        with torch.no_grad():
            right = F.normalize((matrix * self.left[:, None]).sum(0), dim=0)
            left = F.normalize((matrix * right).sum(1), dim=0)
            if self.training:
                self.left.copy_(left)
        return (left * (matrix * right).sum(1)).sum()
