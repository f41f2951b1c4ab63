"""Methods that train in stages: which phases run at a step, and at which rate."""

import math
from bisect import bisect_right
from itertools import accumulate

from nirtrans.config import StageSettings, TrainSettings
from nirtrans.errors import ConfigError
from nirtrans.models.system import System


class Stages:
    """The stages of one run.

    Args:
        system: Names the phases of each stage; one without stages runs all phases always.
        settings: Length of the schedule and of its stages.

    Raises:
        ConfigError: If there are other stages than the system has, or their shares do not sum to 1.
    """

    def __init__(self, system: System, settings: TrainSettings) -> None:
        self.phases = system.stages
        self.settings = settings.stages or _equal(len(system.stages))
        if len(self.settings) != len(self.phases):
            wanted = f"{len(self.phases)} stages" if self.phases else "no stages"
            raise ConfigError(f"train.stages: this model has {wanted}, got {len(self.settings)}; give one share each")
        total = math.fsum(stage.share for stage in self.settings)
        if self.settings and abs(total - 1) > 1e-6:
            raise ConfigError(f"train.stages: expected shares that sum to 1, got {total:g}")
        length = settings.schedule_steps or settings.steps
        self.ends = [round(length * share) for share in accumulate(stage.share for stage in self.settings)]

    def runs(self, phase: str, step: int) -> bool:
        """Tell whether a phase belongs to the stage of a step, counted from 0; the last stage has no end."""
        return not self.phases or phase in self.phases[self._number(step)]

    def rate(self, step: int) -> float | None:
        """Return the learning rate of the stage of a step; None if it has none of its own."""
        return self.settings[self._number(step)].lr if self.settings else None

    def _number(self, step: int) -> int:
        return min(bisect_right(self.ends, step), len(self.phases) - 1)


def _equal(count: int) -> tuple[StageSettings, ...]:
    return tuple(StageSettings(share=1 / count) for _ in range(count))
