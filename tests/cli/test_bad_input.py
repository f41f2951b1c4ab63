"""Every wrong input of a user ends with exit code 2 and one line that names the fault, and nothing is written."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from nirtrans.data.synthetic import write_synthetic_pairs, write_synthetic_raster
from nirtrans.io.images import write_image

SMALL = ("--model", "cyclegan-asym", "--config", "cyclegan-asym-small", "--set", "data.crop_px=32")
Prepare = Callable[[Path], list[str]]


def gray(size: tuple[int, int] = (40, 40)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (*size, 1), dtype=np.uint8)


def pairs(folder: Path) -> Path:
    write_synthetic_pairs(folder, scenes=6, size=(40, 40))
    return folder


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def missing(place: Path) -> list[str]:
    return ["--data", str(place / "nowhere")]


def empty(place: Path) -> list[str]:
    (place / "empty").mkdir()
    return ["--data", str(place / "empty")]


def unmatched(place: Path) -> list[str]:
    rgb = pairs(place / "data") / "rgb"
    for name in ("scene0002", "scene0004"):
        (rgb / f"{name}.png").unlink()
    return ["--data", str(place / "data")]


def sizes(place: Path) -> list[str]:
    write_image(pairs(place / "data") / "nir" / "scene0003.png", gray((40, 48)))
    return ["--data", str(place / "data")]


def truncated_png(place: Path) -> list[str]:
    truncate(pairs(place / "data") / "nir" / "scene0001.png")
    return ["--data", str(place / "data")]


def truncated_tiff(place: Path) -> list[str]:
    (place / "data").mkdir()
    write_synthetic_raster(place / "data" / "whole.tif", size=(64, 64))
    write_synthetic_raster(place / "data" / "torn.tif", size=(300, 300), nodata_hole=False)
    truncate(place / "data" / "torn.tif")
    return ["--data", str(place / "data")]


def colour_as_nir(place: Path) -> list[str]:
    for path in (pairs(place / "data") / "rgb").iterdir():
        (place / "data" / "nir" / path.name).write_bytes(path.read_bytes())
    return ["--data", str(place / "data")]


def without_nir(place: Path) -> list[str]:
    raster(place, count=3, value=7)
    return ["--data", str(place / "data")]


def nodata(place: Path) -> list[str]:
    raster(place, count=4, value=0)
    return ["--data", str(place / "data"), "--bands", "nir=4,red=1,green=2,blue=3"]


def raster(place: Path, *, count: int, value: int) -> None:
    import rasterio

    (place / "data").mkdir()
    form = {"driver": "GTiff", "height": 64, "width": 64, "count": count, "dtype": "uint16", "nodata": 0}
    with rasterio.open(place / "data" / "plain.tif", "w", **form, crs="EPSG:32633") as target:
        target.write(np.full((count, 64, 64), value, dtype=np.uint16))


def large_crop(place: Path) -> list[str]:
    return ["--data", str(pairs(place / "data")), "--set", "data.crop_px=64"]


TINY = "network={width: 2, blocks: 1, halvings: 2, back_width: 2, back_depth: 3, critic_rgb: {width: 2}}"
BATCH_NORM = "network.critic_rgb.norm=batch"


def no_picture_left(place: Path) -> list[str]:
    data = pairs(place / "data")
    (data / "splits.csv").write_text("id,scene,split\n" + "".join(f"scene000{n},s{n},test\n" for n in range(6)))
    return ["--data", str(data)]


def no_picture(place: Path) -> list[str]:
    write_synthetic_pairs(place / "data", scenes=0)
    return ["--data", str(place / "data")]


def gray_as_colour(place: Path) -> list[str]:
    write_image(pairs(place / "data") / "rgb" / "scene0001.png", gray())
    return ["--data", str(place / "data")]


def crop_below_the_critics(place: Path) -> list[str]:
    return ["--data", str(pairs(place / "data")), "--set", TINY, "--set", "data.crop_px=8"]


def batch_norm_of_one_value(place: Path) -> list[str]:
    changes = ("--set", TINY, "--set", BATCH_NORM, "--set", "train.batch=1")
    return ["--data", str(pairs(place / "data")), *changes]


def unknown(*arguments: str) -> Prepare:
    return lambda place: list(arguments)


def yaml_key(place: Path) -> list[str]:
    (place / "mine.yaml").write_text("model: cyclegan-asym\ndomain: nir\ntrain: {step: 5}\n")
    return ["--config", str(place / "mine.yaml")]


def file_as_out(place: Path) -> list[str]:
    (place / "file").write_text("")
    return ["--data", str(pairs(place / "data")), "--out", str(place / "file" / "run")]


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (missing, ["nowhere"]),
        (empty, ["empty"]),
        (unmatched, ["scene0002", "scene0004"]),
        (sizes, ["scene0003", "40x48", "40x40"]),
        (truncated_png, ["scene0001.png", "--skip-bad"]),
        (truncated_tiff, ["torn.tif", "copy it again"]),
        (colour_as_nir, ["scene0000", "nir"]),
        (without_nir, ["plain.tif", "nir", "--bands"]),
        (nodata, ["plain.tif", "nodata"]),
        (large_crop, ["40x40", "data.crop_px="]),
        (no_picture, ["no pictures"]),
        (no_picture_left, ["nothing to train on"]),
        (gray_as_colour, ["scene0001.png", "colour"]),
        (crop_below_the_critics, ["crops of 8 px", "data.crop_px"]),
        (batch_norm_of_one_value, ["batch norm", "train.batch", "instance norm"]),
        (unknown("--model", "cyclegan-asim"), ["did you mean cyclegan-asym"]),
        (unknown("--domain", "nit"), ["did you mean nir"]),
        (unknown("--set", "train.step=3"), ["did you mean train.steps"]),
        (unknown("--set", "network.wdith=3"), ["did you mean network.width"]),
        (yaml_key, ["mine.yaml", "did you mean train.steps"]),
        (file_as_out, ["file"]),
    ],
)
def test_training(nirtrans: Callable, tmp_path: Path, prepare: Prepare, words: list[str]) -> None:
    outcome = nirtrans("train", *SMALL, "--out", tmp_path / "run", "--domain", "nir", *prepare(tmp_path))
    assert outcome.code == 2
    assert all(word in outcome.error for word in words), outcome.error
    assert not (tmp_path / "run" / "state").exists()


def test_a_run_of_an_earlier_version_is_not_resumed(nirtrans: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "state" / "step-000000001").mkdir(parents=True)
    (run / "config.yaml").write_text("model: cyclegan-asym\ndomain: nir\nnetwork: {paired: 30.0}\n")
    outcome = nirtrans("train", "--out", run, "--resume")
    assert outcome.code == 2
    for word in ("config.yaml", "network.paired has become network.fidelity.l1", "--overwrite"):
        assert word in outcome.error


def test_weights_of_losses_out_of_proportion(nirtrans: Callable, tmp_path: Path) -> None:
    data = ("--data", pairs(tmp_path / "data"), "--domain", "nir", "--out", tmp_path / "run")
    outcome = nirtrans("train", *ONE_STEP, *data, "--set", "network.fidelity.l1=1e300")
    assert outcome.code == 2
    assert "generator/l1 is inf before the first step" in outcome.error
    assert not (tmp_path / "run").exists()


REGRESSION = ("--config", "nirtrans-base-small", "--set", "data.crop_px=32", "--steps", "1", "--device", "cpu")


def test_a_model_without_any_loss(nirtrans: Callable, tmp_path: Path) -> None:
    without = ("--set", "network={width: 4, depth: 2, fidelity: {l1: 0, angular: 0}}")
    outcome = nirtrans("train", *REGRESSION, *without, "--data", pairs(tmp_path / "data"), "--out", tmp_path / "run")
    assert outcome.code == 2
    assert "no loss of the generator has a weight" in outcome.error
    assert not (tmp_path / "run").exists()


def test_the_angle_alone_is_a_loss(nirtrans: Callable, tmp_path: Path) -> None:
    angle = ("--set", "network={width: 4, depth: 2, fidelity: {l1: 0, angular: 1}}")
    outcome = nirtrans("train", *REGRESSION, *angle, "--data", pairs(tmp_path / "data"), "--out", tmp_path / "run")
    assert outcome.code == 0


def test_batches_beyond_the_memory(nirtrans: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 10**7}.__getitem__)
    data = ("--data", pairs(tmp_path / "data"), "--domain", "nir", "--out", tmp_path / "run", "--device", "cpu")
    outcome = nirtrans("train", *ONE_STEP, *data, "--set", "train.batch=100")
    assert outcome.code == 2
    assert "for gradients at train.batch 100" in outcome.error
    assert not (tmp_path / "run").exists()


def test_a_penalty_beside_batch_norm_is_told(
    nirtrans: Callable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = ("--data", pairs(tmp_path / "data"), "--domain", "nir", "--out", tmp_path / "run", "--steps", "1")
    mixing = ("--set", "network.gan=wgan-gp", "--set", "network.critic_nir.norm=batch", "--progress", "none")
    assert nirtrans("train", *ONE_STEP, *data, *mixing).code == 0
    assert "network.critic_nir.norm is batch, under which the penalty" in caplog.text


def test_distances_that_unpaired_batches_leave_out_are_told(
    nirtrans: Callable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = ("--data", pairs(tmp_path / "data"), "--domain", "nir", "--out", tmp_path / "run")
    quick = (*ONE_STEP, "--steps", "1", "--progress", "none")
    assert nirtrans("train", *quick, *data, "--set", "data.pairing=unpaired").code == 0
    assert "network.fidelity: l1, angular take no part in unpaired batches" in caplog.text


ONE_STEP = (*SMALL, "--steps", "8", "--set", TINY, "--set", "data.workers=0", "--set", "train.batch=1")


def test_losses_that_are_not_finite(nirtrans: Callable, tmp_path: Path) -> None:
    """The only bad input that shows while running: exit code 3, after warnings of the steps that were skipped."""
    data = ("--data", pairs(tmp_path / "data"), "--domain", "nir", "--out", tmp_path / "run")
    outcome = nirtrans("train", *ONE_STEP, *data, "--progress", "none", "--set", "train.optimizer.lr=1e30")
    assert outcome.code == 3
    assert "was not finite" in outcome.error
    assert "lower train.optimizer.lr" in outcome.error


def test_few_pictures_are_told(nirtrans: Callable, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_synthetic_pairs(tmp_path / "data", scenes=1, size=(40, 40))
    data = ("--data", tmp_path / "data", "--domain", "nir", "--out", tmp_path / "run", "--set", "train.batch=2")
    outcome = nirtrans("train", *ONE_STEP, *data, "--steps", "1", "--progress", "none")
    assert outcome.code == 0
    assert "1 crop(s) of 32 px side by side" in caplog.text


def no_checkpoint(path: Path) -> None:
    path.write_bytes(b"these are no weights" * 10)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"to_rgb.weight": [1, 2, 3]}))


def foreign(path: Path) -> None:
    save_file({"conv.weight": np.zeros((3, 3), dtype=np.float32)}, path)


def of_unknown_model(path: Path) -> None:
    from tests.tiny_weights import tiny_weights

    content = tiny_weights().read_bytes()
    path.write_bytes(content.replace(b"cyclegan-asym", b"cyclegan-asim"))


@pytest.mark.parametrize("make", [no_checkpoint, pickled, foreign, of_unknown_model])
@pytest.mark.parametrize("command", ["colorize", "evaluate"])
def test_weights(nirtrans: Callable, tmp_path: Path, make: Callable[[Path], None], command: str) -> None:
    weights, picture = tmp_path / "bad.safetensors", tmp_path / "nir.png"
    make(weights)
    write_image(picture, gray())
    out = tmp_path / "out"
    data = (
        ["--data", pairs(tmp_path / "data"), "--out", out] if command == "evaluate" else [picture, tmp_path / "o.png"]
    )
    outcome = nirtrans(command, *data, "--weights", weights)
    assert outcome.code == 2
    assert "bad.safetensors" in outcome.error
    assert not out.exists()
    assert not (tmp_path / "o.png").exists()
