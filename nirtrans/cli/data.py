"""`nirtrans data`: look into data folders, split them, check pairs, count colours, draw lines."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nirtrans.cli.derive import derive
from nirtrans.cli.options import Debug, Seed
from nirtrans.cli.prior import prior

if TYPE_CHECKING:
    from nirtrans.data.inspection import GroupReport, SourceReport

data_app = typer.Typer(
    help="Look into data folders, split them by scene, check pairs, count colours.", no_args_is_help=True
)
MOST_LISTED = 8
"""Sizes, bands or files listed before the rest is only counted."""


@data_app.command("inspect")
def inspect(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Folders of pairs, pictures or rasters.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    debug: Debug = False,
) -> None:
    """Tell what is there and what is wrong: counts, sizes, types, value ranges, bands, splits, unreadable files."""
    import json
    from dataclasses import asdict

    from nirtrans.data.inspection import inspect as look_into

    reports = look_into(paths)
    if as_json:
        typer.echo(json.dumps({"sources": [asdict(report) for report in reports]}, indent=2))
        return
    for report in reports:
        _print_report(report)


@data_app.command("split")
def split(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder of pairs, pictures or rasters.")],
    out: Annotated[Path | None, typer.Option("--out", help="The CSV file; PATH/splits.csv if not given.")] = None,
    val: Annotated[float, typer.Option("--val", min=0, max=1, help="Share of scenes that validate.")] = 0.15,
    test: Annotated[float, typer.Option("--test", min=0, max=1, help="Share of scenes kept for the end.")] = 0.15,
    seed: Seed = 0,
    debug: Debug = False,
) -> None:
    """Draw train, val and test by scene, never through one, and write them as id,scene,split."""
    from nirtrans.data.split import write_splits

    target = out or path / "splits.csv"
    counts = write_splits(path, target, val=val, test=test, seed=seed)
    words = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("train", "val", "test"))
    typer.echo(f"{target}: {words}")
    if target.resolve() != (path / "splits.csv").resolve():
        typer.echo(f"training and evaluation read it as {path / 'splits.csv'}")


@data_app.command("check-registration")
def check_registration(
    path: Annotated[str, typer.Argument(metavar="PATH", help="Folder of pairs.")],
    domain: Annotated[str, typer.Option("--domain", help="nir, gray or lineart.")] = "nir",
    limit_px: Annotated[float, typer.Option("--limit-px", min=0, help="Pairs that are further off are listed.")] = 1.0,
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV of the pairs beyond the limit, for data.exclude; and a picture.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Shifts and worst pairs as PNG; beside --out if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every pair as JSON.")] = False,
    debug: Debug = False,
) -> None:
    """Measure by how many pixels the halves of pairs are off, by phase correlation of their edges."""
    import json
    from dataclasses import asdict

    from nirtrans.config import DataSettings, SourceSettings
    from nirtrans.data import registration
    from nirtrans.data.collection import open_collection
    from nirtrans.data.registration_picture import draw_registration
    from nirtrans.errors import InputError

    drawn = picture or (out.with_suffix(".png") if out else None)
    if drawn is not None and drawn == out:
        raise InputError(f"--out {out} is the list, a CSV file; give the picture as --picture {out}")
    settings = DataSettings(sources=(SourceSettings(path=path),))
    collection = open_collection(settings, domain)
    shifts = registration.check_registration(collection)
    certain = [shift for shift in shifts if shift.certain]
    off = [shift for shift in certain if shift.length_px > limit_px]
    if out is not None:
        registration.write_shifts(out, off)
    if drawn is not None:
        draw_registration(drawn, shifts, collection, limit_px=limit_px)
    guesses = len(shifts) - len(certain)
    if as_json:
        pairs = [asdict(s) | {"certain": s.certain} for s in shifts]
        found = {"limit_px": limit_px, "off": len(off), "uncertain": guesses, "pairs": pairs}
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(f"{path}: {len(off)} of {len(shifts)} pairs are off by more than {limit_px:g} px")
    typer.echo("  shifts     " + _counted(registration.histogram(certain)))
    if guesses:
        typer.echo(
            f"  uncertain  {guesses} pairs, whose edges do not agree (certainty below {registration.MIN_CERTAINTY:g})"
        )
    for shift in off[:MOST_LISTED]:
        typer.echo(
            f"  {shift.id}  {shift.down_px:+.2f} down, {shift.right_px:+.2f} right, certainty {shift.certainty:.0f}"
        )
    if len(off) > MOST_LISTED:
        typer.echo(f"  ... and {len(off) - MOST_LISTED} more" + ("" if out else "; --out FILE lists them all"))
    if drawn is not None:
        typer.echo(
            f"{drawn}: written"
            + (f", with {out}; to train without these pairs: --set data.exclude={out}" if out else "")
        )


data_app.command("prior")(prior)
data_app.command("derive")(derive)


def _print_report(report: "SourceReport") -> None:
    typer.echo(f"{report.path}: {report.count} {report.layout}, {report.scenes} scenes")
    if report.splits:
        typer.echo("  splits     " + _counted(report.splits))
    for name, group in report.groups.items():
        _print_group(name, group)
    for problem in report.problems[:MOST_LISTED]:
        typer.echo(f"  problem    {problem}")
    if len(report.problems) > MOST_LISTED:
        typer.echo(f"  problem    ... and {len(report.problems) - MOST_LISTED} more")


def _print_group(name: str, group: "GroupReport") -> None:
    typer.echo(f"  {name}")
    typer.echo(f"    files    {group.count}, {len(group.unreadable)} unreadable")
    typer.echo(f"    sizes    {_counted(group.sizes)}")
    typer.echo(f"    types    {_counted(group.dtypes)}")
    typer.echo(f"    bands    {_counted(group.bands)}")
    for band, (low, high) in list(group.value_ranges.items())[:MOST_LISTED]:
        typer.echo(f"    values   {low:g} to {high:g} in {band}")
    typer.echo(f"    valid    {group.valid_share:.1%} of the pixels")
    for reason in list(group.unreadable.values())[:MOST_LISTED]:
        typer.echo(f"    bad      {reason}")


def _counted(counts: dict[str, int]) -> str:
    words = [f"{name} ({count})" for name, count in list(counts.items())[:MOST_LISTED]]
    rest = len(counts) - MOST_LISTED
    return ", ".join(words) + (f" and {rest} more" if rest > 0 else "")
