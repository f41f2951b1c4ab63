"""More points, better pictures: the script that measures it, with what needs no training."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nirtrans.io.images import write_image

SCRIPT = Path(__file__).parents[2] / "scripts" / "hint_sweep.py"


def sweep(*arguments: object) -> dict[str, list[float]]:
    """Run the script: PSNR by system and number of points, NaN where a system needs points."""
    done = subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    return {name: [float(cell.replace("-", "nan")) for cell in cells] for name, *cells in rows}


def test_points_help(tmp_path: Path) -> None:
    y, x = np.mgrid[:48, :64]
    for number in range(2):
        patches = [120 + 60 * ((x // 16 + y // 16 + number) % 3 == channel) for channel in range(3)]
        write_image(tmp_path / f"{number}.png", np.stack(patches, axis=2).astype(np.uint8))
    found = sweep("levin2004", "athi", "--data", tmp_path, "--counts", 0, 1, 5, 20, 80, "--radius", 0)
    assert np.isnan(found["levin2004"][0])
    assert found["levin2004"][1:] == sorted(found["levin2004"][1:])
    assert found["levin2004"][-1] > found["levin2004"][1] + 3
    assert found["athi"][-1] > found["athi"][1]


@pytest.mark.slow
def test_points_help_on_photographs(shared_data: Path) -> None:
    photos = shared_data / "rgb" / "bsds500" / "test_half"
    found = sweep("levin2004", "--data", photos, "--limit", 8, "--counts", 1, 5, 10, 50)["levin2004"]
    assert found == sorted(found)
    assert found[-1] > found[0] + 2
