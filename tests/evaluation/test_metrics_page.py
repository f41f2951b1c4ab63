"""docs/metrics.md names what there is, and says of each metric which direction is better."""

import re
from pathlib import Path

import pytest

from nirtrans.evaluation import metrics
from nirtrans.evaluation.reference import ORACLE_NAMES, learn_reference

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


def rows() -> dict[str, str]:
    """Metric -> last cell of its row."""
    found = {}
    for line in PAGE[: PAGE.index("## Baselines")].splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) > 3 and cells[1].startswith("`"):
            found |= dict.fromkeys(re.findall(r"`([\w@]+)`", cells[1]), cells[-2])
    return found


@pytest.mark.parametrize("name", metrics.METRICS)
def test_every_metric_is_defined(name: str) -> None:
    known = rows()
    per_band = re.sub("_(red|green|blue)$", "", name)
    assert per_band in known
    if metrics.METRICS[name].scope != "variant":
        assert known[per_band] in {metrics.METRICS[name].better or "", "nearer 0"}


def test_nothing_is_defined_that_does_not_exist() -> None:
    assert set(rows()) <= set(metrics.METRICS)


@pytest.mark.parametrize("domain", ["nir", "gray", "lineart"])
def test_every_baseline_is_described(domain: str) -> None:
    table = PAGE[PAGE.index("## Baselines") :]
    for name in learn_reference(domain, []).predictors(truth=True):
        row = next(line for line in table.splitlines() if re.match(rf"\|[^|]*`{name}`", line))
        assert row.endswith("| the truth |") == (name in ORACLE_NAMES)
