"""`nirtrans convert`: bring weights that a paper published into a weights file of nirtrans."""

from pathlib import Path
from typing import Annotated

import typer

from nirtrans.cli.options import Debug, Overwrite


def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A state dict, .pth or .safetensors.")],
    target: Annotated[Path, typer.Argument(metavar="DST", help="The weights file to write, .safetensors.")],
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="The model that the weights belong to.")],
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Turn published weights, under the published names of their layers, into a weights file."""
    from nirtrans.errors import InputError
    from nirtrans.inference.published import convert as bring_over

    if target.suffix != ".safetensors":
        raise InputError(f"{target}: weights files end in .safetensors; rename it")
    if target.exists() and not overwrite:
        raise InputError(f"{target} exists; give --overwrite to replace it")
    count = bring_over(source, target, model=model)
    typer.echo(f"{target}: {count:,} values of {model}")
