"""`nirtrans data prior`: how often each of the 313 ab bins occurs in colour pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nirtrans.cli.options import Debug, ProgressOption, SkipBad

if TYPE_CHECKING:
    from nirtrans.data.prior_file import Prior

MOST_FREQUENT = 6
"""Bins that the summary names."""


def prior(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Colour pictures, pairs, unpaired folders or rasters.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="JSON file, for data.prior; and a picture beside it.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="The ab plane as PNG; beside --out if not given.")
    ] = None,
    smoothing: Annotated[
        float, typer.Option("--smoothing", min=0, max=200, help="Gaussian over the ab plane, CIE units; 0: none.")
    ] = 5.0,
    domain: Annotated[
        str | None, typer.Option("--domain", help="nir, gray or lineart; what is there if not given.")
    ] = None,
    skip_bad: SkipBad = False,
    progress: ProgressOption = "auto",
    debug: Debug = False,
) -> None:
    """Count the colours of pictures over the 313 bins that colour classifiers learn, rare ones weighted up."""
    from nirtrans.data.prior import colour_pictures, count_pictures
    from nirtrans.data.prior_file import write_prior
    from nirtrans.data.prior_picture import draw_prior
    from nirtrans.errors import InputError
    from nirtrans.progress import Progress

    drawn = picture or (out.with_suffix(".png") if out else None)
    if drawn is not None and drawn == out:
        raise InputError(f"--out {out} is the prior, a JSON file; give the picture as --picture {out}")
    pictures = colour_pictures(path.expanduser(), domain, skip_bad=skip_bad)
    counts = count_pictures(pictures, progress=Progress(progress))
    found = counts.prior("/".join(path.resolve().parts[-2:]), smoothing=smoothing)
    if out is not None:
        write_prior(out, found)
    if drawn is not None:
        draw_prior(drawn, found)
    _print(str(path), found)
    if out is not None:
        typer.echo(f"{out}: written, with {drawn}; to train with it: --set data.prior={out}")
    elif drawn is not None:
        typer.echo(f"{drawn}: written")


def _print(path: str, prior: "Prior") -> None:
    """Say what was counted in a few lines."""
    from math import log2

    pixels, occupied = sum(prior.counts), sum(count > 0 for count in prior.counts)
    bits = max(0.0, -sum(share * log2(share) for share in prior.frequencies if share > 0))
    ranked = sorted(zip(prior.counts, prior.bins, strict=True), reverse=True)[:MOST_FREQUENT]
    shares = ", ".join(f"({a:g}, {b:g}) {count / pixels:.1%}" for count, (a, b) in ranked if count)
    typer.echo(f"{path}: {prior.pictures} pictures, {pixels:,} pixels")
    typer.echo(f"  occupied   {occupied} of {len(prior.bins)} bins; smoothed by {prior.smoothing:g}")
    typer.echo(f"  frequent   {shares} at (a, b)")
    typer.echo(f"  entropy    {bits:.2f} bits, as {2**bits:.0f} equally frequent bins have")
