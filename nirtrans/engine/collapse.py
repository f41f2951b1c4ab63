"""Signs that an adversarial training has tipped over: a critic that wins outright, pictures that lose their colour."""

import logging
from collections.abc import Mapping

from nirtrans.engine.logs import RunningMeans

logger = logging.getLogger("nirtrans")

CRITIC = "discriminator"
"""Phases of critics are called so, alone or as the beginning of the name."""
WINDOW = 200
"""Steps over which a critic's losses are averaged."""
WON = 0.01
"""Mean loss below which a critic has won: undecided it is 0.25 for lsgan, 0.69 for bce and 1 for hinge."""
SEEN = 0.2
"""Colour spread, as a share of the targets', that the output must have reached before it can be lost."""
LOST = 0.25
"""Share of its largest spread below which the output has lost its colour."""


class CollapseWatch:
    """Warn once of each sign.

    Windows begin anew when a run is resumed: a collapse that lasts is told a little later.
    """

    def __init__(self) -> None:
        self._means = RunningMeans()
        self._steps = 0
        self._low: set[str] = set()  # terms that were won in the window before
        self._largest = 0.0
        self._told: set[str] = set()

    def see_losses(self, losses: Mapping[str, float]) -> None:
        """Remember "phase/term" losses of a step; penalties and the critics that they belong to have no such sign."""
        names = {name for name in losses if name.startswith(CRITIC) and f"{name}_penalty" not in losses}
        self._means.add({name: losses[name] for name in names if not name.endswith("_penalty")})

    def judge(self, step: int) -> None:
        """Warn when a critic's loss was near 0 in two windows in a row; `step` counts steps done."""
        self._steps += 1
        if self._steps % WINDOW:
            return
        means = self._means.take()
        low = {name for name, mean in means.items() if 0 <= mean < WON}
        for name in sorted(low & self._low - self._told):
            self._told.add(name)
            phase = name.partition("/")[0]
            logger.warning(
                "step %d: %s is %.2g in the mean of %d steps: the critic tells all pictures apart and teaches nothing; "
                "lower its rate (train.phases={%s: {lr: ...}}), or give it augment or spectral under network",
                *(step, name, means[name], WINDOW, phase),
            )
        self._low = low

    def see_spread(self, step: int, spread: float) -> None:
        """Warn when the colours of validated pictures, as spread relative to the targets', have nearly vanished."""
        lost = self._largest >= SEEN and spread < LOST * self._largest
        if lost and "spread" not in self._told:
            self._told.add("spread")
            logger.warning(
                "step %d: the output has lost its colour: its spread fell from %.2f to %.2f of the targets'; "
                "lower train.optimizer.lr or the weight of the adversarial terms, and go back to best.safetensors",
                *(step, self._largest, spread),
            )
        self._largest = max(self._largest, spread)
