"""`nirtrans study`: ask people whether they can tell made colours from true ones."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nirtrans.cli.options import Debug, ProgressOption, Seed

study_app = typer.Typer(help="Ask people whether they can tell made colours from true ones.", no_args_is_help=True)


@study_app.command("make")
def make(
    real: Annotated[Path, typer.Option("--real", metavar="DIR", help="True pictures.")],
    fake: Annotated[
        list[str],
        typer.Option(
            "--fake",
            metavar="DIR[,DIR]",
            help="Made pictures of the same names, a folder per system, as evaluate --save-pictures writes.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for page/ and key.json.")],
    mode: Annotated[
        Literal["2afc", "naturalness"],
        typer.Option("--mode", help="True and made side by side, which is true; or one picture, does it look natural."),
    ] = "2afc",
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=60, help="How long a trial is shown.")] = 1.0,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Pictures that count; all if not given.")] = None,
    side: Annotated[int, typer.Option("--side-px", min=32, max=4096, help="Longer side that is shown.")] = 512,
    seed: Seed = 0,
    progress: ProgressOption = "auto",
    debug: Debug = False,
) -> None:
    """Write a page that any browser opens, without server or network, and the key that raters do not get."""
    from nirtrans.evaluation.study_page import KEY, write_study
    from nirtrans.progress import Progress

    folders = [Path(part).expanduser() for text in fake for part in text.split(",") if part]
    key = write_study(
        real,
        folders,
        out,
        mode=mode,
        seconds=seconds,
        count=count,
        seed=seed,
        side_px=side,
        progress=Progress(progress),
    )
    pictures = {trial.picture for trial in key.trials.values() if not trial.practice}
    typer.echo(f"{out / 'page'}: {len(pictures)} pictures of {', '.join(key.systems)}; give raters this folder")
    typer.echo(
        f"{out / KEY}: the truth, which they do not get; `nirtrans study score ANSWERS.json... --key {out / KEY}`"
    )


@study_app.command("score")
def score(
    results: Annotated[list[Path], typer.Argument(metavar="ANSWERS.json...", help="What raters handed back.")],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="key.json; near the answers if not given.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the rates as JSON too.")] = None,
    seed: Seed = 0,
    debug: Debug = False,
) -> None:
    """Tell how often each system was taken for true, with 95 % intervals over raters and pictures."""
    import json

    from nirtrans.evaluation.results import plain
    from nirtrans.evaluation.study_score import find_key, read_key, read_results, score_study
    from nirtrans.io.atomic import write_text

    truth = read_key(key or find_key(results[0]))
    found = score_study(read_results(results, truth), truth, seed=seed)
    if out is not None:
        write_text(out, json.dumps(plain(found), indent=1, allow_nan=False) + "\n")
    _print(found)
    if out is not None:
        typer.echo(f"{out}: written")


def _print(found: dict[str, Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from nirtrans.evaluation.wording import interval, number

    heads = {"2afc": "taken for true, %", "naturalness": "called natural, %"}
    chance = f"; nobody could tell at {found['chance']:.0%}" if found["chance"] else ""
    count = len(found["raters"])
    title = f"{count} rater{'' if count == 1 else 's'} of page {found['page']}{chance}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="")
    for head in ("", heads[found["mode"]], "95 % interval", "answers", "raters", "pictures"):
        table.add_column(head, justify="right" if head else "left")
    for name, known in found["systems"].items():
        shares = {"ci95": [100 * end for end in known["ci95"]]}
        counts = [str(known[count]) for count in ("answers", "raters", "pictures")]
        table.add_row(escape(name), number(100 * known["rate"], 1), interval(shares, 1), *counts)
    Console().print(table)
