"""No setting is idle: changing one alone changes the networks, what they make, or what they are told."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from torch import Tensor

from nirtrans.config import Settings
from nirtrans.config_files import merge
from nirtrans.models import MODELS, build_system, network_params
from nirtrans.nn.heads import BinPrior
from tests.models.tiny import NETWORKS, SIDE_PX, tiny_batch, tiny_run

TERMS = ("l1", "mse", "blur_l1", "shift_l1", "ssim", "ms_ssim", "sobel", "angular", "histogram", "ndvi")
FIDELITY = dict.fromkeys(TERMS, 1.0)
PATCH, PYRAMID = {"kind": "patch", "layers": 3}, {"kind": "fpn", "layers": 3}
CONTEXT: dict[str, dict[str, Any]] = {
    "cyclegan-asym": {"fidelity": FIDELITY, "luma": "blend", "identity": 1.0, "critic_rgb": PYRAMID},
    "cyclegan": {"fidelity": FIDELITY, "luma": "blend", "critic_rgb": PYRAMID},
    "pix2pix": {"fidelity": FIDELITY, "luma": "blend", "features": 1.0, "critic": PATCH},
    "nirtrans-base": {"fidelity": FIDELITY, "luma": "blend", "adversarial": 1.0, "features": 1.0, "critic": PATCH},
    "cut": {"fidelity": FIDELITY},
    "unit": {"fidelity": FIDELITY},  # its critics are those of several scales
    "scgan-triplet": {"noise": 0.1, "stacked": 0.1},
    "sshape": {"fidelity": FIDELITY},
    "pksvision": {"representation": 1.0},
    "chromagan": {"pooling": "flatten", "global_px": 64, "critic": PATCH},
    "resnet-unet": {"adversarial": 0.1, "critic": PATCH},
}
"""Settings without which others have nothing to say, such as luma_share without blend."""
INSTEAD: dict[str, Any] = {
    "taps": [0, 4],
    "shift_px": 0,
    "shift_block_px": 8,
    "augment": ["colour"],
    "layers": 1,
    "critic_rgb.layers": 4,
    "critic_layers": 2,
    "scales": 1,
    "skip_gray": 128.0,
    "dense_px": SIDE_PX,
    "global_px": 32,
    "dense_layers": [1, 2, 1],
    "attention": [0],
    "stride": 3,
    "hints": "pixels",
}
"""Where neither the next number nor the next choice will do."""


def leaves(block: Settings, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield path, present value and annotation of every setting that its block uses."""
    for name, field in type(block).model_fields.items():
        value = getattr(block, name)
        if isinstance(value, Settings):
            yield from leaves(value, (*prefix, name))
        elif name != "scales" or getattr(block, "kind", None) == "multiscale":
            yield (*prefix, name), value, field.annotation


def other(path: tuple[str, ...], value: Any, annotation: Any) -> Any:
    """Return a valid value that differs."""
    special = INSTEAD.get(".".join(path), INSTEAD.get(path[-1]))
    if special is not None:
        return special
    if isinstance(value, bool):
        return not value
    if get_origin(annotation) is Literal:
        return next(choice for choice in get_args(annotation) if choice != value)
    return value + 1 if isinstance(value, int) else value / 2 if value else 0.5


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return {"a": {"b": value}} for ("a", "b")."""
    for name in reversed(path):
        value = {name: value}
    return value


def observed(name: str, network: dict[str, Any]) -> list[Tensor]:
    """Return what a system shows of itself: the sizes of its weights, what it colorizes, its losses."""
    system = build_system(tiny_run(name, **merge(NETWORKS[name], network))).train()
    for layer in system.modules():
        if isinstance(layer, BinPrior):  # one that is the same for all bins rebalances nothing
            layer.learn(torch.linspace(1, 2, len(layer.spec)).softmax(0))
    torch.manual_seed(0)
    batch = tiny_batch(1)
    out = system.forward_train(batch)
    losses = [value.detach() for phase in system.phases for value in system.losses(phase, batch, out).values()]
    sizes = torch.tensor([value.numel() for value in system.parameters()])
    with torch.no_grad():
        colours = system.eval().colorize(torch.linspace(0, 1, SIDE_PX**2).view(1, 1, SIDE_PX, SIDE_PX))
    return [sizes, colours, torch.stack(losses)]


@pytest.mark.parametrize("name", MODELS.names())
def test_every_setting_does_something(name: str) -> None:
    context = CONTEXT.get(name, {})
    usual = observed(name, context)
    idle = []
    for path, value, annotation in leaves(network_params(tiny_run(name, **merge(NETWORKS[name], context)))):
        changed = observed(name, merge(context, nested(path, other(path, value, annotation))))
        if all(torch.equal(before, after) for before, after in zip(usual, changed, strict=True)):
            idle.append(".".join(path))
    assert not idle
