"""Sample grids: the same few pictures at every visit, so that progress can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.evaluation.view import View
from nirtrans.io.atomic import make_folder
from nirtrans.io.images import write_image
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo

FOLDER = "samples"
GAP_PX = 4


@dataclass(frozen=True)
class SampleSheet:
    """Rows of source, colorized and, where it is known, target.

    Attributes:
        sources: [C, H, W] each, [0, 1]; the first channel is shown, of all the middle of the smallest.
        targets: [3, H, W] each, [0, 1], or empty where no target shows the same place.
        info: What the weights file of the system would say: how large pictures may be.
        folder: Folder of the run.
        device: Where to compute.
    """

    sources: Sequence[Tensor]
    targets: Sequence[Tensor]
    info: ModelInfo
    folder: Path
    device: torch.device

    def __call__(self, system: System, step: int) -> None:
        """Write `samples/step-000500.png`.

        Raises:
            InputError: If the folder is not writable.
            IOFailure: If the disk is full.
        """
        view = View(system, self.info, self.device)
        fakes = [view.colorize(source) for source in self.sources]
        columns = [[source[:1].expand(3, -1, -1) for source in self.sources], fakes, list(self.targets)]
        height, width = (min(source.shape[axis] for source in self.sources) for axis in (1, 2))
        rows = zip(*[column for column in columns if column], strict=True)
        grid = join([[_middle(picture, height, width) for picture in row] for row in rows])
        write_image(make_folder(self.folder / FOLDER) / f"step-{step:06d}.png", to_bytes(grid))


def join(rows: Sequence[Sequence[Tensor]]) -> Tensor:
    """Join rows of equal pictures [3, H, W] to one [3, H', W'] with white gaps."""
    lines = [_gapped(list(row), dim=2) for row in rows]
    return _gapped(lines, dim=1)


def to_bytes(rgb: Tensor) -> NDArray[np.uint8]:
    """Round [3, H, W] in [0, 1] to [H, W, 3] of 8 bits; values outside are clipped."""
    levels = (rgb.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return levels.permute(1, 2, 0).contiguous().numpy()  # [H, W, 3]


def _middle(picture: Tensor, height: int, width: int) -> Tensor:
    top, left = (picture.shape[1] - height) // 2, (picture.shape[2] - width) // 2
    return picture[:, top : top + height, left : left + width]


def _gapped(pictures: list[Tensor], *, dim: int) -> Tensor:
    shape = list(pictures[0].shape)
    shape[dim] = GAP_PX
    gap = torch.ones(shape)
    parts = [part for picture in pictures for part in (picture.float(), gap)]
    return torch.cat(parts[:-1], dim)
