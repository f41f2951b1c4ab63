"""The settings of a run: what may stand in a config, what it means, and its default.

Every default is written once, here in its field. A field's sentence becomes the help of `nirtrans config --schema`.
`network` stays a mapping: the model that it belongs to validates it with its own `Params` (`nirtrans.models`).
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

PositiveInt = Annotated[int, Field(gt=0, le=10**9)]
NonNegativeInt = Annotated[int, Field(ge=0, le=10**9)]
Share = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Pairing = Literal["paired", "unpaired", "mixed"]
Drawing = Literal["xdog", "canny"]


class Settings(BaseModel):
    """A frozen block of settings: unknown keys are errors, booleans are no numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)
    renamed: ClassVar[Mapping[str, str]] = {}
    """Keys of earlier versions, and under which ones of the same block their values stand now."""

    @field_validator("*", mode="before")
    @classmethod
    def _mend_yaml_scalars(cls, value: Any, info: Any) -> Any:
        """YAML 1.1 reads `on` as a boolean, which is refused as a number, and `2e5` as a word, which is converted."""
        kinds = _leaf_types(cls.model_fields[info.field_name].annotation)
        if isinstance(value, bool) and bool not in kinds:
            raise ValueError(f"{str(value).lower()} is a boolean here; quote the word or give a number")
        if isinstance(value, str) and int in kinds and str not in kinds and _EXPONENT.fullmatch(value):
            return int(float(value)) if float(value).is_integer() else float(value)
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _complete_blocks(cls, value: Any, info: Any) -> Any:
        """A block given in part keeps the rest of its field's default, which may differ from that of its class."""
        return _over(cls.model_fields[info.field_name].default, value)


def _over(default: Any, value: Any) -> Any:
    if not isinstance(default, Settings) or not isinstance(value, dict):
        return value
    return dict(default) | {key: _over(getattr(default, str(key), None), part) for key, part in value.items()}


_EXPONENT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d{1,2}")


def _leaf_types(annotation: Any) -> set[Any]:
    arguments = getattr(annotation, "__args__", None)
    return {annotation} if not arguments else set().union(*(_leaf_types(argument) for argument in arguments))


class SourceSettings(Settings):
    """One folder or raster of training data."""

    path: str
    """Folder of pairs, of trainA/trainB, of rasters or of pictures; or one raster file."""
    bands: dict[str, PositiveInt] | None = None
    """Band numbers of rasters, from 1: {nir: 4, red: 1, green: 2, blue: 3}; None: by the descriptions in the file."""
    sensor: str | None = None
    """Sensor table for bands and scaling: s2-l2a, landsat-c2-l2, naip, generic."""
    scale: float | None = None
    """Physical value = number * scale + offset; overrides the file and the sensor."""
    offset: float | None = None
    """See scale."""
    scenes: dict[str, str] | None = None
    """Scene of a file, by file name without suffix, where several files show one place."""
    splits: dict[str, Literal["train", "val", "test", "none"]] | None = None
    """Split of a file, by file name without suffix; "*" stands for all others, none leaves a file out."""


