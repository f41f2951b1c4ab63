"""What changes with the step, as pure functions of it: nothing to save, nothing to advance twice."""


def rate_factor(step: int, *, length: int, constant_share: float) -> float:
    """Return the share of the learning rate that a step uses: 1, then a line that reaches 0 after the last step.

    Args:
        step: From 0.
        length: Steps of the whole schedule; later steps get 0.
        constant_share: Share of the schedule at the full rate, [0, 1].

    Source: Zhu et al. 2017 (CycleGAN), section 4: constant for the first half, then linear to zero.

    Example:
        >>> [rate_factor(step, length=4, constant_share=0.5) for step in range(5)]
        [1.0, 1.0, 1.0, 0.5, 0.0]
    """
    constant = constant_share * length
    if step < constant:
        return 1.0
    return max(0.0, (length - step) / (length - constant)) if length > constant else 0.0


def average_decay(step: int, decay: float) -> float:
    """Return the decay of the moving average, [0, 1], small at first so that random initial weights are soon forgotten.

    Args:
        step: From 0.
        decay: Decay after the warm-up; 0 always copies the newest weights.
    """
    return min(decay, (1 + step) / (10 + step))
