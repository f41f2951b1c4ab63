"""What may stand after --data, and what is refused, with the words a user sees."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from nirtrans.config import Run
from nirtrans.data.collection import Collection, open_collection
from nirtrans.data.loader import training_batches, with_pairing
from nirtrans.data.synthetic import write_synthetic_pairs, write_synthetic_raster
from nirtrans.errors import DataError
from nirtrans.io.images import write_image

MakeRun = Callable[..., Run]


def opened(run: Run, *, skip_bad: bool = False, domain: str = "nir") -> Collection:
    return open_collection(run.data, domain, skip_bad=skip_bad)


def picture(path: Path, channels: int, side: int = 40) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.random.default_rng(0).integers(0, 255, (side, side, channels), dtype=np.uint8))


def test_no_sources_means_synthetic_scenes(make_run: MakeRun) -> None:
    collection = opened(make_run())
    assert len(collection.sources) == len(collection.targets) == 6
    assert collection.aligned
    assert "synthetic" in collection.description
    assert [p.split for p in collection.sources] == ["train"] * 5 + ["val"]


def test_pairs_read_as_written(pairs: Path, make_run: MakeRun) -> None:
    collection = opened(make_run(str(pairs)))
    nir, valid = collection.sources[2].read((8, 4, 16, 24))
    stored = np.asarray(Pillow.open(pairs / "nir" / "scene0002.png"))
    assert valid is None
    np.testing.assert_allclose(nir[0], stored[8:24, 4:28] / 255, atol=1e-6)
    rgb, _ = collection.targets[2].read()
    assert rgb.shape == (3, 48, 48)
    assert collection.preprocessing.kind == "picture"


def test_deep_pairs_keep_their_precision(tmp_path: Path, make_run: MakeRun) -> None:
    values = np.linspace(0, 65535, 40 * 40).astype(np.uint16).reshape(40, 40)
    for folder, stack in (("nir", values), ("rgb", np.dstack([values] * 3))):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "a.png", stack)
    nir, _ = opened(make_run(str(tmp_path))).sources[0].read()
    np.testing.assert_allclose(nir[0], values / 65535, atol=1e-7)


def test_floats_beyond_the_unit_range_are_refused(pairs: Path, make_run: MakeRun) -> None:
    for number in range(8):
        path = pairs / "nir" / f"scene000{number}.png"
        Pillow.fromarray(np.full((48, 48), 0.5 if number else 40.0, np.float32)).save(path.with_suffix(".tif"))
        path.unlink()
    with pytest.raises(DataError, match=r"scene0000.tif: floats from 40 to 40 where 0 to 1 is expected"):
        opened(make_run(str(pairs)))


def test_transparent_pixels_are_nodata(tmp_path: Path, make_run: MakeRun) -> None:
    picture(tmp_path / "nir" / "a.png", 1)
    pixels, alpha = np.zeros((40, 40, 3), np.uint8), np.full((40, 40), 255, np.uint8)
    alpha[:10] = 0
    (tmp_path / "rgb").mkdir()
    write_image(tmp_path / "rgb" / "a.png", pixels, alpha=alpha)
    _, valid = opened(make_run(str(tmp_path))).targets[0].read((5, 0, 10, 40))
    assert valid is not None
    np.testing.assert_array_equal(valid[:, 0], [False] * 5 + [True] * 5)


def test_gray_saved_as_colour_is_accepted_as_near_infrared(tmp_path: Path, make_run: MakeRun) -> None:
    picture(tmp_path / "nir" / "a.png", 1)
    picture(tmp_path / "rgb" / "a.png", 3)
    gray = np.asarray(Pillow.open(tmp_path / "nir" / "a.png"))
    write_image(tmp_path / "nir" / "a.png", np.dstack([gray] * 3))
    assert opened(make_run(str(tmp_path))).sources[0].read()[0].shape == (1, 40, 40)


def test_several_sources_are_joined_and_named_apart(tmp_path: Path, make_run: MakeRun) -> None:
    for name in ("first", "second"):
        write_synthetic_pairs(tmp_path / name, scenes=3, size=(40, 40))
    collection = opened(make_run(str(tmp_path / "first"), str(tmp_path / "second")))
    assert [p.id for p in collection.sources][::3] == ["first/scene0000", "second/scene0000"]
    assert len({p.id for p in collection.sources}) == 6
    assert {p.scene for p in collection.part("val").sources} == {"scene0002"}
    assert len(collection.part("val").sources) == 2, "a scene id that two folders share is one scene"


def test_unpaired_folders(tmp_path: Path, make_run: MakeRun) -> None:
    for part, channels, count in (("trainA", 1, 3), ("trainB", 3, 5), ("testA", 1, 2), ("testB", 3, 2)):
        for number in range(count):
            picture(tmp_path / part / f"{number}.png", channels)
    collection = opened(make_run(str(tmp_path), pairing="unpaired"))
    assert not collection.aligned
    assert (len(collection.part("train").sources), len(collection.part("train").targets)) == (3, 5)
    assert len(collection.part("test").targets) == 2


def test_pictures_without_partners_join_pairs_loosely(tmp_path: Path, make_run: MakeRun) -> None:
    write_synthetic_pairs(tmp_path / "pairs", scenes=3, size=(40, 40))
    for part, channels, count in (("trainA", 1, 2), ("trainB", 3, 4)):
        for number in range(count):
            picture(tmp_path / "loose" / part / f"{number}.png", channels)
    run = make_run(str(tmp_path / "pairs"), str(tmp_path / "loose"))
    collection = opened(run)
    train = collection.part("train")
    assert collection.aligned
    assert (len(train.sources), len(train.targets)) == (2, 2)
    assert [picture.id for picture in train.loose_sources] == ["loose/0", "loose/1"]
    assert (len(train.every_source), len(train.every_target)) == (4, 6)
    assert with_pairing(run, collection).data.pairing == "mixed"
    paired, unpaired = itertools.islice(training_batches(collection, run), 2)
    assert paired.paired
    assert not unpaired.paired
    assert not any("loose" in name for name in paired.ids)
    assert any("loose" in name for name in unpaired.ids)


def test_gray_is_made_from_colour_pictures(tmp_path: Path, make_run: MakeRun) -> None:
    picture(tmp_path / "a.png", 3)
    collection = opened(make_run(str(tmp_path)), domain="gray")
    rgb, _ = collection.targets[0].read()
    gray, _ = collection.sources[0].read()
    np.testing.assert_allclose(gray[0], 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2], atol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, r"expected nir/ and rgb/.*found nothing"),
        ({"nir/a.png": 1}, r"expected nir/ and rgb/.*found nir/"),
        ({"a.png": 3}, r"expected nir/ and rgb/, .*or rasters in it; found a.png"),
        ({"nir/a.png": 1, "rgb/": 0}, r"rgb: no pictures in it"),
        ({"nir/a.png": 1, "nir/b.png": 1, "rgb/a.png": 3}, r"b in nir/ without a file of the same name in rgb/"),
        ({"nir/a.png": 1, "nir/a.tif": 1, "rgb/a.png": 3}, r"a.png and a.tif share one name"),
        ({"nir/a.png": 3, "rgb/a.png": 3}, r"nir/a.png: a colour picture where a single channel was expected"),
        ({"nir/a.png": 1, "rgb/a.png": 1}, r"rgb/a.png: a gray picture where colour was expected"),
    ],
)
def test_wrong_folders_are_refused(tmp_path: Path, make_run: MakeRun, content: dict[str, int], message: str) -> None:
    for name, channels in content.items():
        if channels:
            picture(tmp_path / name, channels)
        else:
            (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=message):
        opened(make_run(str(tmp_path)))


def test_missing_partners_are_listed_and_counted(pairs: Path, make_run: MakeRun) -> None:
    for number in range(5):
        (pairs / "rgb" / f"scene000{number}.png").unlink()
    with pytest.raises(DataError, match="scene0000, scene0001, scene0002 and 2 more in nir/"):
        opened(make_run(str(pairs)))


def test_unequal_sizes_within_a_pair_are_refused(pairs: Path, make_run: MakeRun) -> None:
    picture(pairs / "rgb" / "scene0001.png", 3, side=47)
    with pytest.raises(DataError, match="pair scene0001 has the sizes 48x48 and 47x47"):
        opened(make_run(str(pairs)))


def test_absent_paths_are_refused(tmp_path: Path, make_run: MakeRun) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        opened(make_run(str(tmp_path / "absent")))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_truncated_pictures_are_named_or_skipped(
    pairs: Path, make_run: MakeRun, share: float, caplog: pytest.LogCaptureFixture
) -> None:
    path = pairs / "rgb" / "scene0003.png"
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match=r"scene0003\.png"):
        opened(make_run(str(pairs)))
    assert len(opened(make_run(str(pairs)), skip_bad=True).sources) == 7
    assert "1 of 8 left out" in caplog.text


def test_pictures_and_rasters_do_not_mix(pairs: Path, tmp_path: Path, make_run: MakeRun) -> None:
    write_synthetic_raster(tmp_path / "scene.tif", size=(64, 64))
    with pytest.raises(DataError, match="one kind at a time"):
        opened(make_run(str(pairs), str(tmp_path / "scene.tif")))


def test_synthetic_scenes_beyond_reason_are_refused(make_run: MakeRun) -> None:
    with pytest.raises(DataError, match="6 synthetic scenes of 50000 px would take 240 GB"):
        opened(make_run(crop_px=50_000))


@pytest.mark.parametrize("given", [{"bands": {"nir": 4}}, {"sensor": "naip"}, {"scale": 1e-4, "offset": 0.0}])
def test_pictures_have_no_bands(pairs: Path, make_run: MakeRun, given: dict[str, object]) -> None:
    with pytest.raises(DataError, match=f"holds pictures, but {', '.join(given)} describe rasters; leave them out"):
        opened(make_run({"path": str(pairs), **given}))
