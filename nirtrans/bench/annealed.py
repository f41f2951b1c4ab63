"""The annealed mean, forward and with gradient, beside the two ways of the published decoders."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.bench.case import Case, Setting, calls, farthest, farthest_relative, gradients, with_compiled
from nirtrans.kernels import ab_bins, annealed_mean, reference

TEMPERATURE = 0.38


def decoding(logits: Tensor, setting: Setting) -> Iterator[Case]:
    """Yield the cases of `annealed_mean`."""
    yield _forward(logits, setting)
    yield _forward_and_backward(logits, setting)


def _forward(logits: Tensor, setting: Setting) -> Case:
    expected = torch.cat([reference.annealed_mean(image.double(), bins=ab_bins()) for image in logits.split(1)])
    return Case(
        operation="annealed_mean",
        shape=tuple(logits.shape),
        dtype=str(logits.dtype).removeprefix("torch."),
        contestants=calls(_decoders(logits, setting), logits),
        deviation=lambda result: farthest(result, expected),
        gate=2e-4,
        unit="Lab",
        moved_bytes=logits.nbytes + expected.numel() * 4,
        device=setting.device,
    )


def _forward_and_backward(logits: Tensor, setting: Setting) -> Case:
    n, _, h, w = logits.shape
    upstream = torch.randn(n, 2, h, w, generator=torch.Generator().manual_seed(1)).to(logits.device)
    narrow = logits.dtype != torch.float32
    expected = torch.cat([_exact_gradient(*pair) for pair in zip(logits.split(1), upstream.split(1), strict=True)])
    ours, *peers = _decoders(logits, setting).items()
    contestants = gradients(dict([ours]), logits, upstream=upstream)
    contestants += gradients(dict(peers), logits, upstream=upstream.to(logits.dtype))
    return Case(
        operation="annealed_mean, forward and backward",
        shape=tuple(logits.shape),
        dtype=str(logits.dtype).removeprefix("torch."),
        contestants=contestants,
        deviation=lambda result: farthest_relative(result, expected),
        gate=2**-8 if narrow else 1e-5,
        unit="share of the largest gradient",
        moved_bytes=3 * logits.nbytes + 2 * upstream.nbytes,
        device=setting.device,
    )


def _exact_gradient(logits: Tensor, upstream: Tensor) -> Tensor:
    leaf = logits.double().requires_grad_()
    return torch.autograd.grad(reference.annealed_mean(leaf, bins=ab_bins()), leaf, upstream.double())[0].float()


def _decoders(logits: Tensor, setting: Setting) -> dict[str, Callable[[Tensor], Tensor]]:
    """Ours, and the two ways of the published decoders; these compute in the dtype of the logits."""
    bins = ab_bins().to(logits)

    def einsum(logits: Tensor) -> Tensor:
        return torch.einsum("nqhw,qc->nchw", torch.softmax(logits / TEMPERATURE, dim=1), bins)

    def convolution(logits: Tensor) -> Tensor:
        return F.conv2d(torch.softmax(logits / TEMPERATURE, dim=1), bins.T[:, :, None, None])

    peers = {"softmax and einsum": einsum, "softmax and 1x1 convolution": convolution}
    return {"nirtrans": annealed_mean} | with_compiled(peers, setting.compiled)
