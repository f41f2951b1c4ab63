"""`nirtrans bench`: kernels beside their peers, losses included."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nirtrans.cli.options import Debug


def bench(
    what: Annotated[Literal["lab"], typer.Argument(help="What to measure.")] = "lab",
    out: Annotated[Path, typer.Option("--out", help="Folder for lab-DEVICE.json and .md.")] = Path(
        "benchmarks/results"
    ),
    threads: Annotated[
        list[int] | None, typer.Option("--threads", min=1, help="CPU threads; repeatable; 1 and all.")
    ] = None,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Time torch.compile of the peers too (minutes).")
    ] = False,
    debug: Debug = False,
) -> None:
    """Measure a kernel beside the peers that are installed, in one run, as ratios."""
    import os

    from nirtrans.bench.lab import run_lab

    counts = threads or sorted({1, os.cpu_count() or 1})
    typer.echo(run_lab(threads=counts, out=out, compiled=compiled))
    typer.echo(f"{out}: written, as JSON and Markdown")
