"""The Python face: kinds, sizes, ranges, holes, and tiling that nobody notices."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_weights import tiny_weights

import nirtrans
from nirtrans.config import Preprocessing
from nirtrans.errors import CheckpointError, InputError, UnknownNameError
from nirtrans.evaluation.metrics import seam
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.tiling import Grid


def scene(height: int = 61, width: int = 75, seed: int = 0) -> np.ndarray:
    """A smooth picture with a gradient across it, so that tiles differ in their statistics."""
    noise = torch.rand(1, 1, height // 4 + 2, width // 4 + 2, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(noise, size=(height, width), mode="bicubic").clamp(0, 1)[0, 0]
    return (0.6 * smooth + 0.4 * torch.linspace(0, 1, width)).numpy()


@pytest.fixture
def colorizer() -> Colorizer:
    return nirtrans.load(str(tiny_weights()), device="cpu")


def test_the_same_kind_comes_back(colorizer: Colorizer) -> None:
    nir = scene()
    rgb = colorizer.colorize(nir)
    assert rgb.shape == (61, 75, 3)
    assert rgb.dtype == np.float32
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    assert rgb.std(axis=(0, 1)).min() > 0.05  # the tests below would prove nothing on a flat picture
    assert np.array_equal(colorizer.colorize(nir[..., None]), rgb)
    batch = colorizer.colorize(torch.from_numpy(nir)[None, None].expand(2, -1, -1, -1))
    assert batch.shape == (2, 3, 61, 75)
    assert np.array_equal(batch[1].movedim(0, -1).numpy(), rgb)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_integers_are_scaled_by_their_maximum(colorizer: Colorizer, kind: type) -> None:
    top = np.iinfo(kind).max
    numbers = (scene(16, 16) * top).astype(kind)
    assert np.array_equal(colorizer.colorize(numbers), colorizer.colorize(numbers / np.float32(top)))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5, 3), (33, 64)])
def test_any_size(colorizer: Colorizer, size: tuple[int, int]) -> None:
    rgb = colorizer.colorize(scene(64, 64)[: size[0], : size[1]])
    assert rgb.shape == (*size, 3)
    assert np.isfinite(rgb).all()


def test_holes_are_holes_again_and_what_they_hide_does_not_matter(colorizer: Colorizer) -> None:
    nir = scene()
    nir[10:30, 20:50] = np.nan
    rgb = colorizer.colorize(nir)
    assert np.array_equal(np.isnan(rgb).all(axis=-1), np.isnan(nir))
    assert np.array_equal(np.isnan(rgb).any(axis=-1), np.isnan(nir))
    hidden = np.where(np.isnan(nir), np.inf, nir)
    assert np.array_equal(colorizer.colorize(hidden), rgb, equal_nan=True)


def tiled(norm: str, monkeypatch: pytest.MonkeyPatch, *, halo_px: int | None = None) -> np.ndarray:
    colorizer = load_colorizer(tiny_weights(norm), device="cpu")
    halo, stride = colorizer.info.halo_px if halo_px is None else halo_px, colorizer.info.stride_px
    monkeypatch.setattr(colorizer, "grid", lambda scene: Grid(scene.height, scene.width, 64, halo, stride))
    return colorizer.colorize(scene(140, 200))


@pytest.mark.parametrize("norm", ["instance", "group", "batch", "none"])
def test_tiles_show_no_seam(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_colorizer(tiny_weights(norm), device="cpu").colorize(scene(140, 200))
    found = seam(tiled(norm, monkeypatch), whole, tile_px=64)
    assert found.max <= 1e-4
    assert np.abs(tiled(norm, monkeypatch) - whole).max() <= 1 / 255
    assert (np.round(255 * tiled(norm, monkeypatch)) == np.round(255 * whole)).mean() >= 0.999
    assert np.abs(tiled(norm, monkeypatch, halo_px=0) - whole).max() > 2 / 255  # the test can fail


def test_physical_floats_are_scaled_by_the_range_of_the_tiny_weights() -> None:
    nir = scene(16, 16)
    plain = load_colorizer(tiny_weights(), device="cpu").colorize(nir)
    rule = Preprocessing(kind="raster", units="reflectance", input_range=(0.1, 0.5))
    physical = load_colorizer(tiny_weights(rule=rule), device="cpu")
    assert np.allclose(physical.colorize(0.1 + 0.4 * nir), plain, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), "take 1 channel"),
        (np.zeros((0, 4), np.uint8), "0 x 4 px"),
        (np.zeros((4, 4), np.complex64), "integers or floats"),
        (np.full((4, 4), 255.0), r"floats in \[0, 1\]"),
        (np.zeros(4, np.uint8), "NumPy picture"),
        (torch.zeros(1, 4, 4), "torch batch"),
        ("nir.png", "got str"),
    ],
)
def test_wrong_input_is_named(colorizer: Colorizer, wrong: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        colorizer.colorize(wrong)


def test_wrong_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"neither a \.safetensors file nor a shipped name"):
        load_colorizer("no-such-weights")
    with pytest.raises(CheckpointError, match="no such file"):
        load_colorizer(tmp_path / "absent.safetensors")


def test_a_run_folder_means_its_best_weights(tmp_path: Path) -> None:
    (tmp_path / "best.safetensors").write_bytes(tiny_weights().read_bytes())
    assert load_colorizer(tmp_path, device="cpu").digest == load_colorizer(tiny_weights(), device="cpu").digest
