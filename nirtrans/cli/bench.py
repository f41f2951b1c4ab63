"""`nirtrans bench`: kernels beside their peers, losses included."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nirtrans.cli.options import Debug

RESULTS = Path("benchmarks/results")


def bench(
    what: Annotated[Literal["lab", "bins", "ssim"], typer.Argument(help="Which kernels to measure.")] = "lab",
    out: Annotated[
        Path | None, typer.Option("--out", help=f"Folder for WHAT-DEVICE.json and .md; {RESULTS} unless --quick.")
    ] = None,
    device: Annotated[
        Literal["cpu", "cuda"] | None, typer.Option("--device", help="Where; wherever the kernels run if left out.")
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option("--threads", min=1, max=4096, help="CPU threads; repeatable; 1 and all.")
    ] = None,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Time torch.compile of the torch peers too (minutes).")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes, few rounds: a smoke test, written only with --out.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Measure kernels beside the peers that are installed, in one run, as ratios."""
    import os

    from nirtrans.bench.suites import run_suite

    folder = out or (None if quick else RESULTS)
    typer.echo(
        run_suite(
            what,
            threads=threads or sorted({1, os.cpu_count() or 1}),
            devices=[device] if device else None,
            out=folder,
            compiled=compiled,
            quick=quick,
        )
    )
    if folder:
        typer.echo(f"{folder}: written, as JSON and Markdown")
