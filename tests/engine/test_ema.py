"""The moving average: its value by hand, and its use inside a system."""

import torch
from torch import nn

from nirtrans.engine.ema import MovingAverage
from tests.engine.systems import make_system


def test_average_by_hand() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 0.0)
    average = MovingAverage({"layer": layer}, 0.5)
    values = []
    for step in range(8):
        nn.init.constant_(layer.weight, step + 1.0)
        average.update(step)
        values.append(average.networks["layer"].weight.item())
    assert values[0] == torch.tensor(0.9).item()  # decay (1 + 0) / (10 + 0)
    assert abs(values[1] - (values[0] + (1 - 2 / 11) * (2 - values[0]))) < 1e-6
    assert average.networks["layer"].weight.dtype == torch.float32


def test_decay_zero_keeps_the_last_weights() -> None:
    layer = nn.Conv2d(2, 2, 3)
    average = MovingAverage({"layer": layer}, 0.0)
    nn.init.normal_(layer.weight)
    average.update(0)
    assert torch.equal(average.networks["layer"].weight, layer.weight)


def test_buffers_are_copied() -> None:
    norm = nn.BatchNorm2d(2)
    average = MovingAverage({"norm": norm}, 0.9)
    norm(torch.randn(4, 2, 3, 3))
    average.update(0)
    assert torch.equal(average.networks["norm"].running_mean, norm.running_mean)
    assert average.networks["norm"].num_batches_tracked == 1


def test_applied_leaves_no_trace() -> None:
    system = make_system("gan").train()
    present = system.generator
    average = MovingAverage({"generator": present}, 0.9)
    before = torch.get_rng_state()
    with average.applied(system) as averaged:
        assert averaged.generator is average.networks["generator"]
        assert not averaged.training
        assert not averaged.colorize(torch.rand(1, 1, 8, 8)).requires_grad
    assert system.generator is present
    assert system.training
    assert torch.equal(torch.get_rng_state(), before)
