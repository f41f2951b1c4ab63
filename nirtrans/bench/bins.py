"""Colours as bins: encoding, the cross-entropy over the bins, decoding."""

from collections.abc import Iterator

import torch

from nirtrans.bench import encoding
from nirtrans.bench.annealed import decoding
from nirtrans.bench.case import Case, Setting
from nirtrans.bench.cross_entropy import cross_entropy
from nirtrans.kernels import rgb_to_lab

SHAPES = {
    "cpu": ((8, 313, 64, 64), (8, 313, 256, 256)),
    "cuda": ((16, 313, 256, 256),),
    "quick": ((1, 313, 8, 8),),
}
PEERS = encoding.PEERS
# With more logits the peers take minutes on a CPU: float32 only.
MANY_LOGITS = 10**8


def cases(setting: Setting) -> Iterator[Case]:
    """Yield encoding, weighted cross-entropy and annealed mean at each size."""
    for shape in setting.shapes:
        n, q, h, w = shape
        random = torch.Generator().manual_seed(0)
        ab = rgb_to_lab(torch.rand(n, 3, h, w, generator=random))[:, 1:].contiguous().to(setting.device)
        logits = (3 * torch.randn(shape, generator=random)).to(setting.device)
        class_weight = (0.5 + 1.5 * torch.rand(q, generator=random)).to(setting.device)
        yield encoding.encoding(ab, setting)
        few = setting.device == "cuda" or logits.numel() < MANY_LOGITS
        for dtype in (torch.float32, torch.bfloat16) if few else (torch.float32,):
            yield cross_entropy(logits.to(dtype), ab, class_weight, setting)
            yield from decoding(logits.to(dtype), setting)
