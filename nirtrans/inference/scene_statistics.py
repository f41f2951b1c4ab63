"""What a first pass finds out about a whole scene, in a file: range of the values, frozen statistics of the network.

Shards, workers and resumed runs read one file, so that what they make fits together; `--stats-in` gives a scene the
colours of its neighbour.
"""

import json
import logging
from pathlib import Path

import torch

from nirtrans.config import Settings
from nirtrans.config_files import validate
from nirtrans.errors import InputError
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.forward import NormStats
from nirtrans.inference.scaling import RasterScene, Rule
from nirtrans.inference.statistics import depends_on_picture
from nirtrans.io.atomic import write_text
from nirtrans.nn.norms import frozen_statistics, load_frozen

log = logging.getLogger("nirtrans")
FORMAT = 1


class SampleSettings(Settings):
    """See `nirtrans.inference.statistics.Sample`."""

    tiles: int
    share: float
    whole: bool
    tone_difference: float


class SceneStatistics(Settings):
    """What is known of a scene before its tiles are coloured."""

    format: int = FORMAT
    """Version of this file."""
    weights_sha256: str
    """The weights that `frozen` belongs to."""
    input_range: tuple[float, float]
    """Values, scaled if a scaling is known, that become 0 and 1."""
    fill: bool
    """Whether zeros in every band mean that nothing was measured."""
    valid_share: float = 1.0
    """Share of measured pixels."""
    sample: SampleSettings | None = None
    """What `frozen` rests on."""
    frozen: dict[str, list[float]] = {}
    """Mean and variance of each layer that normalises over the picture."""

    def rule(self) -> Rule:
        """Return what scaling the scene needs of it."""
        return Rule(*self.input_range, self.fill, self.valid_share)


def find_statistics(colorizer: Colorizer, scene: RasterScene, norm_stats: NormStats = "scene") -> SceneStatistics:
    """Freeze the colorizer at the statistics of a scene and return them; leave it as it is if tiles have their own."""
    if norm_stats == "tile" and depends_on_picture(colorizer.system):
        log.warning("--norm-stats tile: each tile is normalised by itself, seams will show")
    sample = colorizer.freeze(scene) if norm_stats == "scene" else None
    return SceneStatistics(
        weights_sha256=colorizer.digest,
        input_range=(scene.low, scene.high),
        fill=scene.filled,
        valid_share=scene.valid_share,
        sample=None if sample is None else SampleSettings(**vars(sample)),
        frozen={name: value.tolist() for name, value in frozen_statistics(colorizer.system).items()},
    )


def use_statistics(colorizer: Colorizer, statistics: SceneStatistics) -> None:
    """Freeze the colorizer at known statistics.

    Raises:
        InputError: If they belong to other weights, or do not fit them.
    """
    if not depends_on_picture(colorizer.system):
        return
    if statistics.weights_sha256 != colorizer.digest:
        raise InputError("the statistics belong to other weights, and this network normalises over the picture")
    try:
        load_frozen(colorizer.system, {name: torch.tensor(value) for name, value in statistics.frozen.items()})
    except ValueError as error:
        raise InputError(str(error)) from None


def read_statistics(path: Path) -> SceneStatistics:
    """Read a file of statistics.

    Raises:
        InputError: If it cannot be read.
        ConfigError: If it holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a file of --stats-out") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: expected statistics of format {FORMAT}; give a file of --stats-out")
    return validate(SceneStatistics, content, origin=str(path))


def write_statistics(path: Path, statistics: SceneStatistics) -> None:
    """Write a file of statistics; raises as `nirtrans.io.atomic.atomic_path`."""
    write_text(path, statistics.model_dump_json(indent=1) + "\n")
