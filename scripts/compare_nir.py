"""Train the small preset of every near-infrared system for the same processor time, and judge all on unseen scenes.

    python scripts/compare_nir.py --minutes 30 --out runs/ground

Scenes are divided in three: every 6th one (of both folders joined) is kept for the comparison alone, of the others each
6th one chooses the best weights of a run, the rest trains. All systems see the same crops, mirrors, scales and tones.
How many steps fit into the minutes is measured first, in processor seconds, which other work on the machine does not
change. Leaves OUT/NAME/ (runs), OUT/report/ (evaluation) and prints one table row per system.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from nirtrans.config import DataSettings, SourceSettings
from nirtrans.config_files import find_config, merge
from nirtrans.data.collection import open_collection

DATA = Path(os.environ.get("NIRTRANS_DATA", "../shared/data"))
SYSTEMS = (
    "nirtrans-base-small",
    "cyclegan-asym-small",
    "scgan-triplet-small",
    "sshape-small",
    "sshape-cascade-small",
    "pix2pix-small",
    "cyclegan-small",
    "cut-small",
    "fastcut-small",
    "unit-small",
)
SHARED = {"crop_px": 128, "scale_jitter": 0.3, "tone_jitter": 0.3}
GROUND = ("nir/ground/nirscene-vcip2020", "nir/ground/nirscene-starainj")
EVERY = 6
PROBE_STEPS = (4, 16)


def ground_sources() -> list[dict[str, Any]]:
    """Return both folders of ground pairs with the split of every picture."""
    paths = [str(DATA / folder) for folder in GROUND]
    collection = open_collection(DataSettings(sources=tuple(SourceSettings(path=path) for path in paths)), "nir")
    held_out = {picture.scene for picture in collection.sources if picture.split == "val"}
    others = sorted({picture.scene for picture in collection.sources} - held_out)
    choosing = set(others[EVERY // 2 - 1 :: EVERY])
    splits: dict[str, dict[str, str]] = {Path(path).name: {} for path in paths}
    for picture in collection.sources:
        folder, name = picture.id.split("/", 1)
        splits[folder][name] = "test" if picture.scene in held_out else "val" if picture.scene in choosing else "train"
    return [{"path": path, "splits": splits[Path(path).name]} for path in paths]


def write_config(name: str, sources: list[dict[str, Any]], out: Path) -> Path:
    """Write the preset of a system with the shared data beside its run."""
    path = out / f"{name}.yaml"
    path.write_text(yaml.safe_dump(merge(find_config(name), {"data": {**SHARED, "sources": sources}})))
    return path


def train(config: Path, run: Path, steps: int, *options: str) -> float:
    """Train and return the processor seconds of the process and its workers."""
    command = [sys.executable, "-m", "nirtrans", "train", "--config", str(config), "--out", str(run), "--overwrite"]
    command += ["--steps", str(steps), "--threads", "1", "--precision", "bf16", "--progress", "json", *options]
    log = run.with_suffix(".log").open("w")
    process = subprocess.Popen(command, stderr=log, stdout=log)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{run.name} failed, see {run.with_suffix('.log')}")
    return usage.ru_utime + usage.ru_stime


def seconds_per_step(config: Path, run: Path) -> float:
    """Measure by the difference of two short runs, so that starting and validating do not count."""
    short, long = (train(config, run, steps) for steps in PROBE_STEPS)
    return (long - short) / (PROBE_STEPS[1] - PROBE_STEPS[0])


def compete(name: str, sources: list[dict[str, Any]], arguments: argparse.Namespace) -> dict[str, Any]:
    """Train one system for its minutes."""
    config = write_config(name, sources, arguments.out)
    cost = seconds_per_step(config, arguments.out / f"{name}-probe")
    steps = max(1, round(60 * arguments.minutes / cost))
    every = max(1, steps // arguments.validations)
    milestones = [f"train.{kind}={every}" for kind in ("validate_every", "sample_every", "state_every")]
    options = [part for milestone in milestones for part in ("--set", milestone)]
    spent = train(config, arguments.out / name, steps, *options)
    row = {"system": name, "steps": steps, "seconds_per_step": cost, "processor_s": spent}
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30, help="processor minutes of each system")
    parser.add_argument("--validations", type=int, default=10)
    parser.add_argument("--systems", nargs="+", default=SYSTEMS)
    parser.add_argument("--parallel", type=int, default=2, help="systems that train at the same time, one thread each")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    sources = ground_sources()
    with ThreadPoolExecutor(arguments.parallel) as pool:
        rows = list(pool.map(lambda name: compete(name, sources, arguments), arguments.systems))
    (arguments.out / "budget.json").write_text(json.dumps(rows, indent=1) + "\n")
    runs = [part for name in arguments.systems for part in ("--weights", str(arguments.out / name))]
    command = [sys.executable, "-m", "nirtrans", "evaluate", *runs, "--split", "test"]
    subprocess.run([*command, "--out", str(arguments.out / "report")], check=True)


if __name__ == "__main__":
    main()
