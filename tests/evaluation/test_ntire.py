"""The protocol of NTIRE 2019: its gray, its 8 bits, and hints that a seed and a name decide."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from gray_stub import stub_colorizer
from hypothesis import given
from hypothesis import strategies as st

from nirtrans.cli.terms import add_protocol
from nirtrans.color.chroma import chroma
from nirtrans.config import Preprocessing
from nirtrans.data.collection import Collection, InMemory
from nirtrans.errors import DataError, InputError
from nirtrans.evaluation.evaluate import Terms, evaluate
from nirtrans.evaluation.metrics import psnr_u8, ssim, ssim_u8
from nirtrans.evaluation.ntire import Track2, as_ntire, ntire_gray, picture_random
from nirtrans.evaluation.pairs import Pair
from nirtrans.inference.scene import ArrayScene
from nirtrans.io.hints import read_hints


def colours(seed: int = 0, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (3, *size)).astype(np.float32) / 255


def pair(name: str = "a", valid: np.ndarray | None = None) -> Pair:
    truth = colours()
    return Pair(name, ArrayScene(ntire_gray(truth), valid), truth, valid)


def collection(*names: str) -> Collection:
    targets = tuple(InMemory(name, name, colours(int(name)), "val") for name in names)
    sources = tuple(InMemory(t.id, t.scene, t.pixels[:1], t.split) for t in targets)
    return Collection(sources, targets, True, Preprocessing(bands=("gray",)), "test")


def test_gray_is_the_weighted_sum_in_eight_bits() -> None:
    rgb = np.array([[[1.0, 10 / 255]], [[0.0, 200 / 255]], [[0.0, 30 / 255]]], dtype=np.float32)
    assert (255 * ntire_gray(rgb)).flatten().tolist() == pytest.approx([76, 124], abs=1e-4)  # .2989 * 255 = 76.2
    found = as_ntire(collection("0", "1"), "gray")
    assert [source.id for source in found.sources] == ["0", "1"]
    window = (2, 3, 5, 7)
    assert np.array_equal(found.sources[1].read(window)[0], ntire_gray(colours(1)[:, 2:7, 3:10]))
    assert found.sources[0].split == "val"


def test_scores_are_those_of_eight_bit_files() -> None:
    a, b = colours(0), colours(1)
    near = (a + 0.4 / 255).clip(0, 1)
    assert psnr_u8(np.moveaxis(near, 0, -1), np.moveaxis(a, 0, -1)) == float("inf")
    assert ssim_u8(np.moveaxis(near, 0, -1), np.moveaxis(a, 0, -1)) == 1
    rounded = (255 * (a + 0.7 / 255).clip(0, 1)).round() / 255
    expected = ssim(np.moveaxis(rounded, 0, -1), np.moveaxis(b, 0, -1))
    assert ssim_u8(np.moveaxis(a + 0.7 / 255, 0, -1), np.moveaxis(b, 0, -1)) == pytest.approx(expected, abs=1e-3)


@given(st.integers(0, 2**32 - 1), st.text(min_size=1, max_size=8))
def test_a_seed_and_a_name_decide_the_hints(seed: int, name: str) -> None:
    found = Track2(seed).points(pair(name))
    assert 5 <= len(found) <= 15
    assert len({point[:2] for point in found}) == len(found)
    for x, y, *rgb in found:
        assert (255 * pair().truth[:, y, x]).round().tolist() == rgb
    assert Track2(seed).points(pair(name)) == found


def test_other_pictures_change_no_hints(tmp_path: Path) -> None:
    alone, among, turned = (tmp_path / name for name in ("alone", "among", "turned"))
    for folder, names in ((alone, ["3"]), (among, ["1", "2", "3"]), (turned, ["3", "1", "0", "2"])):
        for name in names:
            Track2(5, folder).write(pair(name))
    texts = {folder: (folder / "3.txt").read_bytes() for folder in (alone, among, turned)}
    assert len(set(texts.values())) == 1
    assert (among / "1.txt").read_bytes() != texts[among]
    Track2(6, alone).write(pair("3"))
    assert (alone / "3.txt").read_bytes() != texts[among]


def test_the_number_of_hints_is_uniform() -> None:
    counts = np.bincount([len(Track2(0).points(pair(str(name)))) for name in range(2200)], minlength=17)
    assert counts[:5].sum() == counts[16] == 0
    assert counts[5:16].min() > 140, "200 of each are expected"
    assert counts[5:16].max() < 260


def test_random_numbers_of_names_are_stable() -> None:
    """Published results depend on them, and on the pixels that are drawn from them."""
    assert [point[:2] for point in Track2(0).points(pair("0801"))][:3] == [(22, 19), (12, 12), (21, 21)]
    assert picture_random(0, "0801").integers(0, 10**6, 3).tolist() == [752680, 818867, 762867]


def test_hints_are_written_as_the_challenge_and_as_json(tmp_path: Path) -> None:
    Track2(1, tmp_path).write(pair("x/../a"))
    assert sorted(path.name for path in tmp_path.rglob("a.*")) == ["a.json", "a.txt"]
    assert not list(tmp_path.parent.glob("a.*"))
    for suffix in ("json", "txt"):
        points = read_hints(next(tmp_path.rglob(f"a.{suffix}"))).points
        assert [(p.x, p.y, *p.color) for p in points] == Track2(1).points(pair("x/../a"))


def test_hints_reach_the_network_where_they_are() -> None:
    given = pair()
    known = Track2(3)(given)((24, 32))
    assert known is not None
    points = Track2(3).points(given)
    assert known.mask.sum() == len(points)
    for x, y, *rgb in points:
        assert known.mask[0, 0, y, x] == 1
        expected = chroma(torch.tensor(rgb).view(1, 3, 1, 1) / 255).flatten()
        assert torch.allclose(known.ab[0, :, y, x], expected)
    half = Track2(3)(given)((12, 16))
    assert half is not None
    assert 1 <= half.mask.sum() <= len(points)


def test_pixels_without_data_give_no_hints(tmp_path: Path) -> None:
    valid = np.zeros((24, 32), dtype=bool)
    valid[:12] = True
    holed = pair("a", valid)
    holed.truth[:, ~valid] = np.nan
    found = Track2(0).points(holed)
    assert all(y < 12 for _, y, *_ in found)
    assert 0 < len(found) < len(Track2(0).points(pair("a")))
    nothing = pair("a", np.zeros((24, 32), dtype=bool))
    Track2(0, tmp_path / "none").write(nothing)
    assert not (tmp_path / "none").exists()
    known = Track2(0)(nothing)((12, 16))
    assert known is not None
    assert not known.mask.any()


def test_hinted_weights_come_closer_than_the_same_without() -> None:
    pictures = as_ntire(collection("0", "1"), "gray")
    plain, _ = evaluate({"stub": stub_colorizer(side_px=24)}, pictures, source="x")
    told, _ = evaluate({"stub": stub_colorizer(side_px=24)}, pictures, source="x", terms=Terms(hints_for=Track2(0)))
    for name in ("0", "1"):
        assert told.scores["stub"][name]["rmse_ab"] < plain.scores["stub"][name]["rmse_ab"]
        assert told.scores["grey-copy"][name] == plain.scores["grey-copy"][name]


def test_who_takes_no_hints_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    colorizers = {"guided": stub_colorizer(), "deaf": stub_colorizer()}
    colorizers["deaf"].system.guidance = frozenset()  # type: ignore[misc]
    with caplog.at_level(logging.WARNING):
        terms, made = add_protocol(Terms(seed=4), "ntire2019-track2", colorizers, collection("0", "1"), None)
        evaluation, _ = evaluate(colorizers, made, source="x", terms=terms)
    assert [record.message for record in caplog.records] == ["deaf: judged without the hints, which they do not take"]
    known = {"name": "ntire2019-track2", "seed": 4, "judged_without_hints": ["deaf"]}
    assert evaluation.data["protocol"] == known
    assert "ssim_u8" in evaluation.metrics


def test_what_needs_hints_is_refused_without() -> None:
    colorizer = stub_colorizer()
    colorizer.system.needs_guidance = True  # type: ignore[misc]
    with pytest.raises(InputError, match=r"stub colours from hints alone; judge it by --protocol ntire2019-track2"):
        evaluate({"stub": colorizer}, collection("0"), source="x")


def test_the_protocol_is_for_gray_made_from_colours(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="these weights translate nir"):
        as_ntire(collection("0"), "nir")
    bare = collection("0")
    with pytest.raises(DataError, match="needs colour pictures"):
        as_ntire(Collection(bare.sources, bare.sources, True, Preprocessing(), "gray alone"), "gray")
    with pytest.raises(InputError, match="--save-seeds writes the pixels of"):
        add_protocol(Terms(), "ntire2019-track1", {"stub": stub_colorizer()}, bare, tmp_path)
