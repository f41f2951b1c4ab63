"""What a benchmark measures: one operation on given inputs, all who can do it, and how far ours may be off."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nirtrans.bench.timing import COMPILED, Contestant, Run

COPY = "copy of the same bytes"


@dataclass(frozen=True)
class Setting:
    """Where and at which sizes a benchmark runs."""

    device: str
    shapes: tuple[tuple[int, ...], ...]
    compiled: bool = False
    """Let torch.compile take part wherever a torch peer does."""


@dataclass(frozen=True)
class Case:
    """One operation on one set of inputs."""

    operation: str
    shape: tuple[int, ...]
    dtype: str
    contestants: list[Contestant]
    """Ours first."""
    deviation: Callable[[Any], float]
    """Distance of a result in our form to the float64 reference."""
    gate: float
    """Largest deviation with which ours is timed."""
    unit: str
    """Of the deviation."""
    moved_bytes: int = 0
    """What must be read and written at least; a copy of as much is raced along as the machine's limit, unless 0."""
    device: str = "cpu"
    absent: list[str] = field(default_factory=list)
    """Peers that are not installed."""


def deviations(case: Case) -> dict[str, float]:
    """Compare every contestant that computes what we compute with the float64 reference."""
    return {
        contestant.name: case.deviation(contestant.compare(contestant.run()))
        for contestant in case.contestants
        if contestant.compare
    }


def copy_of(moved_bytes: int, device: str) -> Contestant:
    """Make the contestant that only moves bytes; nothing that reads and writes as much can be faster."""
    source = torch.zeros(max(1, moved_bytes // 8), device=device)  # 4 bytes read and 4 written per element
    target = torch.empty_like(source)
    return Contestant(COPY, lambda: target.copy_(source), compare=None)


def installed(module: str) -> bool:
    """Tell whether a peer can be imported, without importing it."""
    return importlib.util.find_spec(module) is not None


def absent(peers: dict[str, str]) -> list[str]:
    """List the peers, name to module, that are not installed."""
    return [name for name, module in peers.items() if not installed(module)]


def with_compiled(functions: dict[str, Callable[..., Any]], wanted: bool) -> dict[str, Callable[..., Any]]:
    """Add to each function its form under torch.compile."""
    if not wanted:
        return functions
    return {
        label: form
        for name, function in functions.items()
        for label, form in ((name, function), (name + COMPILED, torch.compile(function)))
    }


def calls(functions: dict[str, Callable[..., Any]], *inputs: Any) -> list[Contestant]:
    """Let each function run on the inputs."""
    return [Contestant(name, _call(function, inputs)) for name, function in functions.items()]


def gradients(
    functions: dict[str, Callable[..., Tensor]], source: Tensor, *inputs: Any, upstream: Tensor
) -> list[Contestant]:
    """Let each function run forward and backward; the result is the gradient of its first argument."""
    leaf = source.detach().requires_grad_()
    return [
        Contestant(name, partial(_gradient, function, leaf, inputs, upstream)) for name, function in functions.items()
    ]


def losses(functions: dict[str, Callable[..., Tensor]], source: Tensor, *inputs: Any) -> list[Contestant]:
    """Let each loss run forward and backward; the result is its value and the gradient of its first argument."""
    leaf = source.detach().requires_grad_()
    return [
        Contestant(name, _call(value_and_gradient, (function, leaf, *inputs))) for name, function in functions.items()
    ]


def value_and_gradient(loss: Callable[..., Tensor], leaf: Tensor, *inputs: Any) -> tuple[Tensor, Tensor]:
    """Return a loss and its gradient with respect to `leaf`."""
    with torch.enable_grad():
        value = loss(leaf, *inputs)
    return value.detach(), torch.autograd.grad(value, leaf)[0]


def farthest(result: Tensor, reference: Tensor) -> float:
    """Return the largest absolute difference; NaN counts as infinite. One image at a time, to save memory."""
    pairs = zip(torch.atleast_1d(result), torch.atleast_1d(reference), strict=True)
    return max((one - other).abs().nan_to_num(torch.inf).max().item() for one, other in pairs)


def farthest_relative(result: Tensor, reference: Tensor) -> float:
    """Return the largest difference as a share of the reference's largest value."""
    return farthest(result, reference) / reference.abs().max().item()


def farthest_of_loss(result: tuple[Tensor, Tensor], value: Tensor, gradient: Tensor) -> float:
    """Return the larger of a loss's error, relative above 1, and its gradient's, as a share of the largest."""
    return max(farthest(result[0], value) / max(1.0, value.abs().item()), farthest_relative(result[1], gradient))


def _call(function: Callable[..., Any], inputs: tuple[Any, ...]) -> Run:
    def run() -> Any:
        with torch.no_grad():
            return function(*inputs)

    return run


def _gradient(function: Callable[..., Tensor], leaf: Tensor, inputs: tuple[Any, ...], upstream: Tensor) -> Tensor:
    return torch.autograd.grad(function(leaf, *inputs), leaf, upstream)[0]
