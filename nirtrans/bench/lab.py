"""sRGB to Lab and back beside kornia, OpenCV, scikit-image and plain torch."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nirtrans.bench.report import Race, environment, keep, markdown
from nirtrans.bench.timing import Clock, Contestant, cpu_clock, cuda_clock, race
from nirtrans.errors import RunError
from nirtrans.kernels import build_info, lab_to_rgb, reference, rgb_to_lab

CPU_SHAPES = ((8, 3, 256, 256), (1, 3, 2048, 2048))
CUDA_SHAPES = ((16, 3, 1024, 1024),)
PEERS = {"kornia": "kornia", "OpenCV": "cv2", "scikit-image": "skimage"}
COPY = "copy of the same bytes"

Convert = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Operation:
    """One direction: ours, its twin, what peers call it, and how far we may be off."""

    name: str
    ours: Convert
    twin: Convert
    kornia: str
    opencv: str
    skimage: str
    gate: float
    unit: str


OPERATIONS = (
    Operation("rgb_to_lab", rgb_to_lab, reference.rgb_to_lab, "rgb_to_lab", "COLOR_RGB2Lab", "rgb2lab", 2e-4, "Lab"),
    Operation(
        "lab_to_rgb", lab_to_rgb, reference.lab_to_rgb, "lab_to_rgb", "COLOR_Lab2RGB", "lab2rgb", 0.003 / 255, "sRGB"
    ),
)


def run_lab(*, threads: list[int], out: Path | None = None, compiled: bool = False) -> str:
    """Race the Lab kernels on the CPU and, where there is one, on the GPU.

    Args:
        threads: CPU thread counts, each raced on its own.
        out: Folder for lab-cpu.json, lab-cpu.md (and lab-cuda.*); nothing is written if None.
        compiled: Time torch.compile of kornia as well.

    Returns:
        The tables in Markdown.

    Raises:
        RunError: If a kernel misses its accuracy gate; it is not timed then.
    """
    devices = ["cpu", "cuda"] if torch.cuda.is_available() and build_info()["cuda"] else ["cpu"]
    return "\n".join(_run_on(device, threads, out, compiled) for device in devices)


def _run_on(device: str, threads: list[int], out: Path | None, compiled: bool) -> str:
    about = environment(device)
    races = list(_races(device, threads, compiled))
    text = markdown(races, about, "nirtrans bench lab" + " --compiled" * compiled)
    if out is not None:
        keep(out, f"lab-{device}", races, about, text)
    return text


def _races(device: str, threads: list[int], compiled: bool) -> list[Race]:
    if device == "cuda":
        return [_race(op, shape, None, back, compiled) for shape in CUDA_SHAPES for op, back in _variants()]
    before = torch.get_num_threads()
    try:
        return [
            _race(op, shape, count, back, compiled)
            for shape in CPU_SHAPES
            for count in threads
            for op, back in _variants()
        ]
    finally:
        torch.set_num_threads(before)


def _variants() -> list[tuple[Operation, bool]]:
    return [(operation, backward) for operation in OPERATIONS for backward in (False, True)]


def _race(op: Operation, shape: tuple[int, ...], threads: int | None, backward: bool, compiled: bool) -> Race:
    device = "cuda" if threads is None else "cpu"
    if threads is not None:
        _use_threads(threads)
    generator = torch.Generator().manual_seed(0)
    rgb = torch.rand(shape, generator=generator)
    image = (rgb if op.name == "rgb_to_lab" else reference.rgb_to_lab(rgb)).to(device)
    converters = {"nirtrans": op.ours, "torch, our twin": op.twin} | _torch_peers(op, compiled)
    errors = {name: _error(convert(image), op, image) for name, convert in converters.items()}
    if errors["nirtrans"] > op.gate:
        raise RunError(f"{op.name} is off by {errors['nirtrans']:.2g} {op.unit}, above {op.gate:.2g}: not timed")
    if backward:
        contestants = [Contestant(name, _with_gradient(convert, image)) for name, convert in converters.items()]
    else:
        contestants = [Contestant(name, _call(convert, image)) for name, convert in converters.items()]
        if device == "cpu":
            arrays = _array_peers(op, image)
            errors |= {name: _error(_from_hwc(run()), op, image) for name, run in arrays.items()}
            contestants += [Contestant(name, run) for name, run in arrays.items()]
    contestants.append(Contestant(COPY, _copies(image, backward)))
    clock: Clock = cuda_clock() if threads is None else cpu_clock(threads)
    timings = race(contestants, clock, on_cuda=device == "cuda")
    title = f"{op.name}, forward and backward" if backward else op.name
    wanted = {"kornia"} if backward or device == "cuda" else set(PEERS)
    absent = [name for name, module in PEERS.items() if name in wanted and not importlib.util.find_spec(module)]
    return Race(f"{title} (error in {op.unit})", shape, "float32", threads, timings, errors, absent)


def _use_threads(count: int) -> None:
    torch.set_num_threads(count)
    if importlib.util.find_spec("cv2"):
        import cv2

        cv2.setNumThreads(count)


def _torch_peers(op: Operation, compiled: bool) -> dict[str, Convert]:
    if not importlib.util.find_spec("kornia"):
        return {}
    import kornia.color

    convert = getattr(kornia.color, op.kornia)
    return {"kornia": convert} | ({"kornia, compiled": torch.compile(convert)} if compiled else {})


def _array_peers(op: Operation, image: Tensor) -> dict[str, Callable[[], Any]]:
    """Peers on NumPy arrays, in their own layout: a list of [H, W, 3]."""
    pictures = [np.ascontiguousarray(picture.movedim(0, -1).numpy()) for picture in image]
    peers: dict[str, Callable[[], Any]] = {}
    if importlib.util.find_spec("cv2"):
        import cv2

        code = getattr(cv2, op.opencv)
        peers["OpenCV"] = lambda: [cv2.cvtColor(picture, code) for picture in pictures]
    if importlib.util.find_spec("skimage"):
        import skimage.color

        convert = getattr(skimage.color, op.skimage)
        peers["scikit-image"] = lambda: [convert(picture) for picture in pictures]
    return peers


def _from_hwc(pictures: list[np.ndarray]) -> Tensor:
    return torch.stack([torch.from_numpy(picture).movedim(-1, 0) for picture in pictures])


def _error(result: Tensor, op: Operation, image: Tensor) -> float:
    return (result - op.twin(image.double())).abs().max().item()


def _call(convert: Convert, image: Tensor) -> Callable[[], Tensor]:
    return lambda: convert(image)


def _with_gradient(convert: Convert, image: Tensor) -> Callable[[], Tensor]:
    leaf, upstream = image.clone().requires_grad_(), torch.ones_like(image)
    return lambda: torch.autograd.grad(convert(leaf), leaf, upstream)[0]


def _copies(image: Tensor, backward: bool) -> Callable[[], Tensor]:
    """Move as many bytes as the kernels must: 2 tensors forward, 3 more backward; no kernel can be faster."""
    target = torch.empty_like(image)
    half = image.flatten()[: image.numel() // 2]

    def run() -> Tensor:
        target.copy_(image)
        if backward:
            target.copy_(image)
            target.flatten()[: half.numel()].copy_(half)
        return target

    return run
