"""A short run of the fuzz harness; `--fuzz N` makes it longer."""

import pytest

from .harness import run_cases, summary


def test_no_case_is_a_finding(request: pytest.FixtureRequest) -> None:
    count = request.config.getoption("--fuzz")
    verdicts = list(run_cases(range(count)))
    findings = [verdict for verdict in verdicts if verdict["outcome"] == "finding"]
    assert not findings
    counts = summary(verdicts)
    assert len(verdicts) == count
    assert counts["agrees"] > 0.25 * count  # or the cases prove nothing
    assert counts["refused"] + counts["failed"] > 0.1 * count
