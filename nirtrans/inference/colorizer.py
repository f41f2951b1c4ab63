"""The Python face: a weights file becomes an object that colours arrays and tensors."""

import math
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nirtrans.color.guidance import Guidance
from nirtrans.errors import InputError, UnknownNameError
from nirtrans.inference.device import resolve_device
from nirtrans.inference.formulas import formula_names, formula_system
from nirtrans.inference.forward import Forward, Precision
from nirtrans.inference.guidance_kinds import check_kinds
from nirtrans.inference.hints import guidance_from
from nirtrans.inference.memory import Activations, measure_activations, pixel_budget
from nirtrans.inference.photo import (
    GuidanceFor,
    PhotoModel,
    Size,
    colorize_photo,
    guidance_at,
    keeps_lightness,
    photo_model,
)
from nirtrans.inference.scene import ArrayScene, Scene, are_numbers
from nirtrans.inference.statistics import Sample, freeze_scene
from nirtrans.inference.stream import colorize_tiles
from nirtrans.inference.tiling import Grid, Window, round_up
from nirtrans.io.hint_points import Hints
from nirtrans.models.formulas import Formula
from nirtrans.models.system import System
from nirtrans.models.weights import ModelInfo, load_system, sha256, shipped_weights
from nirtrans.nn.norms import thaw
from nirtrans.registry import did_you_mean

ArrayT = TypeVar("ArrayT", NDArray[Any], Tensor)
Known = Guidance | GuidanceFor | None
"""What is known of the colours of a picture."""
Points = Iterable[Sequence[float]] | Hints | str | Path
"""Colour points of a picture, or a file of them."""
SURE_PX = 512**2  # of a picture that is coloured without asking how much memory it takes
EXCESS = 1.25
"""Pixels that the network may see per pixel of the scene before a larger tile is preferred."""
LARGEST_TILE_PX = 4096
BLOCK_PX = 256
"""Tiles are multiples of the least block of a raster file."""


def load_colorizer(weights: str | Path, *, device: str = "auto") -> "Colorizer":
    """Load a weights file, the best weights of a run folder, shipped weights by name, or a formula.

    Args:
        weights: A `.safetensors` file, a run folder, a shipped name, or one of `formula_names`.
        device: auto, cpu, cuda or cuda:N.

    Raises:
        CheckpointError: If the file is damaged, foreign or of another version.
        InputError: If the device does not exist.
        UnknownNameError: If it is neither a file nor a shipped name.
    """
    place = resolve_device(device)
    if weights in formula_names():
        return Colorizer(*formula_system(str(weights)), device=place, digest=str(weights))
    path = find_weights(str(weights))
    system, info = load_system(path)
    return Colorizer(system, info, device=place, digest=sha256(path), file_bytes=path.stat().st_size)


def find_weights(name: str) -> Path:
    """Return the file that a `--weights` argument means; raises UnknownNameError if it means none."""
    shipped = shipped_weights()
    if name in shipped:
        return shipped[name]
    path = Path(name).expanduser()
    if path.is_dir() and (path / "best.safetensors").exists():
        return path / "best.safetensors"
    if path.suffix == ".safetensors" or path.is_file():
        return path
    hint = did_you_mean(name, [*shipped, *formula_names()])
    raise UnknownNameError(f"unknown weights {name!r}: neither a .safetensors file nor a shipped name{hint}")


