"""One forward pass: where it runs, in which precision, and what is said when the memory ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from nirtrans.color.guidance import Guidance
from nirtrans.errors import InputError, OutOfMemory
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.system import System
from nirtrans.nn.noise import Place, placed

Precision = Literal["fp32", "bf16", "fp16"]
NormStats = Literal["scene", "frozen", "tile"]
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class NetworkOptions:
    """How the network is run, as far as it shows in the colours.

    Attributes:
        precision: See Forward.
        norm_stats: Where layers that normalise over the picture have their statistics from: a pass over the scene,
            a file that the user gives, or each tile itself, which leaves seams.
    """

    precision: Precision = "fp32"
    norm_stats: NormStats = "scene"


@dataclass(frozen=True)
class Forward:
    """A system that is ready to run, by several threads at once if need be.

    Attributes:
        system: In evaluation mode, on `device`.
        device: Where to compute.
        precision: Of convolutions and matrix products; results are float32.

    Raises:
        InputError: If the device does not know the precision.
    """

    system: System
    device: torch.device
    precision: Precision = "fp32"

    def __post_init__(self) -> None:
        if self.precision == "fp16" and self.device.type == "cpu":
            raise InputError("--precision fp16 needs a CUDA device; use bf16 or fp32 on the CPU")
        if self.precision == "bf16" and self.device.type == "cuda" and not torch.cuda.is_bf16_supported():
            raise InputError(f"--precision bf16: {self.device} has no bfloat16; use fp16 or fp32")

    def __call__(self, source: Tensor, place: Place | None = None) -> Tensor:
        """Colorize [N, C, H, W], sizes multiples of the stride, and bring the result to the CPU as float32.

        Networks end in [0, 1] or a little beyond; who stores the result clamps it.

        Args:
            source: The pixels, [0, 1].
            place: Where they come from, for networks with noise; None if each of the N begins a scene.

        Raises:
            OutOfMemory: If the device has too little memory; says what to make smaller.
        """
        with self._running(source, place, remedy="use a smaller --tile or --batch"):
            return self.system.colorize(source.to(self.device)).float().cpu()

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Predict the chroma of [N, 1, H, W] by a `ChromaSystem`, on the CPU as float32; raises as a call."""
        if not isinstance(self.system, ChromaSystem):
            raise TypeError(f"{type(self.system).__name__} predicts no chroma")
        hints = None if guidance is None else guidance.to(self.device)
        with self._running(source, None, remedy="use a smaller --size or --batch"):
            return self.system.predict(source.to(self.device), hints).float().cpu()

    @contextmanager
    def _running(self, source: Tensor, place: Place | None, *, remedy: str) -> Iterator[None]:
        low = torch.autocast(self.device.type, dtype=_TYPES.get(self.precision), enabled=self.precision != "fp32")
        try:
            with torch.inference_mode(), placed(place), low:
                yield
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
                size = "{} x {} px".format(*source.shape[-2:])
                raise OutOfMemory(f"{self.device} has too little memory for {size} at once; {remedy}") from None
            raise
