"""`nirtrans evaluate`: judge weights beside the baselines, with a report to look at."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nirtrans.cli.options import (
    Bands,
    DataPaths,
    Debug,
    Device,
    ProgressOption,
    Seed,
    Sensor,
    SkipBad,
    Threads,
    parse_bands,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nirtrans.config import DataSettings
    from nirtrans.evaluation.evaluate import Keep
    from nirtrans.evaluation.hinting import HintsFor
    from nirtrans.evaluation.pairs import Pair
    from nirtrans.inference.colorizer import Colorizer

Split = Annotated[
    Literal["train", "val", "test", "all"] | None,
    typer.Option("--split", help="Part to judge on; test, else val, else everything."),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric", metavar="NAME", help="A convention of others beside the usual metrics, as ssim_vcip; repeatable."
    ),
]
SavePictures = Annotated[
    bool, typer.Option("--save-pictures", help="Write the colours too, as OUT/pictures/MODEL/ID.png.")
]

Protocol = Annotated[
    Literal["ntire2019-track1", "ntire2019-track2"] | None,
    typer.Option(
        "--protocol",
        help="Make gray sources, and with track2 5 to 15 colours of pixels, as the NTIRE 2019 challenge did.",
    ),
]
SaveSeeds = Annotated[
    Path | None,
    typer.Option("--save-seeds", metavar="DIR", help="Write the pixels of track2 as DIR/ID.txt and DIR/ID.json."),
]
ClassifierName = Annotated[
    str | None,
    typer.Option(
        "--classifier",
        metavar="PACKAGE.MODULE:FUNCTION",
        help="Judge by what it recognises too: takes [N, 3, H, W] in [0, 1], returns logits [N, K].",
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option("--labels", metavar="CSV", help="Columns id and label: the classes; those of scenes.csv if absent."),
]


def evaluate(
    weights: Annotated[
        list[str],
        typer.Option("--weights", metavar="FILE|NAME", help="Weights, a run folder or a formula; repeatable."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for metrics.json, metrics.csv and report.html.")],
    data: DataPaths = None,
    split: Split = None,
    bands: Bands = None,
    sensor: Sensor = None,
    metric: Metrics = None,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    save_pictures: SavePictures = False,
    protocol: Protocol = None,
    save_seeds: SaveSeeds = None,
    classifier: ClassifierName = None,
    labels: Labels = None,
    device: Device = "auto",
    threads: Threads = None,
    progress: ProgressOption = "auto",
    debug: Debug = False,
) -> None:
    """Score weights and baselines on pairs; without --data on what the first weights held out in training."""
    from nirtrans.cli.comparison import print_comparison
    from nirtrans.cli.terms import add_classifier, add_protocol
    from nirtrans.data.collection import open_collection
    from nirtrans.evaluation.evaluate import Terms
    from nirtrans.evaluation.evaluate import evaluate as judge
    from nirtrans.evaluation.hinting import check_hints
    from nirtrans.evaluation.pairs import choose_split
    from nirtrans.evaluation.report import write_report
    from nirtrans.evaluation.results import write_results
    from nirtrans.inference.device import use_threads
    from nirtrans.io.atomic import make_folder
    from nirtrans.progress import Progress

    use_threads(threads)
    colorizers = _load(weights, device)
    first = next(iter(colorizers.values()))
    settings = _data_settings(first, data or [], bands=bands, sensor=sensor)
    collection = open_collection(settings, first.info.run.domain, skip_bad=skip_bad)
    terms, collection = add_protocol(Terms(seed, metric or ()), protocol, colorizers, collection, save_seeds)
    terms = add_classifier(terms, classifier, labels, choose_split(collection, split)[1])
    check_hints(colorizers, given=terms.hints_for is not None)  # a refusal leaves no folder behind
    make_folder(out)
    source = ", ".join(data) if data else collection.description
    shown = Progress(progress)
    keep = _keep(out if save_pictures else None, terms.hints_for, next(iter(colorizers)))
    evaluation, part = judge(colorizers, collection, source=source, split=split, terms=terms, keep=keep, progress=shown)
    write_results(evaluation, out)
    write_report(evaluation, part, colorizers, out, hints_for=terms.hints_for)
    print_comparison(evaluation)
    pictures = f", pictures in {out / 'pictures'}" if save_pictures else ""
    typer.echo(f"{out / 'report.html'}: written, with metrics.json and metrics.csv{pictures}")


def _keep(out: Path | None, hints: "HintsFor | None", first: str) -> "Keep":
    """Return what writes the colours of all weights into a folder, if there is one, and the hints of each picture."""
    from nirtrans.evaluation.ntire import Track2
    from nirtrans.evaluation.pictures import PictureFolder

    pictures = PictureFolder(out / "pictures") if out else None

    def keep(name: str, pair: "Pair", colours: "NDArray[np.float32]") -> None:
        if pictures is not None:
            pictures(name, pair, colours)
        if isinstance(hints, Track2) and name == first:
            hints.write(pair)

    return keep


def _load(weights: list[str], device: str) -> "dict[str, Colorizer]":
    """Load all weights and name them by their files, or by their run folders; formulas, which need none, come last.

    Raises:
        InputError: If they translate different kinds of picture, or a file is called like a formula.
    """
    from nirtrans.errors import InputError
    from nirtrans.evaluation.names import name_weights
    from nirtrans.inference.colorizer import find_weights, load_colorizer
    from nirtrans.inference.formulas import formula_names

    formulas = [name for name in dict.fromkeys(weights) if name in formula_names()]
    named = name_weights([find_weights(name) for name in weights if name not in formulas])
    for name in named.keys() & set(formulas):
        raise InputError(f"weights called {name} would be mistaken for the formula of that name; rename the file")
    colorizers = {name: load_colorizer(path, device=device) for name, path in named.items()}
    colorizers |= {name: load_colorizer(name, device=device) for name in formulas}
    rules = {(c.info.run.domain, c.info.preprocessing.units) for c in colorizers.values()}
    if len(rules) > 1:
        kinds = " and ".join(sorted(f"{domain} in {units} units" for domain, units in rules))
        raise InputError(f"weights to compare must take the same input, these take {kinds}; evaluate them apart")
    return colorizers


def _data_settings(
    colorizer: "Colorizer", paths: list[str], *, bands: str | None, sensor: str | None
) -> "DataSettings":
    """Read pictures as the weights learned to see them: their crop, their range, and what they knew of these places."""
    from nirtrans.config import SourceSettings

    rule, trained = colorizer.info.preprocessing, colorizer.info.run.data
    known = {Path(source.path).resolve(): source for source in trained.sources}
    places = {Path(path).resolve(): path for path in paths}
    if places.keys() & known.keys() and places.keys() != known.keys():
        _warn_of_seen_scenes()
    said = {"bands": parse_bands(bands), "sensor": sensor}
    update = {name: value for name, value in said.items() if value is not None}
    sources = [known.get(place, SourceSettings(path=path)).model_copy(update=update) for place, path in places.items()]
    ranges = {"percentile": "percentile", "reflectance": rule.input_range, "picture": None}
    chosen = tuple(sources) if paths else trained.sources
    exclude = trained.exclude if not paths or places.keys() == known.keys() else None  # it names files of these alone
    return trained.model_copy(update={"sources": chosen, "exclude": exclude, "input_range": ranges[rule.units]})


def _warn_of_seen_scenes() -> None:
    import logging

    logging.getLogger("nirtrans").warning(
        "training held out scenes of several folders joined, of which these are a part: some scenes may have been "
        "trained on; give all of its --data, or a splits.csv"
    )
