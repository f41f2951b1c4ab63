"""Print how PSNR grows with the number of colour points that are given.

    python scripts/hint_sweep.py RUN_FOLDER levin2004 athi --data photos --counts 0 1 5 10 50

The points of a picture are pixels of it, drawn at random from its number and the seed; those of a smaller count are
among those of a larger one, so that columns differ by the points alone. Systems that need hints have no column for 0.
"""

import argparse
import math
from functools import partial
from pathlib import Path

import numpy as np
import torch

from nirtrans.color.luma import luma
from nirtrans.data.seeds import Seed, ntire_track2_seeds
from nirtrans.evaluation.metrics import psnr
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.hints import draw
from nirtrans.io.hint_points import hints_of
from nirtrans.io.images import list_images, read_image, to_unit
from nirtrans.models.chroma_system import ChromaSystem


def score(colorizer: Colorizer, rgb: torch.Tensor, seeds: list[Seed], radius_px: int | None) -> float:
    """Return the PSNR of one picture [3, H, W] from its luma and these points."""
    gray = luma(rgb[None])
    picture = (gray.shape[2], gray.shape[3])
    points = hints_of([seed if radius_px is None else (*seed, radius_px) for seed in seeds]) if seeds else None
    guidance = partial(draw, picture=picture, points=points) if points else None
    return psnr(colorizer.colorize(gray, guidance=guidance)[0], rgb)


def sweep(colorizer: Colorizer, pictures: list[Path], arguments: argparse.Namespace) -> dict[int, float]:
    """Return the mean PSNR by number of points."""
    system = colorizer.system
    needed = isinstance(system, ChromaSystem) and system.needs_guidance
    counts = [count for count in arguments.counts if count or not needed]
    scores: dict[int, list[float]] = {count: [] for count in counts}
    for number, path in enumerate(pictures):
        pixels = read_image(path).pixels
        rng = np.random.default_rng([arguments.seed, number])
        seeds = ntire_track2_seeds(pixels, rng, n=max(counts))
        rgb = torch.from_numpy(to_unit(pixels)).permute(2, 0, 1)
        for count in counts:
            scores[count].append(score(colorizer, rgb, seeds[:count], arguments.radius))
    return {count: math.fsum(values) / len(values) for count, values in scores.items()}


def main() -> None:
    """Print one row per system."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="+", help="weights, run folders, or formulas")
    parser.add_argument("--data", type=Path, required=True, help="folder of colour pictures")
    parser.add_argument("--counts", type=int, nargs="+", default=[0, 1, 5, 10, 50], help="numbers of points")
    parser.add_argument(
        "--radius", type=int, help="points fill squares of 2 * radius + 1 pixels; without it, 5 px seen"
    )
    parser.add_argument("--limit", type=int, help="use the first so many pictures alone")
    parser.add_argument("--seed", type=int, default=0, help="of the places")
    arguments = parser.parse_args()
    pictures = list_images(arguments.data)[: arguments.limit]
    print(f"PSNR in dB, {len(pictures)} pictures, by number of points")
    print("".join(f"{text:>10}" for text in ("", *map(str, arguments.counts))))
    for name in arguments.weights:
        found = sweep(load_colorizer(name), pictures, arguments)
        cells = [f"{found[count]:.2f}" if count in found else "-" for count in arguments.counts]
        print("".join(f"{text:>10}" for text in (Path(name).name[:10], *cells)), flush=True)


if __name__ == "__main__":
    main()
