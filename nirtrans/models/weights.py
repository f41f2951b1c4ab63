"""The weights file: tensors of the inference networks and all that colorizing needs to know, in one safetensors file.

Nothing is ever unpickled. The metadata is validated like a config, the tensors against the networks that it describes,
and the first offender is named.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nirtrans import __version__
from nirtrans.config import NonNegativeInt, PositiveInt, Preprocessing, Run, Settings
from nirtrans.config_files import validate
from nirtrans.errors import CheckpointError, UserError
from nirtrans.io.atomic import atomic_path
from nirtrans.models.build import build_system
from nirtrans.models.system import System

FORMAT = 1
KEY = "nirtrans"  # one metadata key only: safetensors writes several in random order, and equal files shall be equal
SHIPPED = Path(__file__).parent.parent / "weights"


class ModelInfo(Settings):
    """What a weights file says of itself."""

    format: int = FORMAT
    """Version of this metadata."""
    model: str
    """Registered name of the system."""
    run: Run
    """The resolved run that made the weights."""
    step: NonNegativeInt | None = None
    """Optimizer steps behind the weights; None if not stated."""
    preprocessing: Preprocessing = Preprocessing()
    """How values of a file become the [0, 1] that the network knows."""
    halo_px: NonNegativeInt
    """Pixels around a tile that decide its colours, a multiple of the stride."""
    stride_px: PositiveInt
    """Sizes and tile origins must be multiples of it."""
    bounded: bool = True
    """Whether the halo is complete: False if every pixel may depend on the whole picture."""
    classes: tuple[str, ...] = ()
    """Names of the classes of pictures that it learnt, in the order of their numbers."""
    training_data: str = "not stated"
    """What the network was trained on."""
    licence: str = "not stated"
    """Terms of the weights."""
    version: str = __version__
    """Version of nirtrans that wrote the file."""


def inference_tensors(system: System) -> dict[str, Tensor]:
    """Return parameters and buffers of the networks that `colorize` uses, by name: what a weights file holds."""
    return {name: tensor for name, tensor in system.state_dict().items() if name.split(".")[0] in system.inference}


def save_weights(path: Path, tensors: Mapping[str, Tensor], info: ModelInfo) -> None:
    """Write a weights file atomically.

    Args:
        path: Target, usually `*.safetensors`.
        tensors: As `inference_tensors` returns them, or their moving average.
        info: What the file says of itself.

    Raises:
        InputError: If the target cannot be written.
        IOFailure: If writing breaks off.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(plain, metadata={KEY: info.model_dump_json()})
    with atomic_path(path) as temporary:  # safetensors' own writing hides the reason when a disk is full
        temporary.write_bytes(content)


def read_info(path: Path | str) -> ModelInfo:
    """Read what a weights file says of itself, without its tensors.

    Raises:
        CheckpointError: If the file is absent, damaged, foreign or of an unknown format.
    """
    return _read(Path(path), with_tensors=False)[1]


def read_weights(path: Path | str) -> tuple[dict[str, Tensor], ModelInfo]:
    """Read tensors and description of a weights file; `fill` checks the tensors against a system.

    Raises:
        CheckpointError: If the file is absent, damaged, foreign or of an unknown format.
    """
    return _read(Path(path), with_tensors=True)


def load_system(path: Path | str) -> tuple[System, ModelInfo]:
    """Build the system that a weights file describes, ready to colorize on the CPU.

    It holds the inference networks alone, frozen and in evaluation mode; those of training are gone.

    Raises:
        CheckpointError: If the file is absent, damaged, foreign, of an unknown format, or its tensors do not fit.
    """
    tensors, info = read_weights(path)
    try:
        with torch.device("meta"):  # no memory and no random numbers for weights that are replaced at once
            system = build_system(info.run)
    except UserError as error:
        remedy = "use the nirtrans that made it, or train it again with this one"
        raise CheckpointError(f"{path}: the stored run cannot be built: {error}; {remedy}") from None
    for name in [name for name, _ in system.named_children() if name not in system.inference]:
        delattr(system, name)
    check_tensors(tensors, inference_tensors(system), origin=str(path))
    # Copied: in the file tensors lie at any byte, and kernels differ in the last digit where memory is not aligned.
    system.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()}, assign=True)
    return system.eval().requires_grad_(False), info


def fill(system: System, tensors: Mapping[str, Tensor], *, origin: str) -> None:
    """Copy tensors of a weights file into the inference networks of a system, as `--init-from` does.

    Raises:
        CheckpointError: If they do not fit; names `origin` and the first offender.
    """
    wanted = inference_tensors(system)
    check_tensors(tensors, wanted, origin=origin)
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(tensors[name])


def check_tensors(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], *, origin: str) -> None:
    """Check names, shapes, types and finiteness.

    Raises:
        CheckpointError: Naming `origin` and the first tensor that is missing, unknown, of another kind or not finite.
    """
    for name in sorted(expected.keys() | tensors.keys()):
        want, have = (_describe(group.get(name)) for group in (expected, tensors))
        if want != have:
            raise CheckpointError(f"{origin}: tensor {name}: expected {want}, got {have}; use weights of this model")
        if not bool(tensors[name].isfinite().all()):
            raise CheckpointError(f"{origin}: tensor {name} holds NaN or infinity; use an earlier checkpoint")


def shipped_weights() -> dict[str, Path]:
    """Return the weights inside the package, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.safetensors"))}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _describe(tensor: Tensor | None) -> str:
    if tensor is None:
        return "none"
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _read(path: Path, *, with_tensors: bool) -> tuple[dict[str, Tensor], ModelInfo]:
    try:
        with safe_open(path, framework="pt") as file:
            info = _parse_info(file.metadata(), origin=str(path))
            names = list(file.keys()) if with_tensors else []
            return {name: file.get_tensor(name) for name in names}, info
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else error.strerror or "no such file"
        raise CheckpointError(f"{path}: cannot be opened ({reason}); give a .safetensors file of nirtrans") from None
    except SafetensorError as error:
        raise CheckpointError(f"{path}: damaged or no safetensors file ({error}); copy or train it again") from None


def _parse_info(metadata: Mapping[str, str] | None, *, origin: str) -> ModelInfo:
    try:
        values = json.loads((metadata or {})[KEY])
        version = values["format"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise CheckpointError(f"{origin}: no weights of nirtrans (their description is absent or unreadable)") from None
    if version != FORMAT:
        raise CheckpointError(f"{origin}: expected weights format {FORMAT}, got {version!r}; use a matching nirtrans")
    try:
        info = validate(ModelInfo, values, origin=origin)
    except UserError as error:
        raise CheckpointError(str(error)) from None
    if info.model != info.run.model:
        raise CheckpointError(f"{origin}: the file names the model {info.model}, its run {info.run.model}")
    return info
