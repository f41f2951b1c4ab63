"""Train the small preset of every near-infrared system for the same processor time, and judge all on unseen scenes.

    python scripts/compare_nir.py ground --minutes 30 --out runs/ground
    python scripts/compare_nir.py rasters --minutes 20 --out runs/rasters --costs runs/ground/budget.json

ground: both folders of ground pairs, every 6th scene held out. rasters: the run of docs/data.md, with the files that it
holds out. All systems see the same mirrors, scales and tones. How many steps fit into the minutes is measured first, in
processor seconds, which other work on the machine does not change. The newest averaged weights are judged, not the best
ones: what is held out decides nothing. Leaves OUT/NAME/ (runs), OUT/report/ (evaluation) and OUT/budget.json.
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

from nirtrans.config_files import find_config, merge

DATA = Path(os.environ.get("NIRTRANS_DATA", "../shared/data")).resolve()
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
SHARED = {"scale_jitter": 0.3, "tone_jitter": 0.0, "flip": True}
GROUND = ("nir/ground/nirscene-vcip2020", "nir/ground/nirscene-starainj")
PROBE_STEPS = (5, 30)


def sources(kind: str) -> list[dict[str, Any]]:
    """Return the sources of a comparison, with absolute paths."""
    if kind == "ground":
        return [{"path": str(DATA / folder)} for folder in GROUND]
    page = (Path(__file__).parent.parent / "docs" / "data.md").read_text()
    run = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    return [{**source, "path": str(DATA / source["path"])} for source in run["data"]["sources"]]


def write_config(name: str, changes: dict[str, Any], out: Path, *, suffix: str = "") -> Path:
    """Write the preset of a system with changes, such as the shared data, beside its run."""
    path = out / f"{name}{suffix}.yaml"
    path.write_text(yaml.safe_dump(merge(find_config(name), changes)))
    return path


def train(config: Path, run: Path, steps: int, *options: str) -> float:
    """Train and return the processor seconds of the process and its workers."""
    command = [sys.executable, "-m", "nirtrans", "train", "--config", str(config), "--out", str(run), "--overwrite"]
    command += ["--steps", str(steps), "--threads", "1", "--precision", "bf16", "--progress", "json", *options]
    log = run.parent / f"{run.name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stderr=output, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{run.name} failed, see {log}")
    return usage.ru_utime + usage.ru_stime


def seconds_per_step(config: Path, run: Path) -> float:
    """Measure by the difference of two short runs, so that starting and validating do not count."""
    short, long = (train(config, run, steps) for steps in PROBE_STEPS)
    return (long - short) / (PROBE_STEPS[1] - PROBE_STEPS[0])


def compete(name: str, config: Path, cost: float, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train one system for its minutes at a cost per step in processor seconds."""
    steps = max(1, round(60 * arguments.minutes / cost))
    every = max(1, steps // arguments.validations)
    milestones = [f"train.{kind}={every}" for kind in ("validate_every", "sample_every", "state_every")]
    options = [part for milestone in milestones for part in ("--set", milestone)]
    spent = train(config, arguments.out / name, steps, *options)
    row = {"system": name, "steps": steps, "seconds_per_step": cost, "processor_s": spent}
    print(json.dumps(row), flush=True)
    return row


def evaluate(runs: list[Path], out: Path) -> None:
    """Judge the newest averaged weights of all runs on their validation scenes."""
    weights = [part for run in runs for part in ("--weights", str(run / "last.safetensors"))]
    subprocess.run(
        [sys.executable, "-m", "nirtrans", "evaluate", *weights, "--split", "val", "--out", str(out)], check=True
    )


def compare(configs: list[Path], costs: list[float], arguments: argparse.Namespace) -> None:
    """Train all systems, as many at a time as asked for, and judge them."""
    with ThreadPoolExecutor(arguments.parallel) as pool:
        runs = [pool.submit(compete, *run, arguments) for run in zip(arguments.systems, configs, costs, strict=True)]
        rows = [run.result() for run in runs]
    (arguments.out / "budget.json").write_text(json.dumps(rows, indent=1) + "\n")
    evaluate([arguments.out / name for name in arguments.systems], arguments.out / "report")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=("ground", "rasters"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30, help="processor minutes of each system")
    parser.add_argument("--validations", type=int, default=5)
    parser.add_argument("--systems", nargs="+", default=SYSTEMS)
    parser.add_argument("--costs", type=Path, help="budget.json of another comparison, whose steps cost the same")
    parser.add_argument("--parallel", type=int, default=2, help="systems that train at the same time, one thread each")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    shared = {"data": {**SHARED, "sources": sources(arguments.data)}}
    configs = [write_config(name, shared, arguments.out) for name in arguments.systems]
    known = {} if arguments.costs is None else {row["system"]: row for row in json.loads(arguments.costs.read_text())}
    costs = [  # one at a time
        known[config.stem]["seconds_per_step"]
        if known
        else seconds_per_step(config, config.with_name(f"{config.stem}-probe"))
        for config in configs
    ]
    compare(configs, costs, arguments)


if __name__ == "__main__":
    main()
