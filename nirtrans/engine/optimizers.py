"""One optimizer per distinct group of networks, its rate set per phase and step, its content as named tensors."""

import math
from collections.abc import Mapping, Sequence

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from torch import Tensor, nn

from nirtrans.config import PhaseSettings, TrainSettings
from nirtrans.engine.schedules import rate_factor
from nirtrans.engine.stages import Stages
from nirtrans.errors import CheckpointError, ConfigError
from nirtrans.models.system import System
from nirtrans.registry import did_you_mean


class Optimizers:
    """Adam for every phase; phases over the same networks share one.

    Args:
        system: Names the phases.
        networks: The networks by name, not wrapped, on their device.
        settings: Rates, clipping and schedule.
        accelerator: Prepares the optimizers for accumulation and loss scaling.
    """

    def __init__(
        self, system: System, networks: Mapping[str, nn.Module], settings: TrainSettings, accelerator: Accelerator
    ) -> None:
        self.settings = settings
        self.stages = Stages(system, settings)
        self.groups = {phase: "+".join(names) for phase, names in system.phases.items()}
        self.parameters: dict[str, list[nn.Parameter]] = {}
        for phase, names in system.phases.items():
            group = self.groups[phase]
            self.parameters[group] = [value for name in names for value in networks[name].parameters()]
        self._optimizers = {
            group: accelerator.prepare(_adam(parameters, settings)) for group, parameters in self.parameters.items()
        }

    def of(self, phase: str) -> AcceleratedOptimizer:
        """Return the optimizer of a phase."""
        return self._optimizers[self.groups[phase]]

    def all(self) -> list[AcceleratedOptimizer]:
        """Return every optimizer once."""
        return list(self._optimizers.values())

    def phase_settings(self, phase: str) -> PhaseSettings:
        """Return what differs for a phase."""
        return self.settings.phases.get(phase, PhaseSettings())

    def due(self, phase: str, step: int) -> bool:
        """Tell whether a phase runs at a step, counted from 0."""
        return self.stages.runs(phase, step) and step % self.phase_settings(phase).every == 0

    def set_rate(self, phase: str, step: int) -> None:
        """Write the learning rate of a phase at a step, counted from 0, into its optimizer."""
        settings = self.settings
        length = settings.schedule_steps or settings.steps
        factor = rate_factor(step, length=length, constant_share=settings.constant_share)
        rate = self.phase_settings(phase).lr or self.stages.rate(step) or settings.optimizer.lr
        for group in self.of(phase).param_groups:
            group["lr"] = rate * factor

    def clip(self, phase: str) -> bool:
        """Limit the gradient of a phase, already unscaled; return whether its norm is finite, equal on all ranks."""
        limit = self.phase_settings(phase).clip or self.settings.clip
        parameters = self.parameters[self.groups[phase]]
        norm = nn.utils.get_total_norm([value.grad for value in parameters if value.grad is not None])
        if limit is not None:
            nn.utils.clip_grads_with_norm_(parameters, limit, norm)
        return math.isfinite(float(norm))

    def tensors(self) -> dict[str, Tensor]:
        """Return the moments and step counts as "group.number.kind", number being the parameter's within its group."""
        named: dict[str, Tensor] = {}
        for group, optimizer in self._optimizers.items():
            for number, content in optimizer.state_dict()["state"].items():
                named |= {f"{group}.{number}.{kind}": value for kind, value in content.items()}
        return named

    def load(self, tensors: Mapping[str, Tensor], origin: str) -> None:
        """Restore what `tensors` returned.

        Raises:
            CheckpointError: If a tensor fits no parameter; names it.
        """
        contents: dict[str, dict[int, dict[str, Tensor]]] = {group: {} for group in self._optimizers}
        for name, value in tensors.items():
            group, _, rest = name.partition(".")
            number, _, kind = rest.partition(".")
            if not self._fits(group, number, kind, value):
                raise CheckpointError(
                    f"{origin}: optimizer tensor {name} {tuple(value.shape)} fits no parameter of the model"
                )
            like = self.parameters[group][int(number)]
            value = value if kind == "step" else torch.empty_like(like, dtype=value.dtype).copy_(value)
            contents[group].setdefault(int(number), {})[kind] = value
        for group, optimizer in self._optimizers.items():
            optimizer.load_state_dict({**optimizer.state_dict(), "state": contents[group]})

    def _fits(self, group: str, number: str, kind: str, value: Tensor) -> bool:
        if not number.isdecimal() or int(number) >= len(self.parameters.get(group, ())):
            return False
        shape = self.parameters[group][int(number)].shape
        return value.shape == (torch.Size([]) if kind == "step" else shape) and kind in (
            "step",
            "exp_avg",
            "exp_avg_sq",
        )


def _adam(parameters: Sequence[nn.Parameter], settings: TrainSettings) -> torch.optim.Optimizer:
    options = settings.optimizer
    return torch.optim.AdamW(
        parameters, lr=options.lr, betas=options.betas, weight_decay=options.weight_decay, fused=True
    )


def check_phases(system: System, settings: TrainSettings) -> None:
    """Refuse settings of phases that the system does not have, and precisions that its phases cannot share.

    Raises:
        ConfigError: Naming the setting.
    """
    for phase in settings.phases:
        if phase not in system.phases:
            known = list(system.phases)
            raise ConfigError(f"train.phases: {phase} is not a phase of this model{did_you_mean(phase, known)}")
    Stages(system, settings)
    if settings.precision == "fp16" and settings.accumulate > 1 and len(system.phases) > 1:
        raise ConfigError(
            "fp16 with train.accumulate > 1 is refused for a model of several phases: each optimizer step may change "
            "the loss scale under gradients that another phase still accumulates; use --precision bf16"
        )
