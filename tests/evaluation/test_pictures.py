"""Predictions as files."""

from pathlib import Path

import numpy as np
from PIL import Image

from nirtrans.evaluation.pairs import Pair
from nirtrans.evaluation.pictures import PictureFolder
from nirtrans.inference.scene import ArrayScene


def pair(name: str, valid: np.ndarray | None = None) -> Pair:
    return Pair(name, ArrayScene(np.zeros((1, 4, 5), np.float32), valid), np.zeros((3, 4, 5), np.float32), valid)


def test_undefined_pixels_are_transparent(tmp_path: Path) -> None:
    valid = np.ones((4, 5), dtype=bool)
    valid[0] = False
    colours = np.where(valid, np.float32(0.2), np.float32(np.nan)) * np.ones((3, 1, 1), np.float32)
    PictureFolder(tmp_path)("model", pair("source/a", valid), colours)
    stored = np.asarray(Image.open(tmp_path / "model" / "source" / "a.png"))
    np.testing.assert_array_equal(stored[1, 1], [51, 51, 51, 255])
    np.testing.assert_array_equal(stored[0, :, 3], 0)


def test_names_lead_nowhere_else(tmp_path: Path) -> None:
    PictureFolder(tmp_path / "pictures")("/up/../m", pair("../a@0,0"), np.zeros((3, 4, 5), np.float32))
    (written,) = tmp_path.rglob("*.png")
    assert written == tmp_path / "pictures" / "up" / "_" / "m" / "_" / "a@0,0.png"