class DataSettings(Settings):
    """Where samples come from and how they are cut."""

    sources: tuple[SourceSettings, ...] = ()
    """What to train on; empty means the built-in synthetic scenes."""
    exclude: str | None = None
    """CSV file with a column `id`: pictures to leave out, such as `nirtrans data check-registration --out` writes."""
    prior: str | None = None
    """File of how often each ab bin occurs, as `nirtrans data prior` writes it, for models that weight rare colours up.

    None: the training pictures are counted when a run begins."""
    pairing: Pairing | None = None
    """paired: source and target of one place; unpaired: drawn independently; mixed: both kinds of batch alternate.

    None: what the data are: paired, unpaired, or mixed where sources of both kinds are joined."""
    crop_px: PositiveInt = 256
    """Side of the square training crops."""
    flip: bool = True
    """Mirror at random; rasters also flip upside down and turn by 90 degrees."""
    short_side_px: PositiveInt | None = None
    """Pictures are shrunk or enlarged so that their shorter side has so many pixels, then crops are cut; None: as they
    are. Systems that colour pictures at one size do so at this one."""
    scale_jitter: Share = 0.0
    """Crops are resized by a random factor in [1 - x, 1 + x]; pictures down to crop_px * (1 - x) are then accepted."""
    tone_jitter: Share = 0.0
    """Gamma, gain and offset of the sources, not of the targets, vary by factors up to e^x and e^(x/2) and by x/5."""
    workers: Annotated[int, Field(ge=0, le=256)] = 1
    """Processes that read and cut samples beside the training process."""
    input_range: tuple[float, float] | Literal["percentile"] | None = None
    """Source values of rasters that become 0 and 1, or percentile (2 and 98 of each scene).

    None: a physical range if every raster has a known scaling, else percentile."""
    lineart: Drawing = "xdog"
    """How line art is made of colour pictures: xdog (soft, as wide as strokes) or canny (one pixel wide)."""
    synthetic_scenes: PositiveInt = 24
    """Scenes to generate when there are no sources."""

    @model_validator(mode="after")
    def _check_sizes(self) -> "DataSettings":
        if self.short_side_px is not None and self.short_side_px < self.crop_px:
            raise ValueError(f"short_side_px {self.short_side_px} must be at least crop_px {self.crop_px}")
        return self

    @field_validator("sources", mode="before")
    @classmethod
    def _accept_bare_paths(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [{"path": item} if isinstance(item, str) else item for item in value]
        return value


class OptimizerSettings(Settings):
    """Adam, one instance per distinct group of networks."""

    lr: Annotated[float, Field(gt=0)] = 2e-4
    """Learning rate before the decay."""
    betas: tuple[Decay, Decay] = (0.5, 0.999)
    """Decay of the two moments."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay."""


class PhaseSettings(Settings):
    """What differs for one phase of a system."""

    lr: Annotated[float, Field(gt=0)] | None = None
    """Learning rate of this phase."""
    every: PositiveInt = 1
    """Run the phase on every n-th step."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Largest gradient norm of this phase."""


class StageSettings(Settings):
    """One stage of a method that trains in stages."""

    share: Annotated[float, Field(gt=0, le=1)]
    """Share of the schedule; those of all stages sum to 1."""
    lr: Annotated[float, Field(gt=0)] | None = None
    """Learning rate in this stage; that of a phase comes first."""


class TrainSettings(Settings):
    """How long, how fast, and what is kept."""

    steps: PositiveInt = 100_000
    """Optimizer steps of the whole run."""
    schedule_steps: PositiveInt | None = None
    """Length of the learning-rate schedule; None: the steps that the run started with."""
    constant_share: Share = 0.5
    """Share of the schedule at the full rate; then it falls linearly to 0."""
    batch: PositiveInt = 1
    """Samples per step, over all processes and accumulation steps."""
    accumulate: PositiveInt = 1
    """Forward passes that share one optimizer step."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Arithmetic of the forward passes; weights stay float32."""
    channels_last: bool = False
    """Keep the channels of a pixel together in memory; the gain depends on the machine: `nirtrans bench train`."""
    recompute: bool = False
    """Compute activations at large sizes again in the backward pass instead of keeping them, where a network can: less
    memory for a little time."""
    compile: bool = False
    """Compile the networks that colorize with torch.compile: minutes at the start, less time per step."""
    pool: NonNegativeInt = 50
    """Generated images remembered for the discriminators; 0 switches the pool off."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Decay of the averaged weights that are validated and saved; 0 keeps the last ones."""
    optimizer: OptimizerSettings = OptimizerSettings()
    """Settings of the optimizers."""
    phases: dict[str, PhaseSettings] = {}
    """Deviations per phase, such as {discriminator: {lr: 1.0e-4}}."""
    stages: tuple[StageSettings, ...] = ()
    """How long each stage of a method that trains in stages takes; empty: all the same."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Largest gradient norm; None does not clip."""
    validate_every: PositiveInt = 1000
    """Steps between validations; one more at the end."""
    best: Literal["psnr", "ssim", "ae"] = "psnr"
    """Metric that decides what best.safetensors holds."""
    state_every: PositiveInt = 1000
    """Steps between saved training states."""
    sample_every: PositiveInt = 1000
    """Steps between sample grids; one more at the end."""
    log_every: PositiveInt = 10
    """Steps between lines of metrics.jsonl."""
    max_nonfinite: PositiveInt = 5
    """Non-finite losses in a row after which the run stops."""
    sync_batchnorm: bool = True
    """With several CUDA processes, batch norm takes its statistics over all of them; else each process has its own."""
    seed: NonNegativeInt = 0
    """Seed of weights, order, crops and noise."""


class Run(Settings):
    """Everything that decides what a training run does."""

    model: str
    """Registered name of the system; see `nirtrans models`."""
    domain: str
    """nir, gray or lineart."""
    network: dict[str, Any] = {}
    """Settings of the model itself; see `nirtrans config NAME`."""
    data: DataSettings = DataSettings()
    """Where samples come from."""
    train: TrainSettings = TrainSettings()
    """How the training goes."""

    @model_validator(mode="after")
    def _check_batch(self) -> "Run":
        if self.train.batch % self.train.accumulate:
            raise ValueError(
                f"train.batch {self.train.batch} must be a multiple of train.accumulate {self.train.accumulate}"
            )
        return self


class Preprocessing(Settings):
    """How values of a file become the [0, 1] that a network was trained on; stored in the weights file."""

    kind: Literal["picture", "raster"] = "picture"
    """picture: integers are divided by their type's maximum; raster: by units and input_range."""
    bands: tuple[str, ...] = ("nir",)
    """Names of the source bands in the order of the channels."""
    units: Literal["picture", "reflectance", "percentile"] = "picture"
    """picture: as above; reflectance: physical values over input_range; percentile: 2 and 98 of the scene."""
    input_range: tuple[float, float] | None = None
    """Physical values that become 0 and 1, for reflectance."""
    gsd_m: float | None = None
    """Median ground sampling distance of the training rasters, metres."""
