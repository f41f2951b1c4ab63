"""The weights file: a round trip, and every kind of damage refused with the first offender named."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nirtrans.errors import CheckpointError, InputError
from nirtrans.models import build_system
from nirtrans.models.weights import (
    ModelInfo,
    fill,
    inference_tensors,
    load_system,
    read_info,
    read_weights,
    save_weights,
    sha256,
)
from tests.models.tiny import tiny_run

RUN = tiny_run("cyclegan-asym")
INFO = ModelInfo(model=RUN.model, run=RUN, halo_px=48, stride_px=4, training_data="noise", licence="CC0-1.0")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_weights(path, inference_tensors(build_system(RUN)), INFO)
    return path


def rewrite_header(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit the JSON header of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


def rewrite_info(path: Path, **values: Any) -> None:
    """Change keys of the description."""

    def change(header: dict[str, Any]) -> None:
        header["__metadata__"]["nirtrans"] = json.dumps(json.loads(header["__metadata__"]["nirtrans"]) | values)

    rewrite_header(path, change)


def test_round_trip(path: Path) -> None:
    system, info = load_system(path)
    original = build_system(RUN).eval()
    source = torch.rand(1, 1, 32, 32)
    assert info == INFO == read_info(path)
    assert torch.equal(system.colorize(source), original.colorize(source).detach())
    assert [name for name, _ in system.named_children()] == ["to_rgb"]


def test_batch_norm_keeps_its_running_statistics(tmp_path: Path) -> None:
    run = tiny_run("cyclegan-asym", norm="batch")
    system = build_system(run)
    system.to_rgb(torch.rand(2, 1, 32, 32))
    info = INFO.model_copy(update={"run": run})
    save_weights(tmp_path / "w.safetensors", inference_tensors(system), info)
    source = torch.rand(1, 1, 32, 32)
    assert torch.equal(load_system(tmp_path / "w.safetensors")[0].colorize(source), system.eval().colorize(source))


def test_equal_weights_are_equal_files(path: Path) -> None:
    again = path.with_name("again.safetensors")
    save_weights(again, read_weights(path)[0], INFO)
    assert sha256(again) == sha256(path)


def test_fill_copies_into_a_larger_training_system(path: Path) -> None:
    system = build_system(tiny_run("cyclegan-asym", train={"seed": 5}))
    tensors, _ = read_weights(path)
    fill(system, tensors, origin="w")
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in inference_tensors(system).items())
    with pytest.raises(CheckpointError, match=r"^w: tensor to_rgb.blocks.1.* expected float32 .*, got none"):
        fill(build_system(tiny_run("cyclegan-asym", blocks=2)), tensors, origin="w")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content + b"\0", "damaged"),
        (lambda content: content[:-5], "damaged"),
        (lambda content: content[:50], "damaged"),
        (lambda content: b"", "damaged"),
        (lambda content: b"PK\x03\x04" + content, "damaged"),
    ],
    ids=["trailing", "truncated", "header", "empty", "pickle"],
)
def test_a_damaged_file_is_refused(path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match=f"weights.safetensors: {message}"):
        load_system(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("to_rgb.head.0.bias"), r"tensor to_rgb.head.0.bias: expected float32 \[3\], got none"),
        (lambda t: t.update(extra=torch.ones(2)), r"tensor extra: expected none, got float32 \[2\]"),
        (lambda t: t.update({"to_rgb.head.0.bias": torch.ones(4)}), r"expected float32 \[3\], got float32 \[4\]"),
        (
            lambda t: t.update({"to_rgb.head.0.bias": torch.ones(3).half()}),
            r"expected float32 \[3\], got float16 \[3\]",
        ),
        (lambda t: t.update({"to_rgb.head.0.bias": torch.tensor([0, torch.nan, 0])}), "head.0.bias holds NaN"),
        (lambda t: t.update({"to_rgb.head.0.bias": torch.tensor([0, torch.inf, 0])}), "head.0.bias holds NaN"),
    ],
    ids=["missing", "extra", "shape", "type", "nan", "inf"],
)
def test_wrong_tensors_are_named(path: Path, change: Callable[[dict[str, Tensor]], Any], message: str) -> None:
    tensors, _ = read_weights(path)
    change(tensors)
    save_weights(path, tensors, INFO)
    with pytest.raises(CheckpointError, match=message):
        load_system(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": 2}, "expected weights format 1, got 2"),
        ({"format": "1"}, "expected weights format 1, got '1'"),
        ({"halo_px": -1}, "halo_px: "),
        ({"secret": 1}, "secret is not a setting"),
        ({"model": "other"}, "names the model other, its run cyclegan-asym"),
        (
            {"run": {"model": "cyclegan-asym", "domain": "mars"}},
            "the stored run cannot be built: unknown domain 'mars'",
        ),
        (
            {"run": {"model": "cyclegan-asym", "domain": "nir", "network": {"paired": 30}}},
            r"network\.paired has become network\.fidelity\.l1; use the nirtrans that made it, or train it again",
        ),
    ],
)
def test_a_wrong_description_is_refused(path: Path, values: dict[str, Any], message: str) -> None:
    rewrite_info(path, **values)
    with pytest.raises(CheckpointError, match=message):
        load_system(path)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_an_unreadable_description_is_refused(path: Path, text: str) -> None:
    rewrite_header(path, lambda header: header["__metadata__"].update(nirtrans=text))
    with pytest.raises(CheckpointError, match="no weights of nirtrans"):
        load_system(path)


def test_foreign_weights_are_refused(path: Path) -> None:
    rewrite_header(path, lambda header: header.pop("__metadata__"))
    with pytest.raises(CheckpointError, match="no weights of nirtrans"):
        read_info(path)


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_system(tmp_path / "absent.safetensors")
    with pytest.raises(CheckpointError, match="it is a folder"):
        load_system(tmp_path)
    with pytest.raises(InputError, match="cannot write"):
        save_weights(tmp_path / "absent" / "w.safetensors", {}, INFO)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    torch.save({"to_rgb": torch.ones(1)}, tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match="damaged or no safetensors file"):
        load_system(tmp_path / "w.safetensors")
