"""Print the Markdown table of a comparison of gray colorizers, as `compare_gray.py` leaves it.

    python scripts/gray_table.py runs/gray

Rows are sorted by the error in ab. Brackets hold 95 % intervals over pictures.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nir_table import print_tables, with_interval

HEAD = ["", "parameters", "steps", "min", "s/Mpx", "PSNR", "SSIM", "CIEDE2000", "RMSE of ab", "AuC", "AuC balanced"]
HEAD += ["colourfulness"]
BASELINES = {
    "grey-copy": "gray copy",
    "lut": "256-entry table",
    "mean-colour": "mean a, b",
    "prior-mode": "commonest bin",
}
METRICS = {"ssim": 3, "de2000": 2}


def quality(found: Mapping[str, Any]) -> list[str]:
    """Return the metrics of one row."""
    plain = [f"{found[name]['mean']:.{digits}f}" for name, digits in METRICS.items()]
    areas = [f"{100 * found[name]['mean']:.1f}" for name in ("auc", "auc_balanced")]
    colourful = f"{found['colourfulness']['mean']:.1f}"
    return [with_interval(found["psnr"]), *plain, with_interval(found["rmse_ab"]), *areas, colourful]


def rows(folder: Path) -> Iterator[list[str]]:
    """Yield the rows, trained ones first, then baselines."""
    report = json.loads((folder / "report" / "metrics.json").read_text())
    budget = {row["system"]: row for row in json.loads((folder / "budget.json").read_text())}
    models, weights = report["models"], report["weights"]
    for name in sorted(budget, key=lambda name: models[name]["rmse_ab"]["mean"]):
        spent, about = budget[name], weights[name]
        effort = [f"{about['parameters'] / 1e6:.2f} M", str(spent["steps"]), f"{spent['processor_s'] / 60:.1f}"]
        yield [f"`{name}`", *effort, f"{about['seconds_per_megapixel']:.2f}", *quality(models[name])]
    for name, label in BASELINES.items():
        yield [label, "", "", "", "", *quality(models[name])]


if __name__ == "__main__":
    print_tables(HEAD, rows)
