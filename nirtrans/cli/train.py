"""`nirtrans train`: train a model on pairs, unpaired folders, rasters or synthetic scenes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nirtrans.cli.options import (
    Bands,
    ConfigName,
    DataPaths,
    Debug,
    Device,
    OptionalSeed,
    Out,
    Overwrite,
    ProgressOption,
    Sensor,
    Sets,
    SkipBad,
    Threads,
    parse_bands,
)

if TYPE_CHECKING:
    from nirtrans.config import Run

FULL_PARAMETERS = 20_000_000  # from here on a step on a CPU takes seconds to minutes

Precision = Literal["fp32", "bf16", "fp16"]


def train(
    model: Annotated[str | None, typer.Option("--model", help="See `nirtrans models`.")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="nir, gray or lineart.")] = None,
    data: DataPaths = None,
    out: Out = None,
    config: ConfigName = None,
    sets: Sets = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, max=10**9, help="Steps of the whole run.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out exactly where it was.")] = False,
    overwrite: Overwrite = False,
    init_from: Annotated[
        Path | None, typer.Option("--init-from", metavar="WEIGHTS", help="Weights to begin with.")
    ] = None,
    encoder_weights: Annotated[
        Path | None,
        typer.Option(
            "--encoder-weights", metavar="FILE", help="State dict of a ResNet or VGG to begin the encoder with."
        ),
    ] = None,
    precision: Annotated[Precision | None, typer.Option("--precision", help="fp32, bf16 or fp16.")] = None,
    bands: Bands = None,
    sensor: Sensor = None,
    seed: OptionalSeed = None,
    skip_bad: SkipBad = False,
    device: Device = "auto",
    threads: Threads = None,
    progress: ProgressOption = "auto",
    debug: Debug = False,
) -> None:
    """Train a model; without --data on built-in synthetic scenes, without --out into a fresh runs/MODEL-DOMAIN-N.

    The run keeps its settings, its best and newest weights, sample grids, metrics.jsonl and TensorBoard curves.
    Whatever ends it, --out RUN --resume continues it exactly. Runs under torchrun and accelerate launch as it is.
    """
    from nirtrans.inference.device import resolve_device, use_threads

    flags = _flags(model, domain, steps, precision, seed, data)
    _check_flags(out, resume, overwrite, {"--init-from": init_from, "--encoder-weights": encoder_weights})
    run = _resumed(out, config, flags, sets) if resume and out else _resolved(config, flags, sets)
    run = _with_bands(run, parse_bands(bands), sensor, resume)
    use_threads(threads)
    where = resolve_device(device)
    if not run.data.sources:
        typer.echo(f"no --data: training on {run.data.synthetic_scenes} built-in synthetic scenes")
    _warn_of_size(run, where.type)

    from nirtrans.engine.session import Request, train_run
    from nirtrans.progress import Progress

    request = Request(run, where, out, resume, overwrite, init_from, skip_bad, encoder_weights)
    done = train_run(request, Progress(progress))
    if done.accelerator.is_main_process:
        score = "" if done.best is None else f" ({run.train.best} {done.best:.4g})"
        typer.echo(f"{done.out / 'best.safetensors'}{score} after {done.done} steps")


def _flags(
    model: str | None,
    domain: str | None,
    steps: int | None,
    precision: str | None,
    seed: int | None,
    data: list[str] | None,
) -> dict[str, Any]:
    """Return what flags say as a nested mapping; what was not given is absent."""
    training = {"steps": steps, "precision": precision, "seed": seed}
    flags: dict[str, Any] = {"model": model, "domain": domain}
    flags["train"] = {name: value for name, value in training.items() if value is not None}
    if data:
        flags["data"] = {"sources": [{"path": path} for path in data]}
    return {name: value for name, value in flags.items() if value}


def _check_flags(out: Path | None, resume: bool, overwrite: bool, weights: dict[str, Path | None]) -> None:
    from nirtrans.engine.run_folder import check_unused
    from nirtrans.errors import InputError

    if resume and out is None:
        raise InputError("--resume needs --out RUN, the folder of the run to continue")
    if resume and overwrite:
        raise InputError("--resume continues a run and --overwrite replaces it; give one of them")
    given = [flag for flag, path in weights.items() if path is not None]
    if resume and given:
        raise InputError(f"--resume takes the weights from the run's state; leave {given[0]} out")
    if out is not None and not resume:
        check_unused(out, overwrite=overwrite)


def _resolved(config: str | None, flags: dict[str, Any], sets: list[str] | None) -> "Run":
    """Return the settings of a new run; a later, longer run keeps the schedule that is fixed here."""
    from nirtrans.config_files import resolve_run
    from nirtrans.engine.run_folder import with_absolute_paths
    from nirtrans.models import find_model, with_network_defaults

    if "model" in flags:
        find_model(flags["model"])  # a misspelt name is told before a missing domain
    run = with_network_defaults(resolve_run(config, model=flags.get("model"), flags=flags, overrides=sets or ()))
    length = run.train.schedule_steps or run.train.steps
    training = run.train.model_copy(update={"schedule_steps": length})
    return with_absolute_paths(run.model_copy(update={"train": training}))


def _resumed(out: Path, config: str | None, flags: dict[str, Any], sets: list[str] | None) -> "Run":
    """Return the run's own settings; a longer run is the only change that may be asked for."""
    import logging

    from nirtrans.config_files import find_config, merge, parse_overrides
    from nirtrans.engine.run_folder import CONFIG, agree

    stored = _stored(out)
    given = find_config(config) if config else {}
    if isinstance(given.get("train"), dict):  # a config is the beginning of a run, its length may have been changed
        given["train"] = {k: v for k, v in given["train"].items() if k not in ("steps", "schedule_steps")}
    run = agree(stored, merge(merge(given, flags), parse_overrides(sets or ())), origin=str(out / CONFIG))
    length = run.train.schedule_steps or run.train.steps
    if run.train.steps > max(length, stored.train.steps):
        logging.getLogger("nirtrans").warning(
            "the learning rate has fallen to 0 at step %d; --set train.schedule_steps=%d stretches its schedule",
            length,
            run.train.steps,
        )
    return run