class Colorizer:
    """Weights that are ready to colour.

    Attributes:
        system: The networks, in evaluation mode.
        info: What the weights file says of itself.
        device: Where the networks are.
        digest: SHA-256 of the weights file.
        file_bytes: Its size; None for networks that are in no file.
    """

    def __init__(
        self,
        system: System,
        info: ModelInfo,
        *,
        device: torch.device,
        digest: str = "",
        file_bytes: int | None = None,
    ) -> None:
        self.system = system.to(device).eval().requires_grad_(False)
        self.info, self.device, self.digest, self.file_bytes = info, device, digest, file_bytes

    @cached_property
    def activations(self) -> Activations:
        """Memory that a forward pass needs."""
        return measure_activations(self.system, stride_px=self.info.stride_px)

    @cached_property
    def budget_px(self) -> int:
        """Pixels that one forward pass may see."""
        return pixel_budget(self.activations, self.device)

    def forward(self, precision: Precision = "fp32") -> Forward:
        """Return one pass through the network; raises InputError if the device does not know the precision."""
        return Forward(self.system, self.device, precision)

    def photo_model(self, size_px: int | None = None) -> PhotoModel:
        """Return what colours pictures whose lightness stays, at the size of training or another.

        Raises:
            InputError: If the network does not accept the size, or the memory does not hold it.
        """
        model = photo_model(self.forward(), self.info, size_px)
        measured = not isinstance(self.system, Formula)  # which does nothing without hints
        if measured and size_px is not None and size_px**2 > SURE_PX and size_px**2 > self.budget_px:
            raise InputError(f"--size {size_px}: the memory holds about {math.isqrt(self.budget_px)}; use --size auto")
        return model

    def colorize(self, x: ArrayT, guidance: Known = None, *, hints: Points | None = None) -> ArrayT:
        """Colour a NumPy picture or a torch batch; the same kind comes back.

        Integers are scaled by their type's maximum. Floats are [0, 1] for weights of pictures and physical values for
        weights of rasters. NaN marks pixels without data, which are NaN afterwards. Pictures that do not fit the
        memory are tiled without seams.

        Args:
            x: NumPy [H, W] or [H, W, C], or torch [N, C, H, W].
            guidance: What is known of the colours, of the size of the picture or of that at which the network sees it,
                alike for all of a batch; or a function of a size (height, width).
            hints: Instead of it points (x, y, r, g, b) or (x, y, r, g, b, radius) in pixels from the upper left and
                0 to 255, or a file of points.

        Returns:
            float32 in [0, 1]: NumPy [H, W, 3], or torch [N, 3, H, W] on the device of x.

        Raises:
            DataError: If hints are malformed or lie outside.
            InputError: If shape, type, range or hints do not fit the weights.
        """
        size = picture_size(x)
        if hints is not None:
            if guidance is not None:
                raise InputError("expected hints or guidance, got both; leave one out")
            guidance = guidance_from(hints, size)
        if isinstance(x, Tensor):
            coloured = [self._colorize_planes(picture.detach().cpu().numpy(), guidance) for picture in x]
            stacked = np.stack(coloured) if coloured else np.zeros((0, 3, *x.shape[2:]), np.float32)
            return torch.from_numpy(stacked).to(x.device)
        return np.moveaxis(self._colorize_planes(np.moveaxis(np.atleast_3d(x), -1, 0), guidance), 0, -1)

    def _colorize_planes(self, planes: NDArray[Any], guidance: Known) -> NDArray[np.float32]:
        """[C, H, W] as given -> [3, H, W]."""
        channels = self.system.in_channels
        if len(planes) != channels or 0 in planes.shape:
            shape = tuple(planes.shape[1:])
            raise InputError(
                f"these weights take {channels} channel(s), got {len(planes)} of {shape[0]} x {shape[1]} px"
            )
        unit = to_network_range(planes, self.info)
        valid = are_numbers(unit)
        return self.colorize_array(ArrayScene(unit, None if valid.all() else valid), guidance)

    def colorize_array(self, scene: ArrayScene, guidance: Known = None) -> NDArray[np.float32]:
        """Colour a picture in memory: [3, H, W], float32 in [0, 1], NaN where it is invalid; see `colorize`."""
        if keeps_lightness(self.system, self.info):
            return self._colorize_photo(scene, guidance)
        if guidance is not None:
            check_kinds(self.system, {"points"})
        grid = self.grid(scene)
        rgb = np.full((3, scene.height, scene.width), np.nan, dtype=np.float32)
        if len(grid) > 1 or scene.valid is not None:  # at once and whole, layers may as well normalise by themselves
            self.freeze(scene)
        try:
            for done in colorize_tiles(self.forward(), scene, grid.tiles()):
                if done.colours is not None:
                    core = done.tile.core
                    target = rgb[:, core.top : core.bottom, core.left : core.right]
                    np.copyto(target, done.colours, where=True if done.valid is None else done.valid)
        finally:
            self.thaw()
        return rgb.clip(0, 1, out=rgb)

    def _colorize_photo(self, scene: ArrayScene, guidance: Known) -> NDArray[np.float32]:
        valid = are_numbers(scene.pixels) if scene.valid is None else scene.valid & are_numbers(scene.pixels)
        hints = guidance_at(guidance) if isinstance(guidance, Guidance) else guidance
        known = None if valid.all() else valid
        return colorize_photo(self.photo_model(), scene.pixels, valid=known, guidance_for=hints)

    def freeze(self, scene: Scene) -> Sample | None:
        """Freeze the statistics of normalisation layers at those of a scene; see `nirtrans.inference.statistics`."""
        return freeze_scene(self.forward(), scene, stride_px=self.info.stride_px, budget_px=self.budget_px)

    def thaw(self) -> None:
        """Forget frozen statistics."""
        thaw(self.system)

    def grid(
        self,
        scene: Scene,
        *,
        tile_px: int | None = None,
        halo_px: int | None = None,
        step_px: int = BLOCK_PX,
        region: Window | None = None,
        whole: bool = True,
        fade: bool = False,
    ) -> Grid:
        """Choose tiles for a scene.

        Args:
            scene: What is to be cut.
            tile_px: Side of the cores, a multiple of the stride; 0 for the whole scene at once, None to choose.
            halo_px: Margin; None for the one that the weights need.
            step_px: What a chosen tile is a multiple of, beside the stride.
            region: The part that is wanted; None for all of the scene.
            whole: Whether a scene that the memory holds is one tile unless somebody chooses.
            fade: Whether tiles that do not agree are accepted.

        Raises:
            InputError: If the tile does not fit the stride or the memory, or the network needs the whole scene.
        """
        halo, stride = self.info.halo_px if halo_px is None else halo_px, self.info.stride_px
        if tile_px is not None and tile_px % stride:
            raise InputError(
                f"--tile {tile_px} is no multiple of the network's stride {stride}; use {round_up(tile_px, stride)}"
            )
        cut = partial(Grid, scene.height, scene.width, halo_px=halo, stride_px=stride, region=region)
        grid = cut(tile_px or 0)
        if tile_px is None and not (whole and grid.largest_px() <= self.budget_px):
            grid = cut(self._tile_px(halo, math.lcm(step_px, stride)))
        elif grid.largest_px() > self.budget_px:
            side = math.isqrt(self.budget_px)
            raise InputError(
                f"--tile {tile_px}: the memory holds about {side} x {side} px, halo included; use --tile auto"
            )
        if len(grid) > 1 and not self.info.bounded and not fade:
            raise InputError(
                f"{self.info.model} sees the whole picture, tiles would show; use one that fits memory, or --seam blend"
            )
        return grid

    def _tile_px(self, halo_px: int, step_px: int) -> int:
        """Return the least tile that recomputes little, or the largest that fits the memory; a multiple of the step."""
        for tile in range(1024, LARGEST_TILE_PX + 1, 512):
            seen = (tile + 2 * halo_px) ** 2
            if tile % step_px == 0 and seen <= min(self.budget_px, EXCESS * tile**2):
                return tile
        largest = math.isqrt(self.budget_px) - 2 * round_up(halo_px, self.info.stride_px)
        return max(step_px, min(largest, LARGEST_TILE_PX) // step_px * step_px)


def picture_size(x: NDArray[Any] | Tensor) -> Size:
    """Return height and width of NumPy [H, W] or [H, W, C], or torch [N, C, H, W].

    Raises:
        InputError: If it is neither.
    """
    if isinstance(x, Tensor):
        if x.dim() != 4:
            raise InputError(f"expected a torch batch [N, C, H, W], got {tuple(x.shape)}; add dimensions by x[None]")
        return x.shape[2], x.shape[3]
    if not isinstance(x, np.ndarray) or x.ndim not in (2, 3):
        got = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise InputError(f"expected a NumPy picture [H, W] or [H, W, 1] or a torch batch [N, C, H, W], got {got}")
    return x.shape[0], x.shape[1]


def to_network_range(values: NDArray[Any], info: ModelInfo) -> NDArray[np.float32]:
    """Scale values by the rule of the weights: integers by their type, physical floats by the input range.

    Args:
        values: [C, H, W], any integer or float type; what is not finite becomes NaN.
        info: The weights' description.

    Raises:
        InputError: If the type is neither, or floats of a picture are far outside [0, 1].
    """
    if values.dtype == bool or values.dtype.kind not in "uif":
        raise InputError(f"expected integers or floats, got {values.dtype}")
    if values.dtype.kind in "ui":
        return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    values = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    rule = info.preprocessing
    low, high = rule.input_range or (0.0, 1.0)
    finite = values[np.isfinite(values)]
    if rule.units == "percentile" and finite.size:
        low, high = np.percentile(finite, (2, 98))
    elif rule.units == "picture" and finite.size and (finite.min() < -0.5 or finite.max() > 1.5):
        raise InputError(f"expected floats in [0, 1], got {finite.min():.4g} to {finite.max():.4g}; scale them first")
    return ((values - low) / max(high - low, 1e-12)).clip(0, 1)
