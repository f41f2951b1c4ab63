"""Train the small preset of every gray colorizer for the same processor time, and judge all on unseen photographs.

    python scripts/compare_gray.py --minutes 5 --out runs/gray

The training folder of the BSDS500 photographs trains, the half of its test folder that is held aside judges. Sizes of
pictures and crops are those of the presets. How many steps fit into the minutes is measured first, in processor
seconds. The newest averaged weights are judged: what is held aside decides nothing. Leaves what `compare_nir.py`
leaves.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from compare_nir import DATA, compare, seconds_per_step, write_config

SYSTEMS = (
    "zhang2016-small",
    "zhang2017-small",
    "iizuka2016-small",
    "koalarization-small",
    "resnet-unet-small",
    "chromagan-small",
    "vidar-small",
    "ipcv-small",
    "team-india-small",
    "pksvision-small",
    "colorcapsnet-small",
    "cao2017-small",
    "nirtrans-base-gray-small",
)
GROWTH: dict[str, tuple[int, int]] = {"team-india-small": (60, 1)}
"""Of networks that grow: batches per level, so that the budget is enough to grow up, and while a step is timed."""


def sources() -> list[dict[str, Any]]:
    """Return both folders, one to train on, one to judge on."""
    folder = DATA / "rgb" / "bsds500"
    parts = {"train": "train", "test_half": "val"}
    return [{"path": str(folder / name), "splits": {"*": split}} for name, split in parts.items()]


def changes(name: str, use: int) -> dict[str, Any]:
    """Return what differs from a preset: the pictures, and the growth of networks that grow."""
    growth = {"network": {"batches_per_level": GROWTH[name][use]}} if name in GROWTH else {}
    return {"data": {"sources": sources()}, **growth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=5, help="processor minutes of each system")
    parser.add_argument("--validations", type=int, default=1)
    parser.add_argument("--systems", nargs="+", default=SYSTEMS)
    parser.add_argument("--parallel", type=int, default=2, help="systems that train at the same time, one thread each")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    configs = [write_config(name, changes(name, 0), arguments.out) for name in arguments.systems]
    timed = [write_config(name, changes(name, 1), arguments.out, suffix="-probe") for name in arguments.systems]
    probes = [config.with_suffix("") for config in timed]
    with ThreadPoolExecutor(arguments.parallel) as pool:
        costs = list(pool.map(seconds_per_step, timed, probes))  # as many at a time as will train
    compare(configs, costs, arguments)


if __name__ == "__main__":
    main()
