"""Compare ways of enlarging chroma: that of photographs is shrunk, enlarged again and held against what it was.

    python scripts/compare_upsampling.py PHOTOGRAPHS... [--sides 256 128] [--limit 60]

prints, as a table for docs/colorizing-photos.md, the root mean square error of a and b in CIE units over all pixels and
near edges of colour, where chroma that runs over is seen, and seconds per megapixel by one thread.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.color.chroma import lightness
from nirtrans.color.luma import luma
from nirtrans.inference.upsample import upsampled
from nirtrans.io.images import IMAGE_SUFFIXES, read_image, to_unit
from nirtrans.kernels import rgb_to_lab

EDGE = 15.0
"""Difference of a and b between neighbours, CIE units, that makes an edge; pixels up to 2 px away are near it."""
Way = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Chroma and L of the small picture, L of the full one -> chroma of the full one."""


def by_package(way: str) -> Way:
    """Return a way of `nirtrans.inference.upsample`."""
    return lambda ab, small, full: upsampled(ab, small, tuple(full.shape[2:]), way=way).rows(full, 0)


def fast_guided_filter(ab: Tensor, small: Tensor, full: Tensor, radius: int = 1, epsilon: float = 4.0) -> Tensor:
    """He and Sun 2015, algorithm 2, with the radius and the epsilon that are best for it here."""

    def box(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2 * radius + 1, 1, radius, count_include_pad=False)

    means = box(small), box(ab)
    slope = (box(small * ab) - means[0] * means[1]) / (box(small * small) - means[0] ** 2 + epsilon)
    offset = means[1] - slope * means[0]
    slope, offset = (F.interpolate(box(x), size=full.shape[2:], mode="bilinear") for x in (slope, offset))
    return slope * full + offset


def joint_bilateral(ab: Tensor, small: Tensor, full: Tensor, sigma_px: float = 0.5, sigma: float = 8.0) -> Tensor:
    """Kopf et al. 2007, equation 4, over 5 x 5 samples, with the sigmas that are best for it here."""
    places = [(torch.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(full.shape[2:], ab.shape[2:], strict=True)]
    nearest = [place.round().long() for place in places]
    total, weights = torch.zeros(1, 2, *full.shape[2:]), torch.full(full.shape, 1e-12)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            rows, columns = ((n + d).clamp(0, m - 1) for n, d, m in zip(nearest, (dy, dx), ab.shape[2:], strict=True))
            distance = ((places[0] - nearest[0] - dy) ** 2)[:, None] + (places[1] - nearest[1] - dx) ** 2
            step = full - small[:, :, rows][..., columns]
            weight = torch.exp(-distance / (2 * sigma_px**2) - step**2 / (2 * sigma**2))
            total += weight * ab[:, :, rows][..., columns]
            weights += weight
    return total / weights


WAYS: dict[str, Way] = {
    "bilinear": by_package("bilinear"),
    "joint bilateral, Kopf et al. 2007": joint_bilateral,
    "fast guided filter, He and Sun 2015": fast_guided_filter,
    "guided (its slope through each sample)": by_package("guided"),
}


def near_edges(ab: Tensor) -> Tensor:
    """Return where colours change nearby, [H - 1, W - 1], bool."""
    corner = ab[0, :, :-1, :-1]
    steps = (ab[0, :, 1:, :-1] - corner).square().sum(0) + (ab[0, :, :-1, 1:] - corner).square().sum(0)
    return F.max_pool2d((steps > EDGE**2).float()[None], 5, 1, 2)[0] > 0


def photographs(folders: list[Path], limit: int) -> Iterator[Tensor]:
    """Yield pictures [1, 3, H, W], spread evenly over each folder."""
    for folder in folders:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
        for path in paths[:: max(1, len(paths) // limit)][:limit]:
            pixels = read_image(path).pixels
            if pixels.shape[2] == 3:
                yield torch.from_numpy(to_unit(pixels)).permute(2, 0, 1)[None].contiguous()


def measure(folders: list[Path], side: int, limit: int) -> dict[str, np.ndarray]:
    """Return for each way the errors over all pixels and near edges, and seconds per megapixel, [pictures, 3]."""
    found = defaultdict(list)
    for rgb in photographs(folders, limit):
        height, width = rgb.shape[2:]
        share = side / min(height, width)
        if share > 0.9:
            continue
        truth, gray = rgb_to_lab(rgb)[:, 1:], luma(rgb)
        size = round(height * share), round(width * share)
        ab, small_gray = (F.interpolate(x, size=size, mode="bilinear", antialias=True) for x in (truth, gray))
        full, small, edges = lightness(gray), lightness(small_gray), near_edges(truth)
        for name, way in WAYS.items():
            start = time.perf_counter()
            error = (way(ab, small, full) - truth).square().mean(1)[0]
            seconds = (time.perf_counter() - start) / (height * width / 1e6)
            at_edges = error[:-1, :-1][edges].mean().sqrt().item() if edges.any() else np.nan
            found[name].append((error.mean().sqrt().item(), at_edges, seconds))
    return {name: np.array(rows) for name, rows in found.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--sides", nargs="+", type=int, default=[256, 128])
    parser.add_argument("--limit", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    tables = {side: measure(options.folders, side, options.limit) for side in options.sides}
    counts = " and ".join(str(len(next(iter(table.values())))) for table in tables.values())
    print(f"{counts} photographs\n")
    titles = [f"{side} px: all | near edges" for side in options.sides]
    print(f"| way | {' | '.join(titles)} | s per megapixel |\n|---|{'---|' * (2 * len(titles) + 1)}")
    for name in WAYS:
        errors = [
            f"{np.nanmean(table[name][:, 0]):.2f} | {np.nanmean(table[name][:, 1]):.2f}" for table in tables.values()
        ]
        seconds = np.median(np.concatenate([table[name][:, 2] for table in tables.values()]))
        print(f"| {name} | {' | '.join(errors)} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
