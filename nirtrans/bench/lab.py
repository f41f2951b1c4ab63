"""sRGB to Lab and back, beside kornia, OpenCV, scikit-image and plain torch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nirtrans.bench.case import (
    Case,
    Setting,
    absent,
    calls,
    farthest,
    farthest_relative,
    gradients,
    installed,
    with_compiled,
)
from nirtrans.bench.image import image_cases
from nirtrans.bench.timing import Contestant
from nirtrans.kernels import lab_to_rgb, reference, rgb_to_lab

SHAPES = {
    "cpu": ((8, 3, 256, 256), (1, 3, 2048, 2048)),
    "cuda": ((16, 3, 1024, 1024),),
    "quick": ((1, 3, 32, 32),),
}
PEERS = {"kornia": "kornia", "OpenCV": "cv2", "scikit-image": "skimage"}
GRADIENT_GATE = 1e-3

Convert = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Direction:
    """One direction: ours, its twin, what peers call it, and how far we may be off."""

    name: str
    ours: Convert
    twin: Convert
    peer: str
    opencv: str
    skimage: str
    gate: float
    unit: str


DIRECTIONS = (
    Direction("rgb_to_lab", rgb_to_lab, reference.rgb_to_lab, "rgb_to_lab", "COLOR_RGB2Lab", "rgb2lab", 2e-4, "Lab"),
    Direction(
        "lab_to_rgb", lab_to_rgb, reference.lab_to_rgb, "lab_to_rgb", "COLOR_Lab2RGB", "lab2rgb", 0.003 / 255, "sRGB"
    ),
)


def cases(setting: Setting) -> Iterator[Case]:
    """Yield the colour kernels at each size: forward, with gradient, and from and to 8-bit images."""
    for shape in setting.shapes:
        # Clear of the clip bounds and of the bend of the sRGB curve at 0.04, where rounding decides between two slopes.
        rgb = 0.05 + 0.9 * torch.rand(shape, generator=torch.Generator().manual_seed(0))
        for direction in DIRECTIONS:
            image = (rgb if direction.name == "rgb_to_lab" else reference.rgb_to_lab(rgb)).to(setting.device)
            yield _forward(direction, image, setting)
            yield _forward_and_backward(direction, image, setting)
        yield from image_cases(shape, setting)


def _forward(direction: Direction, image: Tensor, setting: Setting) -> Case:
    expected = direction.twin(image.double())
    on_cpu = setting.device == "cpu"
    return Case(
        operation=direction.name,
        shape=tuple(image.shape),
        dtype="float32",
        contestants=calls(_functions(direction, setting), image) + (_array_peers(direction, image) if on_cpu else []),
        deviation=lambda result: farthest(result, expected),
        gate=direction.gate,
        unit=direction.unit,
        moved_bytes=2 * image.nbytes,
        device=setting.device,
        absent=absent(PEERS if on_cpu else {"kornia": "kornia"}),
    )


def _forward_and_backward(direction: Direction, image: Tensor, setting: Setting) -> Case:
    upstream = torch.randn(image.shape, generator=torch.Generator().manual_seed(1)).to(image)
    leaf = image.double().requires_grad_()
    (expected,) = torch.autograd.grad(direction.twin(leaf), leaf, upstream.double())
    return Case(
        operation=f"{direction.name}, forward and backward",
        shape=tuple(image.shape),
        dtype="float32",
        contestants=gradients(_functions(direction, setting), image, upstream=upstream),
        deviation=lambda result: farthest_relative(result, expected),
        gate=GRADIENT_GATE,
        unit="share of the largest gradient",
        moved_bytes=5 * image.nbytes,
        device=setting.device,
        absent=absent({"kornia": "kornia"}),
    )


def _functions(direction: Direction, setting: Setting) -> dict[str, Convert]:
    ours = {"nirtrans": direction.ours, "our twin in torch": direction.twin}
    if not installed("kornia"):
        return ours
    import kornia.color

    return ours | with_compiled({"kornia": getattr(kornia.color, direction.peer)}, setting.compiled)


def _array_peers(direction: Direction, image: Tensor) -> list[Contestant]:
    """Peers on NumPy arrays, in their own layout: a list of [H, W, 3]."""
    pictures = [np.ascontiguousarray(picture.movedim(0, -1).numpy()) for picture in image]
    peers: dict[str, Callable[[np.ndarray], Any]] = {}
    if installed("cv2"):
        import cv2

        code = getattr(cv2, direction.opencv)
        peers["OpenCV"] = lambda picture: cv2.cvtColor(picture, code)
    if installed("skimage"):
        import skimage.color

        peers["scikit-image"] = getattr(skimage.color, direction.skimage)
    return [Contestant(name, partial(_each, convert, pictures), _stacked) for name, convert in peers.items()]


def _each(convert: Callable[[np.ndarray], Any], pictures: list[np.ndarray]) -> list[np.ndarray]:
    return [convert(picture) for picture in pictures]


def _stacked(pictures: list[np.ndarray]) -> Tensor:
    """Join pictures [H, W, 3] to one tensor [N, 3, H, W]."""
    return torch.stack([torch.from_numpy(picture).movedim(-1, 0) for picture in pictures])
