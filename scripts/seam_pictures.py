"""Draw docs/images/seams.png: a scene coloured in tiles, each by itself, without a halo, and as it should be.

Uses what `nirtrans demo` leaves behind: its unseen scene and its weights, which normalise over the picture.

    python scripts/seam_pictures.py demo
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray

from nirtrans.engine.samples import join, to_bytes
from nirtrans.io.images import write_image

WAYS = {
    "each tile by itself": ("--norm-stats", "tile"),
    "statistics of the scene, no halo": ("--halo", "0"),
    "statistics of the scene, halo of the network": (),
}
TILE = ("--tile", "256", "--block", "256")
PART = (slice(176, 528), slice(176, 592))
"""Rows and columns that are shown; tiles meet at 256 and 512."""
AWAY_PX = 8
"""Steps this far from a tile line are those of the scene."""


def main(demo: Path, picture: Path) -> None:
    """Colour the scene in every way, print the steps at tile lines, and draw."""
    whole, panels = colour(demo, ("--tile", "0")).astype(float), []
    for name, flags in WAYS.items():
        made = colour(demo, (*TILE, *flags))
        print(
            f"{name}: {np.abs(made - whole).max():.0f} levels at most from the whole, {step(made):.2f} times the step"
        )
        panels.append(torch.from_numpy(made[:, *PART]) / 255)
    write_image(picture, to_bytes(join([panels])))


def colour(demo: Path, flags: tuple[str, ...]) -> NDArray[np.uint8]:
    """Return the colours of the demo's unseen scene, [3, H, W]."""
    with TemporaryDirectory() as folder:
        result = Path(folder) / "out.tif"
        command = [sys.executable, "-m", "nirtrans", "colorize", str(demo / "unseen.tif"), str(result)]
        subprocess.run([*command, "--weights", str(demo / "run"), "--progress", "none", *flags], check=True)
        with rasterio.open(result) as made:
            return made.read()


def step(made: NDArray[np.uint8], side: int = 256) -> float:
    """Return the mean step between columns across tile lines, relative to columns near them."""
    steps = np.abs(np.diff(made.astype(float), axis=2)).mean(axis=(0, 1))
    lines = range(side, made.shape[2] - AWAY_PX, side)
    across = np.mean([steps[line - 1] for line in lines])
    near = np.mean([steps[line - 1 + away] for line in lines for away in range(-AWAY_PX, AWAY_PX + 1) if away])
    return float(across / near)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path("docs/images/seams.png"))
