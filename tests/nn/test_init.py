"""Initial weights: spread, zero biases, repeatable."""

import torch

from nirtrans.nn.generators import UResNet


def test_convolutions_are_narrow_and_biases_zero() -> None:
    network = UResNet(1, 3, width=16, blocks=2, norm="group")
    weights = torch.cat([p.flatten() for p in network.parameters() if p.ndim == 4])
    assert abs(weights.std().item() - 0.02) < 1e-3
    assert abs(weights.mean().item()) < 1e-3
    scales = torch.cat([p for name, p in network.named_parameters() if p.ndim == 1 and name.endswith("weight")])
    assert abs(scales.mean().item() - 1) < 0.01
    assert all(not p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_the_seed_decides() -> None:
    networks = []
    for _ in range(2):
        torch.manual_seed(7)
        networks.append(UResNet(1, 3, width=2, blocks=1))
    assert all(torch.equal(a, b) for a, b in zip(*(n.parameters() for n in networks), strict=True))
