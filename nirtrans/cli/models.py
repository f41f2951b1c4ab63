"""`nirtrans models`: the zoo, or all about one model."""

from typing import TYPE_CHECKING, Annotated

import typer

from nirtrans.cli.options import Debug

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from nirtrans.config import Run, Settings
    from nirtrans.models import System


def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Tell all about one model or config.")] = None,
    domain: Annotated[
        str | None, typer.Option("--domain", help="Only models that accept nir, gray or lineart.")
    ] = None,
    debug: Debug = False,
) -> None:
    """List the models: domains, parameters, paper, whether weights ship; with NAME, its networks and settings."""
    import sys

    from rich.console import Console

    # A pipe has no width of its own, and narrow columns would cut names that a script reads.
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200)
    for part in [_zoo(domain)] if name is None else _description(name):
        console.print(part)


def _zoo(domain: str | None) -> "Table":
    from nirtrans.models import MODELS, count_parameters, list_models
    from nirtrans.models.formulas import FORMULAS
    from nirtrans.models.weights import shipped_weights

    table = _table("model", "domains", "parameters", "paper", "weights")
    for name in list_models(domain):
        model = MODELS.find(name)
        ships = any(weights.startswith(name) for weights in shipped_weights())
        size = f"{count_parameters(_system(name)) / 1e6:.1f} M"
        table.add_row(name, ", ".join(sorted(model.domains)), size, model.paper, "yes" if ships else "no")
    for name in FORMULAS.names():
        if domain is None or domain in FORMULAS.find(name).domains:
            table.add_row(name, ", ".join(sorted(FORMULAS.find(name).domains)), "none", FORMULAS.find(name).paper, "-")
    return table


def _description(name: str) -> "list[str | Table]":
    from nirtrans.config_files import read_config, shipped
    from nirtrans.models.formulas import FORMULAS
    from nirtrans.models.halo import probe

    if name in FORMULAS.names():
        formula = FORMULAS.find(name)
        use = f"use      nirtrans colorize SRC DST --weights {name} --hints FILE; nothing is trained"
        return [f"{name}: {formula.__doc__}\npaper    {formula.paper}\ndomains  {', '.join(formula.domains)}\n{use}"]
    system, model = _system(name), _run(name).model
    reach = probe(system)
    halo = f"{reach.halo_px} px" if reach.bounded else "the whole picture"
    configs = [config for config, path in shipped().items() if read_config(path).get("model") == model]
    facts = {
        **({} if model == name else {"model": model}),
        "paper": system.paper,
        "domains": ", ".join(sorted(system.domains)),
        "configs": ", ".join(configs) or "none",
        "tiles": f"halo {halo}, multiples of {reach.stride_px} px",
    }
    lines = [f"{key:8} {value}" for key, value in facts.items()]
    told = [f"{name}: {type(system).__doc__}", *lines]
    return ["\n".join(told), "", _networks(system), "", _settings(system, "default" if model == name else "value")]


def _networks(system: "System") -> "Table":
    from nirtrans.models import count_parameters

    table = _table("network", "parameters", "trained in", "colorizes")
    for name in system.network_names():
        phases = ", ".join(phase for phase, networks in system.phases.items() if name in networks)
        size = f"{count_parameters(getattr(system, name)):,}"
        table.add_row(name, size, phases, "yes" if name in system.inference else "")
    return table


def _settings(system: "System", values: str) -> "Table":
    table = _table("setting", values, "meaning")
    for row in _rows(system.params, "network."):
        table.add_row(*row)
    return table


def _rows(block: "Settings", prefix: str) -> "Iterator[tuple[str, str, str]]":
    """List the settings of a block as they are, blocks inside it after the sentence that introduces them."""
    from nirtrans.config import Settings

    for name, field in type(block).model_fields.items():
        value, meaning = getattr(block, name), " ".join((field.description or "").split())
        inner = list(_rows(value, f"{prefix}{name}.")) if isinstance(value, Settings) else []
        yield (f"{prefix}{name}", "" if inner else str(value), meaning)
        yield from inner


def _table(*columns: str) -> "Table":
    from rich.table import Table

    return Table(*columns, box=None, header_style="bold", pad_edge=False)


def _system(name: str) -> "System":
    """Build a model with its default settings, or with those of a config, without weights."""
    import torch

    from nirtrans.models import build_system

    with torch.device("meta"):
        return build_system(_run(name))


def _run(name: str) -> "Run":
    from nirtrans.config import Run
    from nirtrans.config_files import resolve_run, shipped
    from nirtrans.models import MODELS

    if name not in MODELS.names() and name in shipped():
        return resolve_run(name)
    return Run(model=name, domain=min(MODELS.find(name).domains))
