"""Colours as bins."""

from collections.abc import Iterator

import torch

from nirtrans.bench import encoding
from nirtrans.bench.case import Case, Setting
from nirtrans.kernels import rgb_to_lab

SHAPES = {
    "cpu": ((8, 313, 64, 64), (8, 313, 256, 256)),
    "cuda": ((16, 313, 256, 256),),
    "quick": ((1, 313, 8, 8),),
}
PEERS = encoding.PEERS


def cases(setting: Setting) -> Iterator[Case]:
    """Yield encoding at each size."""
    for n, _, h, w in setting.shapes:
        rgb = torch.rand(n, 3, h, w, generator=torch.Generator().manual_seed(0))
        yield encoding.encoding(rgb_to_lab(rgb)[:, 1:].contiguous().to(setting.device), setting)
