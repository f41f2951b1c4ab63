"""`nirtrans bench`: kernels, training and rasters beside their peers, losses included."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nirtrans.cli.options import Debug, Device

RESULTS = Path("benchmarks/results")


def bench(
    what: Annotated[
        Literal["lab", "bins", "ssim", "train", "classes", "geotiff"],
        typer.Argument(help="Kernels, training steps, or the pipeline of rasters."),
    ] = "lab",
    out: Annotated[
        Path | None, typer.Option("--out", help=f"Folder for WHAT-DEVICE.json and .md; {RESULTS} unless --quick.")
    ] = None,
    device: Device = "auto",
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
    """Measure kernels, training or rasters beside their peers, in one run, as ratios; auto: the CPU and any GPU."""
    import os

    import torch

    from nirtrans.bench.suites import run_suite
    from nirtrans.inference.device import resolve_device

    place = None if device == "auto" else resolve_device(device)
    if place and place.index is not None:
        torch.cuda.set_device(place)
    folder = out or (None if quick else RESULTS)
    typer.echo(
        run_suite(
            what,
            threads=threads or sorted({1, os.cpu_count() or 1}),
            devices=[place.type] if place else None,
            out=folder,
            compiled=compiled,
            quick=quick,
        )
    )
    if folder:
        typer.echo(f"{folder}: written, as JSON and Markdown")
