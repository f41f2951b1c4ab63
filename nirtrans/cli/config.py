"""`nirtrans config`: print a resolved run, or the schema of all settings."""

from typing import Annotated

import typer

from nirtrans.cli.options import Debug, Sets


def config(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", help="A shipped config or a YAML file.")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="nir, gray or lineart.")] = None,
    sets: Sets = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of a run, or of NAME's network.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Print the resolved run as YAML: every setting with the value that training would use."""
    if schema:
        typer.echo(_schema(name))
    elif name is None:
        _list_configs()
    else:
        from nirtrans.config_files import dump_run, resolve_run
        from nirtrans.models import with_network_defaults

        flags = {"domain": domain} if domain else {}
        run = with_network_defaults(resolve_run(name, flags=flags, overrides=sets or ()))
        typer.echo(dump_run(run), nl=False)


def _list_configs() -> None:
    from nirtrans.config_files import read_config, shipped

    for name, path in shipped().items():
        content = read_config(path)
        typer.echo(f"{name:28} model {content.get('model')}, domain {content.get('domain')}")


def _schema(name: str | None) -> str:
    import json

    from nirtrans.config import Run

    if name is None:
        return json.dumps(Run.model_json_schema(), indent=2)
    from nirtrans.config_files import resolve_run
    from nirtrans.models import MODELS

    return json.dumps(MODELS.find(resolve_run(name).model).Params.model_json_schema(), indent=2)
