"""Line art out of colour pictures, and the folder names that drawings and their colours are found under."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from nirtrans.color.lineart import canny, xdog
from nirtrans.config import Run
from nirtrans.data.collection import Collection, open_collection
from nirtrans.data.derive import luma
from nirtrans.data.layout import find_layout
from nirtrans.data.loader import training_batches, with_pairing
from nirtrans.data.synthetic import synthetic_scene
from nirtrans.errors import DataError
from nirtrans.io.images import write_image

MakeRun = Callable[..., Run]
HALF_LEVEL = 0.5 / 255 + 1e-6


def opened(run: Run) -> Collection:
    return open_collection(run.data, "lineart")


def colours(seed: int = 0, side: int = 48) -> np.ndarray:
    """Return a colour picture as a file holds it, [H, W, 3]."""
    scene = synthetic_scene(seed, (side, side)).rgb_picture()
    return (255 * scene).round().astype(np.uint8).transpose(1, 2, 0)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for seed in range(3):
        write_image(tmp_path / f"p{seed}.png", colours(seed))
    return tmp_path


@pytest.mark.parametrize(("by", "drawn"), [("xdog", xdog), ("canny", canny)])
def test_line_art_is_drawn_from_colour_pictures(
    pictures: Path, make_run: MakeRun, by: str, drawn: Callable[[np.ndarray], np.ndarray]
) -> None:
    collection = opened(make_run(str(pictures), lineart=by))
    lines, valid = collection.sources[1].read()
    rgb, _ = collection.targets[1].read()
    assert valid is None
    np.testing.assert_allclose(lines[0], drawn(luma(rgb)[0]), atol=HALF_LEVEL)
    assert lines.min() < 0.5 < lines.max() == 1
    assert collection.aligned
    assert collection.preprocessing.bands == ("lineart",)
    assert by in collection.description


def test_xdog_is_the_default(pictures: Path, make_run: MakeRun) -> None:
    assert "xdog" in opened(make_run(str(pictures))).description


def test_a_part_of_a_drawing_is_cut_out_of_the_whole(pictures: Path, make_run: MakeRun) -> None:
    source = opened(make_run(str(pictures), lineart="canny")).sources[0]
    whole, _ = source.read()
    part, _ = source.read((11, 20, 16, 8))
    assert np.array_equal(part, whole[:, 11:27, 20:28])


def test_a_drawing_follows_its_file(pictures: Path, make_run: MakeRun) -> None:
    source = opened(make_run(str(pictures))).sources[0]
    before, _ = source.read()
    write_image(pictures / "p0.png", colours(9))
    assert not np.array_equal(before, source.read()[0])


def test_two_ways_of_drawing_do_not_share_a_memory(pictures: Path, make_run: MakeRun) -> None:
    first, second = (opened(make_run(str(pictures), lineart=by)).sources[0].read()[0] for by in ("xdog", "canny"))
    assert not np.array_equal(first, second)


def test_what_is_transparent_is_paper_and_not_valid(tmp_path: Path, make_run: MakeRun) -> None:
    disc = np.hypot(*(np.mgrid[:48, :48] - 24)) < 15
    hidden = np.random.default_rng(0).integers(0, 255, (48, 48, 3), dtype=np.uint8)
    pixels = np.where(disc[..., None], np.uint8([40, 90, 160]), hidden)
    write_image(tmp_path / "sticker.png", pixels, alpha=np.where(disc, 255, 0).astype(np.uint8))
    lines, valid = opened(make_run(str(tmp_path))).sources[0].read()
    assert np.array_equal(valid, disc)
    assert lines[0][~disc].min() > 0.9, "what is hidden under transparency is not drawn"
    assert lines[0][disc].min() < 0.1, "its outline is"
    assert lines[0, 24, 24] == 1


def test_crops_of_drawings_match_their_colours(pictures: Path, make_run: MakeRun) -> None:
    run = make_run(str(pictures), lineart="canny", flip=True)
    collection = opened(run)
    batch = next(training_batches(collection, with_pairing(run, collection), workers=0))
    assert batch.source.shape == (4, 1, 32, 32)
    assert set(batch.source.unique().tolist()) <= {0.0, 1.0}
    rerun = next(training_batches(opened(run), with_pairing(run, collection), workers=0))
    assert np.array_equal(batch.source, rerun.source)


def test_without_data_drawings_of_synthetic_scenes(make_run: MakeRun) -> None:
    collection = opened(make_run(lineart="canny"))
    lines, rgb = (side[0].read()[0] for side in (collection.sources, collection.targets))
    assert np.array_equal(lines[0], canny(luma(rgb)[0]))


def test_a_gray_picture_has_no_colours_to_learn(tmp_path: Path, make_run: MakeRun) -> None:
    write_image(tmp_path / "a.png", colours()[..., :1])
    with pytest.raises(DataError, match="a gray picture where colour was expected"):
        opened(make_run(str(tmp_path)))


@pytest.mark.parametrize("target", ["rgb", "color"])
@pytest.mark.parametrize("source", ["lineart", "line"])
def test_drawings_beside_colours(tmp_path: Path, make_run: MakeRun, source: str, target: str) -> None:
    for folder, pixels in ((source, colours()[..., :1]), (target, colours())):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "a.png", pixels)
    for domain in ("lineart", None):
        layout = find_layout(tmp_path, domain)
        assert (layout.kind, layout.domain, list(layout.groups)) == ("pairs", "lineart", [source, target])
    collection = opened(make_run(str(tmp_path)))
    lines, _ = collection.sources[0].read()
    np.testing.assert_allclose(lines[0], colours()[..., 0] / 255, atol=1e-6)


def test_a_half_without_partner_is_named_by_its_folder(tmp_path: Path, make_run: MakeRun) -> None:
    for folder, name in (("line", "a"), ("line", "b"), ("color", "a")):
        (tmp_path / folder).mkdir(exist_ok=True)
        write_image(tmp_path / folder / f"{name}.png", colours())
    with pytest.raises(DataError, match=r"b in line/ without a file of the same name in color/"):
        opened(make_run(str(tmp_path)))


def test_colours_beside_near_infrared_may_be_called_color(tmp_path: Path, make_run: MakeRun) -> None:
    for folder in ("nir", "color"):
        (tmp_path / folder).mkdir()
        Pillow.fromarray(colours()).convert("RGB" if folder == "color" else "L").save(tmp_path / folder / "a.png")
    assert len(open_collection(make_run(str(tmp_path)).data, "nir").sources) == 1


def test_the_real_drawings_open(shared_data: Path, make_run: MakeRun) -> None:
    for name, count in (("openmoji72", 939), ("peppercarrot", None)):
        collection = opened(make_run(str(shared_data / "lineart" / name)))
        assert count in (None, len(collection.sources))
        lines, _ = collection.sources[0].read()
        assert lines.max() == 1
        assert lines.mean() > 0.5, "paper is white"
