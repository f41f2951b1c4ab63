"""What travels from the data to a system: one sample, and a batch of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sample:
    """One source and one target.

    Attributes:
        source: [C, H, W], float32, [0, 1].
        target: [3, H, W], float32, [0, 1]; shows the same place as the source if `paired`.
        valid: [1, H, W], bool, False where source or target is nodata; None means everywhere valid.
        paired: Whether source and target show the same place, pixel by pixel.
        id: Names of the source and, if unpaired, of the target.
        label: Number of the class that the source belongs to, -1 if nobody said; None where no picture has one.
    """

    source: Tensor
    target: Tensor
    valid: Tensor | None
    paired: bool
    id: str
    label: int | None = None


@dataclass(frozen=True)
class Batch:
    """Stacked samples, all paired or all unpaired.

    Attributes:
        source: [N, C, H, W], float32, [0, 1].
        target: [N, 3, H, W], float32, [0, 1].
        valid: [N, 1, H, W], bool, or None where every pixel is valid. Of an unpaired batch it belongs to both sides: a
            pixel is valid if it is in the source and in the target.
        paired: Whether sources and targets are aligned.
        ids: One name per sample.
        extra: What single models ask for: hints, a previous frame, text; `label`, [N], int64, the number of each
            source's class or -1, where the training pictures have classes.
    """

    source: Tensor
    target: Tensor
    valid: Tensor | None = None
    paired: bool = True
    ids: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def to(self, device: torch.device, *, non_blocking: bool = True) -> "Batch":
        """Return the batch on `device`."""
        source, target = (side.to(device, non_blocking=non_blocking) for side in (self.source, self.target))
        valid = None if self.valid is None else self.valid.to(device, non_blocking=non_blocking)
        extra = {
            name: value.to(device, non_blocking=non_blocking) if isinstance(value, Tensor) else value
            for name, value in self.extra.items()
        }
        return replace(self, source=source, target=target, valid=valid, extra=extra)


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples of one size; they must agree in being paired."""
    if len({sample.paired for sample in samples}) != 1:
        raise ValueError("a batch holds paired or unpaired samples, not both")
    masks = [sample.valid for sample in samples]
    valid = None
    if any(mask is not None for mask in masks):
        everywhere = torch.ones(1, *samples[0].source.shape[1:], dtype=torch.bool)
        valid = torch.stack([everywhere if mask is None else mask for mask in masks])
    return Batch(
        source=torch.stack([sample.source for sample in samples]),
        target=torch.stack([sample.target for sample in samples]),
        valid=valid,
        paired=samples[0].paired,
        ids=tuple(sample.id for sample in samples),
        extra=_labels(samples),
    )


def _labels(samples: Sequence[Sample]) -> dict[str, Tensor]:
    labels = [sample.label for sample in samples if sample.label is not None]
    return {"label": torch.tensor(labels)} if labels else {}
