"""Which metrics tables have a column for: what tells models apart depends on what is colorized.

Systems that keep lightness differ in chroma alone, which PSNR and SSIM hardly see; near infrared has to find the
luminance as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nirtrans.evaluation.baselines import COPIES
from nirtrans.evaluation.metrics import METRICS
from nirtrans.evaluation.results import Evaluation


@dataclass(frozen=True)
class Columns:
    """Names of metrics, in order.

    Attributes:
        report: The table of means in report.html.
        terminal: The table that is printed.
        guesses: A table of its own: shares of guesses that are right, which few rows have.
        parts: Per class, per scene, and under pictures.
        beside: The baseline that stands beside the models per class and per scene.
    """

    report: tuple[str, ...]
    terminal: tuple[str, ...]
    guesses: tuple[str, ...]
    parts: tuple[str, ...]
    beside: str


GUESSES = tuple(name for name in METRICS if name.startswith(("acc@", "top")))
RGB = Columns(
    report=("psnr", "ssim", "ssim_y", "ae", "de2000", "mae", "delta_cf", "auc_balanced", "rmse_refl", "sam"),
    terminal=("psnr", "ssim", "ae", "de2000"),
    guesses=GUESSES,
    parts=("psnr", "ssim", "ae"),
    beside="lut",
)
CHROMA = Columns(
    report=("psnr", "ssim", "de2000", "rmse_ab", "auc", "auc_balanced", "delta_cf", "colourfulness"),
    terminal=("psnr", "ssim", "auc", "auc_balanced", "delta_cf"),
    guesses=GUESSES,
    parts=("psnr", "auc", "auc_balanced"),
    beside=COPIES["gray"],
)
NTIRE = replace(
    CHROMA,
    report=("psnr_u8", "ssim_u8", *CHROMA.report[2:]),
    terminal=("psnr_u8", "ssim_u8", *CHROMA.terminal[2:]),
)


def columns(evaluation: Evaluation) -> Columns:
    """Return the columns of an evaluation: those of its domain that hold a value."""
    chosen = CHROMA if evaluation.data.get("domain") == "gray" else RGB
    if "protocol" in evaluation.data:
        chosen = NTIRE
    return Columns(
        _present(chosen.report, evaluation),
        _present(chosen.terminal, evaluation),
        _present(chosen.guesses, evaluation),
        _present(chosen.parts, evaluation),
        chosen.beside,
    )


def _present(names: Iterable[str], evaluation: Evaluation) -> tuple[str, ...]:
    return tuple(name for name in names if name in evaluation.metrics)
