"""Colours are counted exactly whatever holds them; a file that is no distribution is refused with its sum."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nirtrans.ab_bins import ab_table
from nirtrans.color.bins import AB313
from nirtrans.color.chroma import chroma
from nirtrans.data import prior as counting
from nirtrans.data.picture import InMemory
from nirtrans.data.prior import colour_pictures, count_pictures
from nirtrans.data.prior_file import Prior, read_prior, write_prior
from nirtrans.data.prior_picture import draw_prior
from nirtrans.data.synthetic import synthetic_scene, write_synthetic_pairs, write_synthetic_raster
from nirtrans.errors import DataError
from nirtrans.io.images import read_image, write_image
from nirtrans.kernels import class_weights
from nirtrans.progress import Progress


def pixels(seed: int = 0, size: tuple[int, int] = (30, 41)) -> np.ndarray:
    """Return random colours, [H, W, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def brute_force(*pictures: np.ndarray) -> np.ndarray:
    """Count the nearest bin of every pixel [..., 3] by all distances."""
    counts = np.zeros(313)
    for picture in pictures:
        rgb = torch.from_numpy(picture.reshape(1, -1, 3, 1).astype(np.float32) / 255).permute(0, 2, 1, 3)
        ab = chroma(rgb)[0, :, :, 0].T.numpy()
        np.add.at(counts, ((ab[:, None] - ab_table()[None]) ** 2).sum(2).argmin(1), 1)
    return counts


def a_prior(**changes: Any) -> dict[str, Any]:
    counts = np.arange(313)
    whole = Prior(
        bins=tuple(map(tuple, ab_table().tolist())),
        frequencies=tuple((counts / counts.sum()).tolist()),
        counts=tuple(counts.tolist()),
        smoothing=5.0,
        pictures=2,
        source="two",
    )
    return whole.model_dump(mode="json") | changes


def written(folder: Path, content: object) -> Path:
    (folder / "prior.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder / "prior.json"


def folder_of_pictures(folder: Path) -> list[np.ndarray]:
    pictures = [pixels(seed, size) for seed, size in enumerate([(30, 41), (8, 9), (1, 70)])]
    for number, picture in enumerate(pictures):
        write_image(folder / f"{number}.png", picture)
    return pictures


def test_a_folder_is_counted_exactly(tmp_path: Path) -> None:
    expected = brute_force(*folder_of_pictures(tmp_path))
    counts = count_pictures(colour_pictures(tmp_path))
    assert counts.bins.tolist() == expected.tolist()
    assert counts.pictures == 3


def test_strips_and_rounds_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = brute_force(*folder_of_pictures(tmp_path))
    monkeypatch.setattr(counting, "STRIP_PX", 50)
    monkeypatch.setattr(counting, "ROUND", 2)
    assert count_pictures(colour_pictures(tmp_path)).bins.tolist() == expected.tolist()


@pytest.mark.parametrize("strip_px", [50, 2**20])
def test_a_grid_of_pixels_does_not_depend_on_strips(strip_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = pixels(3, (50, 37))
    monkeypatch.setattr(counting, "STRIP_PX", strip_px)
    unit = picture.transpose(2, 0, 1).astype(np.float32) / 255
    counts = count_pictures([InMemory("a", "a", unit)], most_px=50 * 37 // 9)
    assert counts.bins.tolist() == brute_force(picture[::3, ::3]).tolist()


def test_large_pictures_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = brute_force(*folder_of_pictures(tmp_path))
    monkeypatch.setattr(counting, "LARGE_PX", 70)
    assert count_pictures(colour_pictures(tmp_path)).bins.tolist() == expected.tolist()


def test_evenly_chosen_pictures() -> None:
    flat = [InMemory(str(n), str(n), np.full((3, 2, 2), n / 10, np.float32)) for n in range(10)]
    flat[0].pixels[0] = flat[9].pixels[2] = 1  # the first and the last have a colour
    counts = count_pictures(flat, most=4)
    assert (counts.pictures, int(counts.bins.sum()), int(counts.bins[120])) == (4, 16, 8)
    assert count_pictures(flat, most=99).pictures == 10


def test_pairs_unpaired_and_rasters_show_their_colours(tmp_path: Path) -> None:
    write_synthetic_pairs(tmp_path / "pairs", scenes=2, size=(32, 32))
    shown = [read_image(path).pixels for path in sorted((tmp_path / "pairs" / "rgb").iterdir())]
    expected = brute_force(*shown).tolist()
    assert count_pictures(colour_pictures(tmp_path / "pairs")).bins.tolist() == expected
    (tmp_path / "pairs" / "rgb").rename(tmp_path / "pairs" / "trainB")
    (tmp_path / "pairs" / "nir").rename(tmp_path / "pairs" / "trainA")
    assert count_pictures(colour_pictures(tmp_path / "pairs")).bins.tolist() == expected
    (tmp_path / "rasters").mkdir()
    write_synthetic_raster(tmp_path / "rasters" / "a.tif", size=(300, 300))
    valid = synthetic_scene(0, (300, 300)).red.size
    counted = count_pictures(colour_pictures(tmp_path / "rasters")).bins.sum()
    assert 0.5 * valid < counted < valid, "the hole is not counted"


def test_drawings_are_not_colours(tmp_path: Path) -> None:
    for folder, picture in (("line", pixels()[..., :1]), ("color", pixels(1))):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "a.png", picture)
    assert count_pictures(colour_pictures(tmp_path)).bins.tolist() == brute_force(pixels(1)).tolist()


def test_colour_rasters_without_near_infrared_are_pictures_on_request(tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", pixels())
    with pytest.raises(DataError, match="--domain gray"):
        colour_pictures(tmp_path)
    assert count_pictures(colour_pictures(tmp_path, "gray")).bins.tolist() == brute_force(pixels()).tolist()


def test_transparent_pixels_do_not_count(tmp_path: Path) -> None:
    alpha = np.zeros((30, 41), np.uint8)
    alpha[:, :20] = 255
    write_image(tmp_path / "a.png", pixels(), alpha=alpha)
    counts = count_pictures(colour_pictures(tmp_path))
    assert counts.bins.tolist() == brute_force(pixels()[:, :20]).tolist()
    write_image(tmp_path / "a.png", pixels(), alpha=0 * alpha)
    with pytest.raises(DataError, match="no pixel that holds data"):
        count_pictures(colour_pictures(tmp_path)).prior("a")


def test_progress_tells_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder_of_pictures(tmp_path)
    count_pictures(colour_pictures(tmp_path), progress=Progress("plain"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("colour prior 3/3")
    assert "took 0:00" in line


def test_weights_have_the_mean_1_under_the_prior(tmp_path: Path) -> None:
    folder_of_pictures(tmp_path)
    for smoothing in (0.0, 5.0):
        prior = count_pictures(colour_pictures(tmp_path)).prior("random", smoothing=smoothing).tensor()
        assert prior.sum().item() == pytest.approx(1, abs=1e-12)
        assert (prior * class_weights(prior)).sum().item() == pytest.approx(1, abs=1e-9)


def test_it_has_the_form_of_the_published_prior(shared_data: Path) -> None:
    published = torch.from_numpy(np.load(shared_data / "colorization-reference" / "prior_probs.npy"))
    pictures = colour_pictures(shared_data / "rgb" / "imagenet-sample")
    ours = count_pictures(pictures, most_px=10_000).prior("sample").tensor()
    assert ours.shape == published.shape == (313,)
    for prior in (ours, published):
        assert prior.sum().item() == pytest.approx(1, abs=1e-6)
        assert (prior * class_weights(prior)).sum().item() == pytest.approx(1, abs=1e-5)
    assert {120, 133} & set(ours.topk(3).indices.tolist()), "grey and what is near it lead"
    assert torch.corrcoef(torch.stack([ours, published]))[0, 1] > 0.8


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    prior = Prior.model_validate(a_prior(counts=[10**12] * 313))
    write_prior(tmp_path / "prior.json", prior)
    assert read_prior(tmp_path / "prior.json") == prior
    assert prior.version
    assert torch.equal(torch.tensor(prior.bins), AB313.centres)


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "312 bins": (lambda p: p | {"frequencies": p["frequencies"][:-1]}, "expected 313 frequencies.*got 312"),
    "no counts": (lambda p: p | {"counts": []}, "expected 313 counts.*got 0"),
    "negative": (lambda p: p | {"frequencies": [-0.1, 0.1, *p["frequencies"][2:]]}, "not negative, got -0.1"),
    "sum": (lambda p: p | {"frequencies": [x * 0.75 for x in p["frequencies"]]}, r"sum to 1, got 0\.75"),
    "nearly": (lambda p: p | {"frequencies": [x * (1 + 2e-6) for x in p["frequencies"]]}, r"got 1\.000002"),
    "nan": (lambda p: json.dumps(p).replace('cies": [0.0,', 'cies": [NaN,'), "frequencies.0: .*finite"),
    "infinite": (lambda p: json.dumps(p).replace('cies": [0.0,', 'cies": [Infinity,'), "frequencies.0: .*finite"),
    "words": (lambda p: p | {"frequencies": ["much"] * 313}, "frequencies.0"),
    "other order": (lambda p: p | {"bins": p["bins"][::-1]}, "bins are not the 313"),
    "other format": (lambda p: p | {"format": 2}, "format"),
    "unknown key": (lambda p: p | {"mass": 1}, "mass is not a setting"),
    "nothing": (lambda p: {}, "bins"),
    "list": (lambda p: p["frequencies"], "expected a mapping, got a list"),
    "no JSON": (lambda p: "prior", "no JSON"),
    "nested": (lambda p: "[" * 100_000, "no JSON"),
    "huge": (lambda p: " " * 1_100_000, "at most 1 MB"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_prior_is_refused(tmp_path: Path, case: str) -> None:
    spoil, message = WRONG[case]
    with pytest.raises(DataError, match=message) as told:
        read_prior(written(tmp_path, spoil(a_prior())))
    assert "prior.json" in str(told.value)
    assert "\n" not in str(told.value)


def test_rounding_of_the_sum_is_accepted(tmp_path: Path) -> None:
    near = a_prior()
    near["frequencies"][5] += 9e-7
    assert read_prior(written(tmp_path, near)).frequencies[5] == near["frequencies"][5]


def test_a_file_that_is_not_there_and_a_binary_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_prior(tmp_path / "no.json")
    (tmp_path / "b.json").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="no JSON"):
        read_prior(tmp_path / "b.json")


@pytest.mark.parametrize("only", [None, 120, 0])
def test_the_picture_shows_each_bin_in_its_colour(tmp_path: Path, only: int | None) -> None:
    shares = [1 / 313] * 313 if only is None else [float(number == only) for number in range(313)]
    draw_prior(tmp_path / "p.png", Prior.model_validate(a_prior(frequencies=shares)))
    picture = read_image(tmp_path / "p.png").pixels
    middle = picture[52 + 11 * 24 + 12, 52 + 11 * 24 + 12]  # of bin (0, 0)
    assert (np.ptp(middle.astype(int)) <= 1 and middle[0] < 200) == (only != 0)
