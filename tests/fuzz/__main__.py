"""Run cases from the command line; exits with 1 if there are findings."""

import argparse
import json
import sys
from pathlib import Path

from .harness import run_cases, summary


def main() -> int:
    """Run cases, print findings as they come and the counts at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--count", type=int, default=200, help="how many cases")
    parser.add_argument("--log", type=Path, help="write every verdict to this file, a line of JSON each")
    given = parser.parse_args()
    verdicts = []
    log = given.log.open("w") if given.log else None
    for verdict in run_cases(range(given.first, given.first + given.count)):
        verdicts.append(verdict)
        if log:
            print(json.dumps(verdict), file=log, flush=True)
        if verdict["outcome"] == "finding" or given.count == 1:
            print("{seed}: {outcome}: {detail}\n    {about}".format(**verdict), flush=True)
    print(json.dumps(summary(verdicts)))
    return int(any(verdict["outcome"] == "finding" for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
