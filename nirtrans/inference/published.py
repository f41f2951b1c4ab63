"""Bring weights that a paper published, in a file of the user, into a weights file of nirtrans."""

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from nirtrans.config import Preprocessing
from nirtrans.config_files import resolve_run
from nirtrans.errors import CheckpointError, UnknownNameError
from nirtrans.models.build import build_system, find_model
from nirtrans.models.halo import probe
from nirtrans.models.published import PUBLISHED, counted
from nirtrans.models.weights import ModelInfo, check_tensors, inference_tensors, save_weights
from nirtrans.registry import did_you_mean


def convert(source: Path, target: Path, *, model: str) -> int:
    """Write a weights file from a state dict under the published names of the layers.

    Args:
        source: `.safetensors`, or a `.pth` of tensors alone; nothing else in it is ever unpickled.
        target: The weights file.
        model: One of `PUBLISHED`.

    Returns:
        The number of values.

    Raises:
        CheckpointError: If the file is no state dict, or its tensors do not fit the model; names the first.
        UnknownNameError: If nothing is published for the model.
        InputError: If the target cannot be written.
    """
    find_model(model)
    if model not in PUBLISHED:
        raise UnknownNameError(f"no published weights are known for {model}{did_you_mean(model, list(PUBLISHED))}")
    rename, settings = PUBLISHED[model]
    run = resolve_run(model=model, flags={"network": settings})
    with torch.device("meta"):
        system = build_system(run).eval()
    expected = inference_tensors(system)
    tensors = counted(rename(read_state_dict(source)), expected)
    check_tensors(tensors, expected, origin=str(source))
    reach = probe(system)
    info = ModelInfo(
        model=model,
        run=run,
        halo_px=reach.halo_px,
        stride_px=reach.stride_px,
        bounded=reach.bounded,
        preprocessing=Preprocessing(bands=(run.domain,)),
        training_data=f"as published, from {source.name}",
    )
    save_weights(target, tensors, info)
    return sum(tensor.numel() for tensor in tensors.values())


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read tensors by name from `.safetensors`, or from a file of torch that holds nothing else.

    Raises:
        CheckpointError: If it cannot be read or is something else.
    """
    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error}); give a state dict") from None
    except (RuntimeError, SafetensorError, EOFError, ValueError, KeyError, pickle.UnpicklingError):
        raise CheckpointError(f"{path}: no state dict of tensors alone; save it again with torch.save") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{path}: expected tensors by name, got something else; save model.state_dict()")
    return state
