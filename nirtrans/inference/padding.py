"""Run a system on pictures of any size."""

import torch
from torch import Tensor

from nirtrans.inference.tiling import mirrored, padded_size
from nirtrans.models.system import System
from nirtrans.nn.noise import Place, placed


def colorize_any_size(system: System, source: Tensor, *, stride_px: int) -> Tensor:
    """Translate [N, C, H, W] in [0, 1] to [N, 3, H, W] in [0, 1], mirrored to the stride and cut back."""
    height, width = source.shape[-2:]
    rows, columns = (
        torch.from_numpy(mirrored(0, padded_size(size, stride_px), size)).to(source.device) for size in (height, width)
    )
    with torch.inference_mode(), placed(Place(rows[None], columns[None])):
        padded = source if len(rows) == height and len(columns) == width else source[..., rows, :][..., columns]
        return system.colorize(padded)[..., :height, :width]
