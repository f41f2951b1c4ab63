"""Gather everything that a training step reads or writes into named tensors, and put it back."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nirtrans.engine.checkpoint import select
from nirtrans.engine.ema import MovingAverage
from nirtrans.engine.optimizers import Optimizers
from nirtrans.errors import CheckpointError
from nirtrans.models.system import System
from nirtrans.models.weights import check_tensors


@dataclass(frozen=True)
class Snapshot:
    """The parts of a training and their tensors.

    Systems draw random numbers from torch's global generators only; those are kept.

    Attributes:
        system: The networks' owner; what it holds besides them (image pools) belongs to the state of each rank.
        networks: The networks by name, not wrapped.
        optimizers: Their optimizers.
        average: The moving average.
        device: Where all of them live.
    """

    system: System
    networks: Mapping[str, nn.Module]
    optimizers: Optimizers
    average: MovingAverage
    device: torch.device

    def shared(self) -> dict[str, Tensor]:
        """Return what is equal on all ranks: parameters, optimizers, moving average."""
        named = {f"network.{name}": value for name, value in self._parameters().items()}
        named |= {f"optimizer.{name}": value for name, value in self.optimizers.tensors().items()}
        return named | {f"average.{name}": value for name, value in self.average.tensors().items()}

    def own(self) -> dict[str, Tensor]:
        """Return what each rank has of its own: buffers of networks, image pools, random states."""
        named = {f"buffer.{name}": value for name, value in self._buffers().items()}
        named |= {f"rest.{name}": value for name, value in self._rest().items()}
        named["random.cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            named["random.cuda"] = torch.cuda.get_rng_state(self.device)
        return named

    @torch.no_grad()
    def restore(self, shared: Mapping[str, Tensor], own: Mapping[str, Tensor], origin: str) -> None:
        """Put back what `shared` and `own` returned.

        Raises:
            CheckpointError: If tensors are missing, unknown or of another shape; names the first one.
        """
        rest = select(own, "rest.")
        if rest.keys() != self._rest().keys():
            name = min(rest.keys() ^ self._rest().keys())
            raise CheckpointError(f"{origin}: {name} is not in both state and model; the state is of another model")
        for targets, values in (
            (self._parameters(), select(shared, "network.")),
            (self.average.tensors(), select(shared, "average.")),
            (self._buffers(), select(own, "buffer.")),
        ):
            check_tensors(values, targets, origin=origin)
            for name, target in targets.items():
                target.copy_(values[name])  # in place: device and memory layout stay
        self.optimizers.load(select(shared, "optimizer."), origin)
        self.system.load_state_dict(rest, strict=False)  # pools grow, so shapes are theirs to check
        torch.set_rng_state(own["random.cpu"])
        if self.device.type == "cuda" and "random.cuda" in own:
            torch.cuda.set_rng_state(own["random.cuda"], self.device)

    def _parameters(self) -> dict[str, Tensor]:
        items = self.networks.items()
        return {f"{name}.{key}": value.data for name, network in items for key, value in network.named_parameters()}

    def _buffers(self) -> dict[str, Tensor]:
        parameters = self._parameters()
        states = {
            f"{name}.{key}": value for name, net in self.networks.items() for key, value in net.state_dict().items()
        }
        return {name: value for name, value in states.items() if name not in parameters}

    def _rest(self) -> dict[str, Tensor]:
        return {name: v for name, v in self.system.state_dict().items() if name.split(".")[0] not in self.networks}
