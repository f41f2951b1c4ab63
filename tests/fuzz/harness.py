"""Run many cases in a process of their own and gather what became of them."""

import json
import os
import selectors
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
LIMIT_S = 30.0
"""Longest a case may take; the median takes 0.05 s."""
START_S = 120.0

Verdict = dict[str, object]


class Worker:
    """A process that runs cases one by one."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker"],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._fresh = True

    def run(self, seed: int) -> Verdict:
        """Run one case; a crash or a hang is a finding, and the worker is of no use any more."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{seed}\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            if not waiting.select(LIMIT_S + START_S * self._fresh):
                self.end()
                return {"seed": seed, "outcome": "finding", "detail": f"hangs for {LIMIT_S} s", "about": ""}
        self._fresh = False
        line = process.stdout.readline()
        if not line:
            last = " ".join(process.communicate()[1].split()[-60:])
            detail = f"the process ended with {process.returncode}: {last}"
            return {"seed": seed, "outcome": "finding", "detail": detail, "about": ""}
        return json.loads(line)

    @property
    def usable(self) -> bool:
        """Whether it can run another case."""
        return self._process.poll() is None

    def end(self) -> None:
        """Stop the process."""
        self._process.kill()
        self._process.communicate()


def run_cases(seeds: Iterable[int]) -> Iterator[Verdict]:
    """Yield the verdict of each case."""
    worker = Worker()
    try:
        for seed in seeds:
            if not worker.usable:
                worker = Worker()
            yield worker.run(seed)
    finally:
        worker.end()


def summary(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return how many cases came to each outcome."""
    return dict(sorted(Counter(str(verdict["outcome"]) for verdict in verdicts).items()))
