"""Take parts from nirtrans-base or give it others, train each variant equally long, and judge all on unseen scenes.

    python scripts/ablate_nir.py --minutes 5 --out runs/ablation

Ground pairs. The scenes that validate in `compare_nir.py` take no part: every 6th of its training scenes is held out in
their place, so that choosing does not flatter the comparison. Leaves OUT/NAME/ (runs), OUT/report/ and OUT/budget.json.
"""

import argparse
import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from compare_nir import DATA, GROUND, SHARED, evaluate, seconds_per_step, train

from nirtrans.config_files import find_config, merge

BASE = "nirtrans-base-small"
START = {"data": {**SHARED, "tone_jitter": 0.1}}
"""What the preset had before; `tone-0` is what it has since."""
PHOTOGRAPHS = ("rgb/bsds500/train", "rgb/bsds500/test_half")
PRETEXT = 0.4
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "seed-1": {"train": {"seed": 1}},
    "angular-0": {"network": {"fidelity": {"angular": 0}}},
    "angular-0.5": {"network": {"fidelity": {"angular": 0.5}}},
    "ssim-0.3": {"network": {"fidelity": {"ssim": 0.3}}},
    "shift-l1": {"network": {"fidelity": {"l1": 0, "shift_l1": 1}}},
    "adversarial-0.05": {"network": {"adversarial": 0.05}},
    "norm-instance": {"network": {"norm": "instance"}},
    "norm-none": {"network": {"norm": "none"}},
    "tone-0": {"data": {"tone_jitter": 0}},
    "dropout-0.1": {"network": {"dropout": 0.1}},
    "width-24": {"network": {"width": 24}},
    "combined": {"network": {"fidelity": {"angular": 0.5, "ssim": 0.3}}, "data": {"tone_jitter": 0}},
    "pretext": {},
}
"""What differs from the preset; `pretext` spends its first 40 % on colouring gray photographs."""


def held_out() -> list[dict[str, Any]]:
    """Return the sources with the validation scenes left out and every 6th of the others in their place."""
    tables = {folder: list(csv.DictReader((DATA / folder / "scenes.csv").open())) for folder in GROUND}
    scenes = sorted({row["scene"] for rows in tables.values() for row in rows})
    training = [scene for scene in scenes if scene not in scenes[5::6]]
    split = dict.fromkeys(scenes, "none") | dict.fromkeys(training, "train") | dict.fromkeys(training[2::6], "val")
    return [
        {"path": str(DATA / folder), "splits": {row["id"]: split[row["scene"]] for row in rows}}
        for folder, rows in tables.items()
    ]


def write_variant(name: str, out: Path, **changes: Any) -> Path:
    """Write a variant of the preset beside its run."""
    path = out / f"{name}.yaml"
    path.write_text(yaml.safe_dump(merge(merge(find_config(BASE), START), changes)))
    return path


def pretrain(out: Path, seconds: float) -> list[str]:
    """Learn to colour gray photographs for some seconds and return the options that start from there."""
    sources = [{"path": str(DATA / folder)} for folder in PHOTOGRAPHS]
    config = write_variant("photographs", out, domain="gray", data={"sources": sources})
    run = out / "photographs"
    train(config, run, round(seconds / seconds_per_step(config, out / "photographs-probe")))
    return ["--init-from", str(run / "last.safetensors")]


def measure(name: str, config: Path, cost: float, seconds: float) -> dict[str, Any]:
    """Train one variant for its seconds at a cost per step."""
    options = pretrain(config.parent, PRETEXT * seconds) if name == "pretext" else []
    steps = round(seconds * (1 - PRETEXT if options else 1) / cost)
    validate_once = ["--set", f"train.validate_every={steps}", "--set", f"train.sample_every={steps}"]
    spent = train(config, config.with_name(name), steps, *validate_once, *options)
    row = {"variant": name, "steps": steps, "seconds_per_step": cost, "processor_s": spent}
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=5, help="processor minutes of each variant")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS))
    parser.add_argument("--parallel", type=int, default=2, help="variants that train at the same time, one thread each")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    names, seconds = arguments.variants, 60 * arguments.minutes
    data = {"data": {"sources": held_out()}}
    configs = [write_variant(name, arguments.out, **merge(VARIANTS[name], data)) for name in names]
    costs = [
        seconds_per_step(config, arguments.out / f"{name}-probe") for name, config in zip(names, configs, strict=True)
    ]
    with ThreadPoolExecutor(arguments.parallel) as pool:
        runs = [pool.submit(measure, *run, seconds) for run in zip(names, configs, costs, strict=True)]
        rows = [run.result() for run in runs]
    (arguments.out / "budget.json").write_text(json.dumps(rows, indent=1) + "\n")
    evaluate([arguments.out / name for name in names], arguments.out / "report")


if __name__ == "__main__":
    main()
