"""Sample grids: pixels where they belong."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nirtrans.config import Run
from nirtrans.engine.samples import GAP_PX, SampleSheet
from nirtrans.errors import InputError
from nirtrans.io.images import read_image
from nirtrans.models.weights import ModelInfo
from tests.engine.systems import make_system
from tests.inference.chroma_systems import Warm, photo_colorizer

INFO = ModelInfo(model="test", run=Run(model="test", domain="nir"), halo_px=0, stride_px=8)


def sheet(folder: Path, targets: int = 2) -> SampleSheet:
    sources = [torch.full((1, 10, 12), 0.2), torch.full((1, 10, 12), 0.4)]
    colours = [torch.full((3, 10, 12), 1.5), torch.full((3, 10, 12), -1.0)]
    return SampleSheet(sources, colours[:targets], info=INFO, folder=folder, device=torch.device("cpu"))


def test_grid(tmp_path: Path) -> None:
    system = make_system("regressor")
    sheet(tmp_path)(system, 500)
    pixels = read_image(tmp_path / "samples" / "step-000500.png").pixels
    assert pixels.shape == (2 * 10 + GAP_PX, 3 * 12 + 2 * GAP_PX, 3)
    assert (pixels[:10, :12] == 51).all()
    assert (pixels[-10:, :12] == 102).all()
    assert (pixels[10 : 10 + GAP_PX] == 255).all()
    assert (pixels[:10, -12:] == 255).all()
    assert (pixels[-10:, -12:] == 0).all()
    middle = slice(12 + GAP_PX, 24 + GAP_PX)
    fake = system.colorize(torch.full((1, 1, 16, 16), 0.2))[0, :, :10, :12].detach().clamp(0, 1)
    expected = (fake * 255).round().permute(1, 2, 0).numpy()
    assert np.abs(pixels[:10, middle].astype(int) - expected)[1:-1, 1:-1].max() <= 1


def test_without_targets_there_are_two_columns(tmp_path: Path) -> None:
    sheet(tmp_path, targets=0)(make_system("regressor"), 1)
    assert read_image(tmp_path / "samples" / "step-000001.png").pixels.shape[1] == 2 * 12 + GAP_PX


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "samples").write_text("a file")
    with pytest.raises(InputError, match="it is a file"):
        sheet(tmp_path)(make_system("regressor"), 1)


def test_pictures_of_several_shapes_show_their_middle(tmp_path: Path) -> None:
    sources = [torch.full((1, 32, 40), 0.2), torch.full((1, 48, 32), 0.4)]
    given = SampleSheet(sources, [], info=photo_colorizer().info, folder=tmp_path, device=torch.device("cpu"))
    given(Warm(), 1)
    pixels = read_image(tmp_path / "samples" / "step-000001.png").pixels
    assert pixels.shape == (2 * 32 + GAP_PX, 2 * 32 + GAP_PX, 3)
