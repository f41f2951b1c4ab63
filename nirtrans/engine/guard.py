"""Watch over losses and gradients: all ranks see the same numbers and skip the same steps."""

import logging
import math
from collections.abc import Mapping

import torch
from accelerate import Accelerator
from torch import Tensor

from nirtrans.engine.distributed import mean_over_ranks
from nirtrans.errors import NonFiniteLoss

logger = logging.getLogger("nirtrans")


class FiniteGuard:
    """Remember whether the present step has met NaN or infinity, and for how many steps in a row.

    Args:
        accelerator: The processes that must agree.
        limit: Broken steps in a row that end the run.
    """

    def __init__(self, accelerator: Accelerator, limit: int) -> None:
        self.accelerator, self.limit = accelerator, limit
        self.broken: str | None = None
        """The term of the present step that was not finite."""
        self.in_a_row = 0

    def begin(self) -> None:
        """Start a step."""
        self.broken = None

    def averaged(self, phase: str, terms: Mapping[str, Tensor]) -> dict[str, float]:
        """Return "phase/term" losses averaged over all ranks; one that is not finite breaks the step."""
        values = mean_over_ranks(torch.stack([term.detach().float() for term in terms.values()]), self.accelerator)
        named = dict(zip([f"{phase}/{name}" for name in terms], values, strict=True))
        self.broken = next((name for name, value in named.items() if not math.isfinite(value)), None)
        return named

    def end(self, number: int, saved: int) -> None:
        """Count a broken step, counted from 1, and say so.

        Raises:
            NonFiniteLoss: If too many in a row were broken; `saved` is the step of the newest state.
        """
        self.in_a_row = 0 if self.broken is None else self.in_a_row + 1
        if self.broken is None:
            return
        if self.in_a_row >= self.limit:
            other = "" if self.accelerator.mixed_precision == "no" else " or use --precision fp32"
            raise NonFiniteLoss(
                f"{self.broken} was not finite at step {number}, as in {self.in_a_row} steps in a row; "
                f"lower train.optimizer.lr{other} (the state of step {saved} is kept)"
            )
        if self.accelerator.is_main_process:
            logger.warning("step %d skipped: %s was not finite", number, self.broken)
