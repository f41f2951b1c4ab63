"""SSIM and its relatives, as a measure and as losses, beside the libraries that offer them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.bench import ssim_peers
from nirtrans.bench.case import (
    Case,
    Setting,
    absent,
    calls,
    farthest,
    farthest_of_loss,
    losses,
    value_and_gradient,
    with_compiled,
)
from nirtrans.bench.timing import Contestant
from nirtrans.kernels import _library, l1_ssim_loss, ms_ssim, ssim

SHAPES = {
    "cpu": ((8, 3, 256, 256), (1, 3, 2048, 2048)),
    "cuda": ((16, 3, 1024, 1024),),
    "quick": ((1, 3, 176, 176),),
}
PEERS = ssim_peers.SSIM | ssim_peers.ARRAYS
VALUE_GATE, GRADIENT_GATE = 1e-6, 4e-6
# Of noise averaged over 16 x 16 pixels so little variance is left that float32 cancels, in every library.
COARSE_GRADIENT_GATE = 1e-4
SSIM_SHARE = 0.84
TWIN = "our twin in torch"

Measure = Callable[[Tensor, Tensor], Tensor]


def cases(setting: Setting) -> Iterator[Case]:
    """Yield SSIM as a measure, then the losses of SSIM, MS-SSIM and L1 with SSIM, at each size."""
    for shape in setting.shapes:
        random = torch.Generator().manual_seed(0)
        target = torch.rand(shape, generator=random)
        image = (target + 0.1 * torch.randn(shape, generator=random)).clip(0, 1)
        pair = (image.to(setting.device), target.to(setting.device))
        yield _measure(*pair, setting)
        yield _ssim_loss(*pair, setting)
        yield _ms_ssim_loss(*pair, setting)
        yield _l1_ssim_loss(*pair, setting)


def _measure(image: Tensor, target: Tensor, setting: Setting) -> Case:
    functions = {"nirtrans": ssim, TWIN: _on_the_twin(ssim)}
    expected = functions[TWIN](image.double(), target.double())
    functions |= with_compiled(ssim_peers.ssim_peers(), setting.compiled)
    on_cpu = setting.device == "cpu"
    return Case(
        operation="ssim",
        shape=tuple(image.shape),
        dtype="float32",
        contestants=_comparable(calls(functions, image, target))
        + (ssim_peers.array_peers(image, target) if on_cpu else []),
        deviation=lambda result: farthest(result, expected),
        gate=VALUE_GATE,
        unit="SSIM",
        moved_bytes=image.nbytes + target.nbytes,
        device=setting.device,
        absent=absent(PEERS if on_cpu else ssim_peers.SSIM),
    )


def _ssim_loss(image: Tensor, target: Tensor, setting: Setting) -> Case:
    measures = {"nirtrans": ssim, TWIN: _on_the_twin(ssim)}
    measures |= with_compiled(ssim_peers.ssim_peers(), setting.compiled)
    functions = {name: _one_minus(measure) for name, measure in measures.items()}
    return _loss("1 - ssim", functions, image, target, absent(ssim_peers.SSIM), GRADIENT_GATE)


def _ms_ssim_loss(image: Tensor, target: Tensor, setting: Setting) -> Case:
    measures = {"nirtrans": ms_ssim, TWIN: _on_the_twin(ms_ssim)}
    measures |= with_compiled(ssim_peers.ms_ssim_peers(), setting.compiled)
    functions = {name: _one_minus(measure) for name, measure in measures.items()}
    return _loss("1 - ms_ssim", functions, image, target, absent(ssim_peers.MS_SSIM), COARSE_GRADIENT_GATE)


def _l1_ssim_loss(image: Tensor, target: Tensor, setting: Setting) -> Case:
    name = "pytorch-msssim"  # the fastest of them in torch; the others would only add their own SSIM again
    composed = {f"{name} and l1_loss": _with_l1(peer) for peer in [ssim_peers.ssim_peers().get(name)] if peer}
    functions = {"nirtrans": l1_ssim_loss, TWIN: _on_the_twin(l1_ssim_loss)}
    functions |= with_compiled(composed, setting.compiled)
    return _loss("l1_ssim_loss", functions, image, target, absent({name: ssim_peers.SSIM[name]}), GRADIENT_GATE)


def _on_the_twin(measure: Measure) -> Measure:
    """Run a function as it runs where nothing is compiled."""

    def run(x: Tensor, y: Tensor) -> Tensor:
        with mock.patch.object(_library, "DEVICES", ()):
            return measure(x, y)

    return run


def _comparable(contestants: list[Contestant]) -> list[Contestant]:
    return [replace(one, compare=None) if ssim_peers.OTHER_BORDERS in one.name else one for one in contestants]


def _one_minus(measure: Measure) -> Measure:
    return lambda x, y: 1 - measure(x, y)


def _with_l1(measure: Measure) -> Measure:
    return lambda x, y: SSIM_SHARE * (1 - measure(x, y)) + (1 - SSIM_SHARE) * F.l1_loss(x, y)


def _loss(
    name: str, functions: dict[str, Measure], image: Tensor, target: Tensor, missing: list[str], gate: float
) -> Case:
    value, gradient = value_and_gradient(functions[TWIN], image.double().requires_grad_(), target.double())
    return Case(
        operation=f"{name}, forward and backward",
        shape=tuple(image.shape),
        dtype="float32",
        contestants=_comparable(losses(functions, image, target)),
        deviation=lambda result: farthest_of_loss(result, value, gradient),
        gate=gate,
        unit="relative",
        moved_bytes=2 * image.nbytes + target.nbytes,
        device=image.device.type,
        absent=missing,
    )
