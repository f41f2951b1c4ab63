"""The moving average of the networks that colorize: what is validated, sampled and saved."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nirtrans.engine.schedules import average_decay
from nirtrans.models.system import System


class MovingAverage:
    """Float32 copies of networks that follow their weights; buffers are copied as they are.

    Args:
        networks: The networks to follow by name, not wrapped.
        decay: Share of the old average that stays at each step, [0, 1), after a warm-up.
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self.networks = {name: copy.deepcopy(network).requires_grad_(False) for name, network in networks.items()}
        self._pairs = [(self.networks[name], network) for name, network in networks.items()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the present weights after `step`, counted from 0."""
        share = 1 - average_decay(step, self.decay)
        for average, network in self._pairs:
            means: list[Tensor] = list(average.parameters())
            values: list[Tensor] = list(network.parameters())
            torch._foreach_lerp_(means, values, share)
            for kept, newest in zip(average.buffers(), network.buffers(), strict=True):
                kept.copy_(newest)

    def tensors(self) -> dict[str, Tensor]:
        """Return all weights under "network.parameter" names, without copying."""
        items = self.networks.items()
        return {f"{name}.{key}": value for name, network in items for key, value in network.state_dict().items()}

    @contextmanager
    def applied(self, system: System) -> Iterator[System]:
        """Let a system use the averaged networks in evaluation mode, without gradients, for a `with` block.

        The random state is the same after the block as before it: how often one looks does not change the training.
        """
        present = {name: getattr(system, name) for name in self.networks}
        devices = list({value.device for value in system.parameters() if value.is_cuda})
        try:
            for name, network in self.networks.items():
                setattr(system, name, network)
            with torch.no_grad(), torch.random.fork_rng(devices=devices):
                yield system.eval()
        finally:
            for name, network in present.items():
                setattr(system, name, network)
            system.train()
