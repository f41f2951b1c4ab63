"""Weights published with papers, under the names of their layers: from a state dict of theirs to tensors of ours."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nirtrans.color.bins import AB313
from nirtrans.color.ranges import AB_SCALE
from nirtrans.errors import CheckpointError
from nirtrans.nn.trunks import BLOCKS

Tensors = Mapping[str, Tensor]
TOLERANCE = 0.5
"""How far a published bin may lie from ours, CIE units; they are on a grid of 10."""


def zhang2016(published: Tensors) -> dict[str, Tensor]:
    """Rename the tensors of `model1` ... `model8` and check that `model_out` holds the bins that we have.

    Raises:
        CheckpointError: If the bins are others, or in another order.
    """
    tensors = {_in_trunk(name): tensor for name, tensor in published.items() if name != "model_out.weight"}
    table = published.get("model_out.weight")
    if table is not None:
        centres = table.flatten(1).T.float() * AB_SCALE
        if centres.shape != AB313.centres.shape or (centres - AB313.centres).abs().max() > TOLERANCE:
            raise CheckpointError(
                "model_out.weight: expected the 313 bins of Zhang et al. 2016 in their order; use those"
            )
    return tensors | {"to_ab.prior.frequency": torch.full((len(AB313),), 1 / len(AB313))}


def zhang2017(published: Tensors) -> dict[str, Tensor]:
    """Rename the tensors of `model1` to `model10`; those of the decoder and of both heads have our names."""
    return {_in_trunk(name): tensor for name, tensor in published.items()}


def _in_trunk(name: str) -> str:
    block = name.split(".")[0].removeprefix("model")
    shared = block.isdecimal() and 1 <= int(block) <= len(BLOCKS)
    return f"to_ab.trunk.{name}" if shared else f"to_ab.{name}"


PUBLISHED: dict[str, tuple[Callable[[Tensors], dict[str, Tensor]], dict[str, float]]] = {
    "zhang2016": (zhang2016, {"temperature": 1.0}),
    "zhang2017": (zhang2017, {"mask_centre": 0.0}),
}
"""By model: how its published tensors are renamed, and the settings of the published network that differ from ours."""


def counted(tensors: dict[str, Tensor], expected: Tensors) -> dict[str, Tensor]:
    """Add the step counts of batch norm, which files of old versions of torch lack."""
    absent = {name: torch.zeros_like(value, device="cpu") for name, value in expected.items() if _is_count(name)}
    return absent | tensors


def _is_count(name: str) -> bool:
    return name.endswith("num_batches_tracked")
