"""Initial weights of networks."""

import torch
from torch import nn

from nirtrans.nn.norms import SpatialNorm


def init_weights(module: nn.Module, *, std: float = 0.02) -> None:
    """Draw convolutions from N(0, std), norm scales from N(1, std), and set biases to 0.

    Source: Radford et al. 2016, section 3; kept by pix2pix and CycleGAN.
    """
    if next(module.parameters()).is_meta:  # no values to draw, and drawing on meta would load torch's compiler (1 s)
        return
    for layer in module.modules():
        weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, std)
        elif isinstance(layer, nn.BatchNorm2d | SpatialNorm) and weight is not None:
            nn.init.normal_(weight, 1.0, std)
        if isinstance(bias, nn.Parameter):
            nn.init.zeros_(bias)


def init_rectified(module: nn.Module, *, head: nn.Conv2d | None = None) -> None:
    """Draw the weights of convolutions for ReLU, biases 0. Source: He et al. 2015, equation 10.

    Args:
        module: The whole network.
        head: Its last layer, whose weights become a tenth: outputs begin near 0, where tanh and sigmoid are steep.
    """
    if next(module.parameters()).is_meta:
        return
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    if head is not None:
        with torch.no_grad():
            head.weight.mul_(0.1)
