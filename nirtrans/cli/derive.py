"""`nirtrans data derive`: write what training makes of colour pictures, to look at it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nirtrans.cli.options import Debug, ProgressOption


def derive(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A picture, or a folder of pictures.")],
    target: Annotated[Path, typer.Argument(metavar="DST", help="The picture, or the folder of NAME.png.")],
    kind: Annotated[Literal["gray", "xdog", "canny"], typer.Option("--kind", help="gray, xdog or canny.")] = "xdog",
    progress: ProgressOption = "auto",
    debug: Debug = False,
) -> None:
    """Make gray pictures or line art of colour pictures, as training in the domains gray and lineart does."""
    from nirtrans.data.derive import derive_file
    from nirtrans.data.layout import pictures_by_name
    from nirtrans.errors import InputError
    from nirtrans.io.atomic import make_folder
    from nirtrans.progress import Progress

    if target.resolve() == source.resolve():
        raise InputError(f"{target} is the source; give another name")
    if not source.is_dir():
        derive_file(source, target, kind)
        typer.echo(f"{target}: written")
        return
    pictures = pictures_by_name(source)
    make_folder(target)
    with Progress(progress).task(kind, len(pictures), unit="picture") as task:
        for name, picture in pictures.items():
            derive_file(picture, target / f"{name}.png", kind)
            task.advance()
    typer.echo(f"{target}: {len(pictures)} pictures written")
