"""Write the tables of docs/rasters.md anew from benchmarks/results; run it after `nirtrans bench geotiff`.

With --check nothing is written: the status is 1 if it would be.
"""

import json
import sys
from pathlib import Path

from nirtrans.bench.tables import recorded_tables, tables_markdown

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "rasters.md"
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- bench -->", "<!-- end of bench -->"


def tables() -> str:
    """Render what was measured on each device, and on which machine; nothing if nothing was."""
    lines = []
    for file in sorted(RESULTS.glob("geotiff-*.json")):
        about = json.loads(file.read_text())["environment"]
        where = f"{about['device']}, {about['threads']} threads"
        lines += [f"`{about['command']}` on {where}:", "", *tables_markdown(*recorded_tables(file)), ""]
    return "\n".join(lines)


def main() -> int:
    before = PAGE.read_text()
    after = f"{before.split(BEGIN)[0]}{BEGIN}\n\n{tables()}\n{END}{before.split(END)[1]}"
    if "--check" in sys.argv:
        return int(before != after)
    PAGE.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