def _stored(out: Path) -> "Run":
    """Return the settings of a run, which another version of nirtrans may have written."""
    from nirtrans.engine.run_folder import CONFIG, read_run
    from nirtrans.errors import ConfigError
    from nirtrans.models.build import network_params

    run = read_run(out)
    try:
        network_params(run)
    except ConfigError as error:
        remedy = "resume with the nirtrans that began this run, or begin a new one with --overwrite"
        raise ConfigError(f"{out / CONFIG}: {error}; {remedy}") from None
    return run


def _with_bands(run: "Run", bands: dict[str, int] | None, sensor: str | None, resume: bool) -> "Run":
    """Give every source the bands and the sensor of the flags."""
    from nirtrans.engine.run_folder import agree
    from nirtrans.errors import InputError

    given = {name: value for name, value in {"bands": bands, "sensor": sensor}.items() if value}
    if not given:
        return run
    if not run.data.sources:
        raise InputError("--bands and --sensor describe rasters; give --data PATH too")
    sources = tuple(source.model_copy(update=given) for source in run.data.sources)
    changed = run.model_copy(update={"data": run.data.model_copy(update={"sources": sources})})
    return agree(run, changed.model_dump(mode="json"), origin="the run") if resume else changed


def _warn_of_size(run: "Run", device: str) -> None:
    """Point to the small preset where the full one would take days."""
    import logging

    import torch

    from nirtrans.config_files import shipped
    from nirtrans.models.build import build_system

    names = (f"{run.model}-{run.domain}-small", f"{run.model}-small")
    small = next((name for name in names if name in shipped()), None)
    if device != "cpu" or small is None:
        return
    with torch.device("meta"):
        count = sum(value.numel() for value in build_system(run).parameters())
    if count >= FULL_PARAMETERS:
        logging.getLogger("nirtrans").warning(
            "%s has %.0f million parameters and this is a CPU; --config %s is meant for CPUs",
            run.model,
            count / 1e6,
            small,
        )
