"""report.html: one page that needs nothing else, with tables that sort, the spread over pictures, and pictures."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

from nirtrans import __version__
from nirtrans.data.collection import Collection
from nirtrans.evaluation.hinting import HintsFor
from nirtrans.evaluation.panels import ramp_css
from nirtrans.evaluation.report_cases import show_cases
from nirtrans.evaluation.report_chart import strip_chart
from nirtrans.evaluation.report_tables import MOST_ROWS, classes, gaps, guesses, scenes, totals
from nirtrans.evaluation.results import Evaluation
from nirtrans.evaluation.wording import protocol
from nirtrans.inference.colorizer import Colorizer
from nirtrans.io.atomic import write_text

COLOURLESS = "a colourless picture with the right luminance scores high in PSNR and SSIM and fails in angle."
COLOURLESS_GRAY = (
    "the gray picture itself scores high in PSNR and SSIM, since its lightness is right, and in the area under errors "
    "of ab, since most pixels of most pictures are nearly grey."
)
PAGE = Path(__file__).with_suffix(".html")


def write_report(
    evaluation: Evaluation,
    part: Collection,
    colorizers: Mapping[str, Colorizer],
    folder: Path,
    *,
    hints_for: HintsFor | None = None,
) -> None:
    """Write report.html beside the numbers.

    Args:
        evaluation: The numbers.
        part: The pictures that they belong to, in their order.
        colorizers: The models; what is shown is where the first is worst, median and best.
        folder: Where to write.
        hints_for: What the models were told of each picture.

    Raises:
        InputError: If the folder cannot be written.
        IOFailure: If writing breaks off.
    """
    sections = [
        _heading(evaluation),
        _totals(evaluation),
        _guesses(evaluation),
        _gaps(evaluation),
        strip_chart(evaluation),
    ]
    sections += [_classes(evaluation), *show_cases(evaluation, part, colorizers, hints_for), _scenes(evaluation)]
    page = Template(PAGE.read_text(encoding="utf-8"))
    write_text(folder / "report.html", page.substitute(ramp=ramp_css(), body="\n".join(sections)))


def _heading(evaluation: Evaluation) -> str:
    data = evaluation.data
    lines = [f"<h1>Evaluation of {escape(', '.join(evaluation.weights))}</h1>"]
    lines.append(f"<p class=soft>{data['count']} pictures of {data['scenes']} scenes of {escape(data['source'])}, ")
    lines.append(f"split {escape(data['split'])}{escape(protocol(data))}. nirtrans {__version__}.</p>")
    for name, known in evaluation.weights.items():
        learned = f"trained on {escape(known['training_data'])}, sha256 {known['sha256'][:12]}"
        words = "without weights" if known["file_bytes"] is None else learned
        lines.append(f"<p class=soft>{escape(name)}: {escape(known['model'])}, {words}</p>")
    return "".join(lines)


def _totals(evaluation: Evaluation) -> str:
    devices = ", ".join(sorted({known["device"] for known in evaluation.weights.values()}))
    gray = evaluation.data.get("domain") == "gray"
    words = (
        "Small: 95 % interval of the mean, by a bootstrap that draws scenes. Coloured: the best that does not look at "
        f"the truth, as the oracles in italics do; {COLOURLESS_GRAY if gray else COLOURLESS} Seconds were measured "
        f"here on {escape(devices)}. The lookup table, the mean colour and the weights of colours learned from "
        f"{escape(evaluation.data['baselines_learned_from'])}. A click on a heading sorts."
    )
    return f"<h2>Means over pictures</h2><p class=soft>{words}</p>{totals(evaluation)}"


def _guesses(evaluation: Evaluation) -> str:
    words = (
        "acc@k: pixels whose true bin of the ab plane is among the k likeliest of the system; prior-mode ranks bins by "
        "their frequency in training pictures. Classifier top-k: pictures whose class is among the first k of the "
        "classifier, for gray, colorized and true pictures. Small: 95 % interval."
    )
    known = evaluation.data.get("classifier")
    if known:
        words += f" The classifier is {escape(known['name'])}, sha256 {known['sha256'][:12]}."
    table = guesses(evaluation)
    return f"<h2>Guesses that are right</h2><p class=soft>{words}</p>{table}" if table else ""


def _gaps(evaluation: Evaluation) -> str:
    words = (
        "Differences picture by picture, with an interval of their own; better or worse is said where it leaves out 0. "
        "These decide between models that share easy and difficult pictures; overlapping intervals of means do not."
    )
    return f"<h2>Difference to {escape(evaluation.first)}</h2><p class=soft>{words}</p>{gaps(evaluation)}"


def _classes(evaluation: Evaluation) -> str:
    table = classes(evaluation)
    return f"<h2>Classes</h2>{table}" if table else ""


def _scenes(evaluation: Evaluation) -> str:
    count = len(evaluation.scenes)
    cut = f" The worst {MOST_ROWS} of {count}; all are in metrics.json." if count > MOST_ROWS else ""
    words = f"Means over the pictures of a scene, worst PSNR of {escape(evaluation.first)} first.{cut}"
    return f"<h2>Scenes</h2><p class=soft>{words}</p><div class=long>{scenes(evaluation)}</div>"
