"""Write the tables of docs/kernels.md anew from benchmarks/results; run it after `nirtrans bench`.

Speed is shown for one CPU thread and the GPU, accuracy for the first size of each suite. With --check nothing is
written: the status is 1 if it would be.
"""

import sys
from pathlib import Path

from nirtrans.bench.report import Race, accuracy, recorded, summary

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "kernels.md"
RESULTS = ROOT / "benchmarks" / "results"
TITLES = {"cpu": "CPU, one thread", "cuda": "GPU"}


def races(device: str) -> list[Race]:
    """Read what all suites left for a device; threads beyond one stay in the results."""
    files = [RESULTS / f"{suite}-{device}.json" for suite in ("lab", "bins", "ssim")]
    return [race for file in files if file.exists() for race in recorded(file) if race.threads in (1, None)]


def tables() -> dict[str, str]:
    """Render each section, by the name of its marks in the page."""
    speed = [[f"**{title}**", "", *summary(races(device))] for device, title in TITLES.items() if races(device)]
    return {
        "accuracy": "\n".join(accuracy(races("cpu"))),
        "speed": "\n\n".join("\n".join(lines) for lines in speed),
    }


def main() -> int:
    before = after = PAGE.read_text()
    for name, text in tables().items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        after = f"{after.split(begin)[0]}{begin}\n\n{text}\n\n{end}{after.split(end)[1]}"
    if "--check" in sys.argv:
        return int(before != after)
    PAGE.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
