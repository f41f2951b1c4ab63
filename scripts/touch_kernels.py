"""Run every kernel once, forward and backward, at small odd sizes: what the sanitizers watch in scripts/gpu_check.sh.

python scripts/touch_kernels.py [DEVICE]
"""

import sys

import torch
from torch import Tensor

from nirtrans import kernels


def colour(device: str, dtype: torch.dtype, layout: torch.memory_format) -> None:
    """Convert between sRGB, Lab and 8-bit pictures."""
    rgb = torch.rand(2, 3, 19, 37, device=device).to(dtype).contiguous(memory_format=layout).requires_grad_()
    _backward(kernels.lab_to_rgb(kernels.rgb_to_lab(rgb)))
    pixels = torch.randint(0, 256, (2, 19, 37, 3), dtype=torch.uint8, device=device)
    kernels.lab_to_image(kernels.image_to_lab(pixels))


def bins(device: str, dtype: torch.dtype, layout: torch.memory_format) -> None:
    """Encode, compare and decode."""
    ab = 60 * torch.randn(2, 2, 9, 13, device=device)
    kernels.encode_ab(ab, neighbors=10)
    logits = torch.randn(2, 313, 9, 13, device=device).to(dtype).contiguous(memory_format=layout).requires_grad_()
    for reduction in ("mean", "none"):
        _backward(kernels.soft_cross_entropy(logits, ab, reduction=reduction))
    _backward(kernels.annealed_mean(logits))


def similarity(device: str, dtype: torch.dtype, layout: torch.memory_format) -> None:
    """Measure SSIM, with and without mask, and the losses made of it."""
    x, y = (
        torch.rand(1, 3, 35, 43, device=device).to(dtype).contiguous(memory_format=layout).requires_grad_()
        for _ in range(2)
    )
    mask = torch.rand(1, 1, 35, 43, device=device) > 0.2
    for padding in ("valid", "reflect", "zero"):
        _backward(kernels.ssim(x, y, padding=padding))
        _backward(kernels.ssim(x, y, padding=padding, mask=mask, reduction="none"))
    _backward(kernels.ms_ssim(x, y, weights=(0.5, 0.5)))
    _backward(kernels.l1_ssim_loss(x, y, mask=mask))


def _backward(result: Tensor) -> None:
    torch.autograd.backward(result, torch.ones_like(result))


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else "cuda"
    for family in (colour, bins, similarity):
        for dtype in (torch.float32, torch.bfloat16):
            for layout in (torch.contiguous_format, torch.channels_last):
                family(where, dtype, layout)
    print("every kernel ran on", where)
