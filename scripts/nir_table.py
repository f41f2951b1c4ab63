"""Print the Markdown table of a comparison or an ablation: budget, metrics, differences to the first, with intervals.

    python scripts/nir_table.py runs/ground runs/ablation

Of each folder it reads budget.json and report/metrics.json, as `compare_nir.py` and `ablate_nir.py` leave them. Rows
are sorted by angular error. A difference is bold where its 95 % interval leaves out 0.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HEAD = ["", "parameters", "steps", "min", "PSNR", "SSIM", "CIEDE2000", "AE", "PSNR difference", "AE difference"]
BASELINES = {"nir-copy": "NIR copy", "lut": "256-entry colour table", "mean-colour": "mean colour"}


def with_interval(found: Mapping[str, Any], sign: str = "") -> str:
    """Return a mean with its interval, such as 15.41 (13.94 to 16.81)."""
    low, high = found["ci95"]
    return f"{found['mean']:{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"


def difference(found: Mapping[str, Any] | None) -> str:
    """Return a difference to the first model, bold where it is decided; a dash for the first itself."""
    if found is None:
        return "-"
    low, high = found["ci95"]
    return with_interval(found, "+") if low <= 0 <= high else f"**{with_interval(found, '+')}**"


def rows(folder: Path) -> Iterator[list[str]]:
    """Yield the rows of one table, trained ones first, by angle."""
    report = json.loads((folder / "report" / "metrics.json").read_text())
    budget = {row.get("system", row.get("variant")): row for row in json.loads((folder / "budget.json").read_text())}
    models, against = report["models"], report["differences"]["models"]
    for name in [*sorted(budget, key=lambda name: models[name]["ae"]["mean"]), *BASELINES]:
        effort = ["", "", ""]
        if name in budget:
            spent = budget[name]
            size = report["weights"][name]["parameters"]
            effort = [f"{size / 1e6:.2f} M", str(spent["steps"]), f"{spent['processor_s'] / 60:.1f}"]
        found, lead = models[name], against.get(name, {})
        quality = [f"{found['ssim']['mean']:.3f}", f"{found['de2000']['mean']:.2f}", with_interval(found["ae"])]
        label = BASELINES.get(name, f"`{name}`")
        yield [
            label,
            *effort,
            with_interval(found["psnr"]),
            *quality,
            *(difference(lead.get(m)) for m in ("psnr", "ae")),
        ]


def print_tables(head: Sequence[str], rows: Callable[[Path], Iterator[list[str]]]) -> None:
    """Print one table for each folder on the command line."""
    for folder in map(Path, sys.argv[1:]):
        print("|", " | ".join(head), "|\n|---|" + "--:|" * (len(head) - 1))
        for row in rows(folder):
            print("|", " | ".join(row), "|")


if __name__ == "__main__":
    print_tables(HEAD, rows)
