"""A process that runs cases with a bound on memory, so that a crash or a hang ends it and not the harness."""

import json
import re
import resource
import sys
from pathlib import Path

MORE_BYTES = 3 * 2**30
"""Address space beyond what the libraries have taken: tiles, GDAL's cache, stacks and arenas of threads."""
BUDGET_PX = 400_000


def main() -> None:
    """Answer each number on stdin by a verdict on stdout, a line of JSON each."""
    import torch

    from nirtrans.cli.app import _speak_with_one_voice
    from nirtrans.inference import colorizer

    from .cases import colorizer_of, run_case

    answers = sys.stdout
    torch.set_num_threads(1)
    colorizer.pixel_budget = lambda *_, **__: BUDGET_PX  # type: ignore[assignment]
    _speak_with_one_voice(False)
    colorizer_of("batch", "percentile")
    _bound_memory()
    for line in sys.stdin:
        print(json.dumps(run_case(int(line)).as_dict()), file=answers, flush=True)


def _bound_memory() -> None:
    status = Path("/proc/self/status").read_text()
    now = int(re.search(r"VmSize:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]
    resource.setrlimit(resource.RLIMIT_AS, (now + MORE_BYTES, now + MORE_BYTES))


if __name__ == "__main__":
    main()
