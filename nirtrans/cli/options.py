"""Options that mean the same in every command; the register of names."""

from pathlib import Path
from typing import Annotated, Literal

import typer

ProgressMode = Literal["auto", "json", "plain", "none"]

Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, max=4096, help="CPU threads; all cores if not given.")]
_SEED = typer.Option("--seed", min=0, max=2**32 - 1, help="Seed of everything random.")
Seed = Annotated[int, _SEED]
OptionalSeed = Annotated[int | None, _SEED]
ProgressOption = Annotated[
    ProgressMode, typer.Option("--progress", help="Bar on a terminal (auto), JSON lines, plain lines, none.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable files out, naming and counting them.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one setting; repeatable.")
]
ConfigName = Annotated[
    str | None, typer.Option("--config", metavar="FILE|NAME", help="A YAML file or a shipped config.")
]
DataPaths = Annotated[list[str] | None, typer.Option("--data", metavar="PATH", help="Folder or raster; repeatable.")]
Bands = Annotated[str | None, typer.Option("--bands", metavar="nir=4,red=1", help="Band numbers of rasters, from 1.")]
Sensor = Annotated[str | None, typer.Option("--sensor", help="s2-l2a, landsat-c2-l2, naip or generic.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write.")]


def parse_bands(text: str | None) -> dict[str, int] | None:
    """Turn nir=4,red=1 into a mapping of names to band numbers.

    Raises:
        InputError: If an item is not NAME=NUMBER with a number from 1.
    """
    from nirtrans.errors import InputError

    if text is None:
        return None
    bands: dict[str, int] = {}
    for item in text.split(","):
        name, _, number = item.strip().partition("=")
        if not name or not number.isdecimal() or int(number) < 1:
            raise InputError(
                f"--bands expects NAME=NUMBER,... with numbers from 1, got {item!r}; for example --bands nir=4"
            )
        bands[name.lower()] = int(number)
    return bands
